//! The end of the boot: there is no init, and `panic=` says what then.

use anyhow::Result;
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

const NO_INIT: &str = "Kernel panic - not syncing: No working init found.  Try passing init= option to kernel. See Linux Documentation/admin-guide/init.rst for guidance.";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("ending::without_an_init_the_boot_ends_in_a_panic_that_says_so", || {
            let log = machine("").run()?;
            log.require(&["Run /init as init process", "Failed to execute /init (error -2)", NO_INIT])
        }),
        trial("ending::a_requested_init_that_is_not_there_is_named", || {
            let log = machine("init=/x").run()?;
            log.require(&["Kernel panic - not syncing: Requested init /x failed (error -2)."])?;
            log.refuse("No working init found.")
        }),
        trial("ending::a_requested_ramdisk_init_that_is_not_there_is_named", || {
            let log = machine("rdinit=/y").run()?;
            log.require(&["Run /y as init process", "Failed to execute /y (error -2)", NO_INIT])
        }),
        trial("ending::the_panic_shows_where_it_was", || {
            let log = machine("").run()?;
            for part in ["CPU: 0 PID: ", "Call Trace:", "incipit::init::main::"] {
                log.require_mention(part)?;
            }
            Ok(())
        }),
        trial("ending::a_timeout_is_announced_and_then_the_machine_restarts", || {
            machine("panic=1").run()?.require(&[NO_INIT, "Rebooting in 1 seconds.."])
        }),
        trial("ending::without_a_timeout_the_kernel_stops", || {
            let mut guest = machine("panic=0").start()?;
            guest
                .wait_for("---[ end Kernel panic - not syncing: No working init found.")
                .map(drop)
        }),
        trial("ending::the_bzimage_ends_in_the_same_way", || {
            let log = Machine::new(&Build::ours().bzimage()).run()?;
            log.require(&["Run /init as init process", NO_INIT])
        }),
        trial("ending::a_guest_that_is_told_to_run_the_monitor_can_go_on_to_the_end", || {
            let mut guest = machine("kdb").start()?;
            guest.wait_for("kdb> ")?;
            guest.send(b"go\r")?;
            guest.wait_for_end()?.require(&[NO_INIT])
        }),
    ]
}

fn machine(words: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux()).append(words)
}

/// Fails unless the boot has come to its end.
pub fn require_end(log: &incipit_tests::log::Log) -> Result<()> {
    log.require(&[NO_INIT])
}

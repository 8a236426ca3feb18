//! What every CPU does between interrupts, and what the processor is asked before it is trusted.

use anyhow::Result;
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// How a boot ends that nothing stops.
const END_OF_BOOT: &str = "Kernel panic - not syncing: No working init found.";

fn machine(cpus: u32) -> Machine {
    Machine::new(&Build::ours().vmlinux()).processors(cpus)
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("traps::floating_point_and_hlt_are_tried", || {
            machine(1).run()?.require(&[
                "Checking 386/387 coupling... OK, FPU using exception 16 error reporting.",
                "Checking 'hlt' instruction... OK.",
            ])
        }),
        trial("traps::without_hlt_all_cpus_come_and_stop", no_hlt),
    ]
}

fn no_hlt() -> Result<()> {
    let log = machine(2).append("no-hlt").run()?;
    log.require(&["Checking 'hlt' instruction... disabled", "smp: Brought up 1 node, 2 CPUs"])?;
    log.require_mention(END_OF_BOOT)
}

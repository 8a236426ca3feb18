//! What every CPU does between interrupts, and what the processor is asked before it is trusted.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
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
        trial("traps::the_monitor_holds_all_cpus_and_shows_where_they_are", backtraces),
        trial("traps::the_monitor_stops_at_breakpoints_and_goes_on_step_by_step", breakpoints),
        trial("traps::a_profile_counts_what_ticks_strike", profile),
        trial("traps::without_hlt_all_cpus_come_and_stop", no_hlt),
    ]
}

fn no_hlt() -> Result<()> {
    let log = machine(2).append("no-hlt").run()?;
    log.require(&["Checking 'hlt' instruction... disabled", "smp: Brought up 1 node, 2 CPUs"])?;
    log.require_mention(END_OF_BOOT)
}

fn backtraces() -> Result<()> {
    let mut session = Session::on(&machine(3).append("kdb"))?;
    let text = session.obey("btc")?;
    let mut rest = text.as_str();
    for part in [
        "NMI backtrace for cpu 0\n",
        "Sending NMI from CPU 0 to CPUs 1:\n",
        "NMI backtrace for cpu 1\n",
        "smp::hold::",
        "RIP: 0010:incipit::cpu::idle::cpu_startup_entry+",
        "Sending NMI from CPU 0 to CPUs 2:\n",
        "NMI backtrace for cpu 2\n",
        "smp::hold::",
        "RIP: 0010:incipit::cpu::idle::cpu_startup_entry+",
    ] {
        let place = rest.find(part);
        ensure!(place.is_some(), "`{part}` is missing, or not behind the others:\n{text}");
        rest = &rest[place.unwrap_or_default() + part.len()..];
    }
    // A CPU that is held can be taken away, and comes back into the hold.
    for (line, answer) in [
        ("cpu down 1", ""),
        ("btc 1", "diag: CPU 1 shows nothing"),
        ("cpu up 1", ""),
        ("btc 1", "smp::hold::"),
        ("btc 1 2", "diag: Improper argument count"),
    ] {
        let text = session.obey(line)?;
        ensure!(
            text.contains(answer) && (!answer.is_empty() || !text.contains("diag")),
            "{line}: {text}"
        );
    }
    Ok(())
}

fn breakpoints() -> Result<()> {
    let mut session = Session::on(&machine(2).append("kdb"))?;
    let place = "incipit::printk::vprintk";
    for (line, answer) in [
        ("ss", "diag: the kernel was not stopped at an instruction"),
        ("bph 1000 twice", "diag: 'twice' is none of inst, dataw, dataa"),
        ("bph 1001 dataw 4", "diag: no breakpoint at 0x1001 (EINVAL)"),
        ("bph no_such_function", "diag: Illegal numeric value"),
        ("bc 0", "diag: there is no breakpoint 0"),
        ("bc 99999999999", "diag: there is no breakpoint 99999999999"),
        (&format!("bph {place}"), "Instruction(Register) BP #0 at 0xffffffff8"),
        ("bph", &format!("({place}+0x0/")),
        ("go", "Entering kdb on processor 0: Breakpoint @ 0xffffffff8"),
        ("ss", "Entering kdb on processor 0: SS trap @ 0xffffffff8"),
        ("bt", "<exception at incipit::printk::vprintk+0x"),
        ("bc 0", "Breakpoint 0 at 0xffffffff8"),
    ] {
        let text = session.obey(line)?;
        ensure!(text.contains(answer), "{line}: {text}");
    }
    session.guest.send(b"go\r")?;
    session.guest.wait_for_end()?.require_mention(END_OF_BOOT)
}

/// The counts of functions sum up to the total, and the monitor, which waits for a line, is among them.
fn profile() -> Result<()> {
    let mut session = Session::on(&machine(1).append("kdb profile=2"))?;
    let text = (0..20).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let text = session.obey("profile").ok()?;
        text.contains(" incipit_kdb::").then_some(text)
    });
    let text = text.ok_or_else(|| anyhow::anyhow!("the monitor is not counted"))?;
    let rows: Vec<(u64, &str)> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.parse().ok()?, words.next()?))
        })
        .collect();
    let (total, functions) = rows.split_last().map_or((0, &rows[..]), |(last, rest)| (last.0, rest));
    ensure!(rows.last().is_some_and(|row| row.1 == "total"), "{text}");
    ensure!(total > 0 && total == functions.iter().map(|row| row.0).sum::<u64>(), "{text}");
    let mut other = Session::on(&machine(1).append("kdb profile=schedule"))?;
    ensure!(
        other.obey("profile")?.starts_with("diag: nothing is counted"),
        "a profile without one"
    );
    ensure!(
        other.obey("dmesg")?.contains("profile: this kernel has no schedule to profile"),
        "not refused"
    );
    Ok(())
}

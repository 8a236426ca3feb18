//! What every CPU does between interrupts, and what the processor is asked before it is trusted.

use std::collections::BTreeSet;

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
        trial("traps::a_breakpoint_stops_each_cpu_that_comes_to_it_in_turn", on_all_cpus),
        trial("traps::what_others_do_for_the_monitor_does_not_wait_for_it", for_the_monitor),
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

/// A panic stops all other CPUs at once, and each of them comes to the breakpoint, even one that was not there when it was set. Each has its turn in the monitor, with the others held.
fn on_all_cpus() -> Result<()> {
    let mut session = Session::on(&machine(4).append("kdb panic=-1"))?;
    let place = "incipit::arch::x86::smpboot::stop::stop_this_cpu";
    ensure!(!session.obey("cpu down 3")?.contains("diag"), "CPU 3 stays");
    ensure!(session.obey(&format!("bph {place}"))?.contains("BP #0"), "not set");
    ensure!(!session.obey("cpu up 3")?.contains("diag"), "CPU 3 does not come back");
    let mut came = BTreeSet::new();
    let mut text = session.obey("go")?;
    while let Some(cpu) = stopped(&text, "Breakpoint") {
        ensure!(came.insert(cpu), "CPU {cpu} twice: {text}");
        for (line, answer) in [
            ("bt", "<exception at incipit::arch::x86::smpboot::stop::stop_this_cpu+0x0/"),
            ("btc 0", "incipit::arch::x86::smpboot::stop::stop_other_cpus+0x"),
            ("rdmsr 1b 0", "diag: CPU 0 does not read register 0x1b (EBUSY)"),
            ("cpu down 1", "diag: CPU 1 does not go (EBUSY)"),
            ("cpu up 1", "diag: CPU 1 does not come (EBUSY)"),
        ] {
            let text = session.obey(line)?;
            ensure!(text.contains(answer), "{line}: {text}");
        }
        if came.len() == 3 {
            break;
        }
        text = session.obey("go")?;
    }
    ensure!(came.iter().eq([1, 2, 3].iter()), "{came:?} came to it: {text}");
    let last = came.len();
    let text = session.obey("ss")?;
    ensure!(
        stopped(&text, "SS trap").is_some(),
        "no step on the CPU that was the {last}rd: {text}"
    );
    ensure!(session.obey("bc 0")?.contains("Breakpoint 0 at"), "not cleared");
    session.guest.send(b"go\r")?;
    session.guest.wait_for_end()?.require_mention(END_OF_BOOT)
}

/// On which CPU the monitor has come, and for what.
fn stopped(text: &str, why: &str) -> Option<u32> {
    let (_, rest) = text.rsplit_once("Entering kdb on processor ")?;
    let (cpu, rest) = rest.split_once(": ")?;
    rest.starts_with(why).then(|| cpu.parse().ok())?
}

/// A CPU that the monitor brings up or takes down comes to breakpoints and goes on, and so does the monitor's own. What cannot be set is refused.
fn for_the_monitor() -> Result<()> {
    let mut session = Session::on(&machine(3).append("kdb"))?;
    for (line, answer) in [
        ("bph incipit::cpu::idle::cpu_startup_entry", "BP #0"),
        ("bph incipit::arch::x86::cpu::masks::ONLINE dataw 8", "BP #1"),
        (
            "cpu down 2",
            "kdb: CPU 2 goes on, for the monitor on CPU 0 needs it: Breakpoint @ 0xffffffff8",
        ),
        ("bph", "(incipit::cpu::idle::cpu_startup_entry+0x0/"),
        (
            "cpu up 2",
            "kdb: CPU 2 goes on, for the monitor on CPU 0 needs it: Breakpoint @ 0xffffffff8",
        ),
        ("btc 2", "NMI backtrace for cpu 2"),
        ("bph 1000 dataw", "BP #2"),
        ("bph 1000 dataw", "BP #3"),
        ("bph 1000 dataw", "diag: no breakpoint at 0x1000 (ENOSPC)"),
        ("bph incipit::arch::x86::traps::debug::exc_debug", "(EINVAL)"),
        ("bc 3", "Breakpoint 3 at"),
        ("bc 0", "Breakpoint 0 at"),
        ("bc 1", "Breakpoint 1 at"),
        ("bc 1", "diag: there is no breakpoint 1"),
    ] {
        let text = session.obey(line)?;
        ensure!(text.contains(answer), "{line}: {text}");
    }
    let text = session.obey("cpu down 2")? + &session.obey("cpu up 2")?;
    ensure!(!text.contains("goes on"), "what is cleared is watched: {text}");
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

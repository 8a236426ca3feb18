//! Clocks that lie: each is found out and named, and the boot goes on by another one.
//!
//! QEMU's emulated CPUs all show one time-stamp counter, which cannot be written. Those of Bochs have one each.

use anyhow::{Context, Result, ensure};
use incipit_lib::acpi::build::{self, Firmware};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::{trial, trial_on};
use libtest_mimic::Trial;

use crate::smp::online;

/// Where the tables of a test are put: RAM that nobody has taken by then.
const TABLES: u64 = 64 << 20;
/// Memory that the command line keeps from the kernel: what is written there looks like the registers of a device.
const FAKE: u64 = 96 << 20;
/// Where no PC has anything.
const NOWHERE: u64 = 0xfec8_0000;

/// What the identification of a sound timer begins with: three comparators of 64 bits that can take over the old lines, revision 1.
const ID: u32 = 0x8086_a201;
/// 10 ns.
const PERIOD: u32 = 10_000_000;

/// In GAS's terms, memory and ports.
const MEMORY: u8 = 0;
const PORTS: u8 = 1;

/// A table of the HPET that lies, with what is at [`FAKE`], and what must be said of it.
struct Lie {
    name: &'static str,
    space: u8,
    address: u64,
    registers: [u32; 2],
    says: &'static str,
}

const LIES: &[Lie] = &[
    Lie {
        name: "where_nothing_is",
        space: MEMORY,
        address: NOWHERE,
        registers: [0, 0],
        says: "hpet: there is nothing where the table says that it is: it is not used",
    },
    Lie {
        name: "in_ram",
        space: MEMORY,
        address: TABLES,
        registers: [0, 0],
        says: "hpet: the registers at 0x4000000 cannot be mapped: EINVAL",
    },
    Lie {
        name: "at_ports",
        space: PORTS,
        address: 0x40,
        registers: [0, 0],
        says: "hpet: the table says that the registers are at 0x40 in space 1, where in memory they cannot be: it is not used",
    },
    Lie {
        name: "at_an_odd_address",
        space: MEMORY,
        address: FAKE + 1,
        registers: [ID, PERIOD],
        says: "hpet: the table says that the registers are at 0x6000001 in space 0, where in memory they cannot be: it is not used",
    },
    Lie {
        name: "behind_all_memory",
        space: MEMORY,
        address: u64::MAX - 7,
        registers: [0, 0],
        says: "hpet: the registers at 0xfffffffffffffff8 cannot be mapped: EINVAL",
    },
    Lie {
        name: "without_a_period",
        space: MEMORY,
        address: FAKE,
        registers: [ID, 0],
        says: "hpet: a period of 0 fs is not between 100000 and 100000000 fs: it is not used",
    },
    Lie {
        name: "with_too_long_a_period",
        space: MEMORY,
        address: FAKE,
        registers: [ID, 100_000_001],
        says: "hpet: a period of 100000001 fs is not between 100000 and 100000000 fs: it is not used",
    },
    Lie {
        name: "that_does_not_count",
        space: MEMORY,
        address: FAKE,
        registers: [ID, PERIOD],
        says: "hpet: the counter does not count: it is not used",
    },
    Lie {
        name: "that_shows_all_ones",
        space: MEMORY,
        address: FAKE,
        registers: [u32::MAX, u32::MAX],
        says: "hpet: there is nothing where the table says that it is: it is not used",
    },
];

/// Lets the local APIC's timer count, instead of comparing the counter with deadlines.
const COUNTED: &str = "lapic=notscdeadline";

pub fn trials() -> Vec<Trial> {
    let lies = LIES
        .iter()
        .map(|lie| trial(format!("hostile_clocks::an_hpet_{}_is_not_used", lie.name), || is_found_out(lie)));
    lies.chain([
        in_bochs("a_counter_that_jumps_ahead_is_given_up", |machine| {
            jumps(machine.processors(1).append(COUNTED), 0, 10).map(drop)
        }),
        in_bochs("a_counter_that_jumps_back_is_given_up", |machine| {
            jumps(machine.processors(1).append(COUNTED), 0, -2).map(drop)
        }),
        in_bochs("deadlines_by_a_counter_that_jumps_ahead_are_given_up", |machine| {
            let log = jumps(machine.processors(1), 0, 2)?;
            log.require_mention("clockevents: the time-stamp counter is not believed: lapic-deadline gives way to lapic on all CPUs")
        }),
        in_bochs("deadlines_by_a_counter_that_jumps_back_are_given_up", |machine| {
            let log = jumps(machine.processors(1), 0, -2)?;
            log.require_mention(
                "clockevents: the timer of CPU 0 was early 256 times in a row: lapic-deadline gives way to lapic on all CPUs",
            )
        }),
        in_bochs("a_counter_that_jumps_on_one_of_two_cpus_is_given_up", |machine| {
            let jumps = |cpu, seconds| {
                let log = jumps(machine.clone(), cpu, seconds)?;
                log.require_mention(": lapic-deadline gives way to lapic on all CPUs")
            };
            [(0, 2), (0, -2), (1, 2), (1, -2)]
                .into_iter()
                .try_for_each(|(cpu, seconds)| jumps(cpu, seconds).with_context(|| format!("{seconds} s on CPU {cpu}")))
        }),
        in_bochs("a_cpu_whose_counter_is_behind_is_named_when_it_comes", warp),
        in_bochs("a_cpu_whose_counter_is_behind_is_believed_if_asked_for", believed),
    ])
    .collect()
}

/// Boots with this table, and without the time-stamp counter: by the interval timer.
fn is_found_out(lie: &Lie) -> Result<()> {
    let folder = Folder::new()?;
    let (tables, fake) = (folder.path().join("tables"), folder.path().join("registers"));
    let gas = [&[lie.space, 64, 0, 0][..], &lie.address.to_le_bytes()].concat();
    let body = [&ID.to_le_bytes()[..], &gas, &[0, 0x80, 0, 0]].concat();
    let mut firmware = Firmware::new(TABLES);
    let hpet = firmware.push(&build::table(b"HPET", &body));
    let rsdt = firmware.rsdt(&[hpet]);
    firmware.rsdp(rsdt);
    std::fs::write(&tables, firmware.bytes())?;
    std::fs::write(&fake, lie.registers.map(u32::to_le_bytes).concat())?;
    let words = format!(
        "memmap=4K${FAKE:#x} acpi_rsdp={:#x} tsc=unstable kunit.enable=1 kunit.filter_glob=*time::* kunit_shutdown=reboot",
        firmware.base()
    );
    let machine = machine(1).loaded(&tables, firmware.base()).loaded(&fake, FAKE);
    let log: Log = machine.append("ignore_loglevel").append(&words).run()?;
    log.require(&[lie.says, "clocksource: Switched to clocksource pit"])?;
    log.refuse("clocksource: hpet")?;
    log.refuse("not ok ")?;
    log.require_mention("time_torture: 2000 high-resolution timers, 0 early")
}

/// The test in the kernel that sets the counter of a CPU, on processors whose rate is told as Bochs has it: a count for each instruction. Their timers compare deadlines with what the counter
/// would show if it had not been set, so that they are early without end if it was set back, and late each time if it was set ahead.
fn jumps(machine: Machine, cpu: u32, seconds: i32) -> Result<Log> {
    let log = machine
        .append("tsc_early_khz=4000 ignore_loglevel kunit.enable=1 kunit_shutdown=reboot kunit.filter_glob=*a_counter_that_jumps*")
        .append(&format!("time_torture.jump={seconds} time_torture.jump_cpu={cpu}"))
        .run()?;
    log.require(&[
        "tsc: Marking TSC unstable due to clocksource watchdog",
        "clocksource: Switched to clocksource hpet",
    ])?;
    log.require_mention(": Marking clocksource 'tsc' as unstable because the skew is too large:")?;
    log.refuse("not ok ")?;
    log.require_mention(", and time went on")?;
    Ok(log)
}

fn machine(cpus: u32) -> Machine {
    Machine::new(&Build::ours().vmlinux()).processors(cpus)
}

/// A trial with two CPUs in Bochs, which is passed over where there is none.
fn in_bochs(name: &str, run: fn(Machine) -> Result<()>) -> Trial {
    let bochs = || machine(2).in_bochs();
    trial_on(&bochs(), format!("hostile_clocks::{name}"), move || run(bochs()))
}

/// A session in which CPU 1 has gone and come back with a counter that has begun anew.
fn with_a_counter_behind(machine: Machine) -> Result<Session> {
    let mut session = Session::on(&machine.append("kdb"))?;
    let written = session.obey("wrmsr 10 0 1")?;
    ensure!(written.is_empty(), "{written}");
    session.obey("cpu down 1")?;
    online(&mut session, &[0])?;
    session.obey("cpu up 1")?;
    online(&mut session, &[0, 1])?;
    Ok(session)
}

fn warp(machine: Machine) -> Result<()> {
    let mut session = with_a_counter_behind(machine)?;
    let log = session.guest.log();
    for line in [
        "TSC synchronization [CPU#0 -> CPU#1]:",
        "cycles TSC warp between CPUs, turning off TSC clock.",
        "tsc: Marking TSC unstable due to check_tsc_sync_source failed",
    ] {
        log.require_mention(line)?;
    }
    // A difference that stays.
    log.refuse("TSC warped randomly between CPUs")?;
    let clocks = session.obey("clocksource")?;
    ensure!(
        clocks.lines().any(|line| line.starts_with("* ") && !line.starts_with("* tsc")),
        "{clocks}"
    );
    let before = monotonic(&mut session)?;
    let after = monotonic(&mut session)?;
    ensure!(after > before, "{after} is not after {before}");
    Ok(())
}

fn believed(machine: Machine) -> Result<()> {
    let session = with_a_counter_behind(machine.append("tsc=reliable"))?;
    session.guest.log().refuse("TSC synchronization")?;
    session.guest.log().refuse("Marking TSC unstable")
}

/// The monotonic clock, in seconds.
fn monotonic(session: &mut Session) -> Result<f64> {
    let text = session.obey("date")?;
    let row = text.lines().find_map(|line| line.strip_prefix("monotonic "));
    row.with_context(|| text.clone())?.trim().parse().with_context(|| text.clone())
}

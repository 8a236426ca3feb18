//! CPUs and interrupts on machines whose firmware lies about them, or leaves out what every PC has: what is there is used, and what is not is named.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use incipit_lib::acpi::build::{self, Firmware};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::smp::{come, online};

/// Where the tables of a test are put: RAM that nobody has taken by then.
const BASE: u64 = 64 << 20;

/// For how long the boot waits for CPUs that do not come, all together: half of what Linux waits for each.
const WAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// The flag of an entry whose processor is there.
const ENABLED: u32 = 1;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("hostile_cpus::an_absent_one_is_named_and_the_others_come", || {
            let log = log_with(2, &apics(&[0, 1, 7]))?;
            log.require(&["smpboot: do_boot_cpu failed(-1) to wakeup CPU#2", "smp: Brought up 1 node, 2 CPUs"])
        }),
        trial("hostile_cpus::many_absent_ones_are_waited_for_together", absent),
        trial("hostile_cpus::one_that_is_named_twice_is_one", || {
            let log = log_with(2, &apics(&[0, 1, 1, 0]))?;
            log.require(&["smpboot: Allowing 2 CPUs, 0 hotplug CPUs", "smp: Brought up 1 node, 2 CPUs"])
        }),
        trial("hostile_cpus::a_boot_cpu_that_is_not_listed_is_used", || {
            let log = log_with(2, &apics(&[1]))?;
            log.require(&["smpboot: Boot CPU (id 0) not listed by BIOS", "smp: Brought up 1 node, 2 CPUs"])
        }),
        trial("hostile_cpus::more_than_there_is_room_for_are_left_out", crowd),
        trial("hostile_cpus::x2apic_entries_are_processors", || {
            let entries: Vec<u8> = (0..4).flat_map(|id| build::local_x2apic(id, id, ENABLED)).collect();
            come_with(&machine(4), &entries, &[0, 1, 2, 3])
        }),
        trial("hostile_cpus::one_whose_id_no_apic_can_have_is_named", || {
            let far = build::local_x2apic(9, 0x1_0000, ENABLED);
            let log = with_tables(&machine(2).cpu("max,-x2apic"), &[apics(&[0, 1]), far].concat(), Machine::run)?;
            log.require(&[
                "smpboot: CPU#2: APIC id 0x10000 cannot be reached without x2APIC mode",
                "smp: Brought up 1 node, 2 CPUs",
            ])
        }),
        trial("hostile_cpus::without_an_io_apic_lines_go_by_the_8259s", || {
            let machine = machine(4).append(INTERRUPTS);
            let log = with_tables(&machine, &apics(&[0, 1, 2, 3]), Machine::run)?;
            log.require(&["ACPI: No IOAPIC entries present", "smp: Brought up 1 node, 4 CPUs"])?;
            log.require_mention("ok 1 each_interrupt_of_a_device_is_handled_once")
        }),
        trial("hostile_cpus::the_mp_table_alone_is_enough", || {
            come(&machine(4).option("-smp", "sockets=4").append("acpi=off"), 4)
        }),
    ];
    for (name, chipset) in [
        ("without_a_pit", "microvm,pit=off"),
        ("without_any_old_device", "microvm,pit=off,pic=off,rtc=off"),
        ("without_an_hpet", "pc,hpet=off"),
    ] {
        trials.push(trial(format!("hostile_cpus::all_come_{name}"), move || {
            let mut session = Session::on(&machine(4).chipset(chipset).append("kdb"))?;
            online(&mut session, &[0, 1, 2, 3])?;
            ticks(&mut session)
        }));
    }
    trials
}

/// The test in the kernel that rings the serial port and counts.
const INTERRUPTS: &str =
    "ignore_loglevel kunit.enable=1 kunit_shutdown=reboot kunit.filter_glob=*each_interrupt_of_a_device_is_handled_once";

fn machine(cpus: u32) -> Machine {
    Machine::new(&Build::ours().vmlinux()).processors(cpus)
}

/// Entries of processors that are there, by the ids of their APICs.
fn apics(ids: &[u8]) -> Vec<u8> {
    ids.iter().flat_map(|&id| build::local_apic(id, id, ENABLED)).collect()
}

/// What `with` makes of `machine`, whose MADT has these entries.
fn with_tables<R>(machine: &Machine, entries: &[u8], with: impl FnOnce(&Machine) -> Result<R>) -> Result<R> {
    let mut firmware = Firmware::new(BASE);
    let madt = firmware.push(&build::table(b"APIC", &build::madt(entries)));
    let rsdt = firmware.rsdt(&[madt]);
    firmware.rsdp(rsdt);
    let folder = Folder::new()?;
    let file = folder.path().join("tables");
    std::fs::write(&file, firmware.bytes())?;
    let words = format!("acpi_rsdp={:#x}", firmware.base());
    with(&machine.clone().loaded(&file, firmware.base()).append(&words))
}

fn log_with(cpus: u32, entries: &[u8]) -> Result<Log> {
    with_tables(&machine(cpus), entries, Machine::run)
}

/// Boots with an MADT of these entries and has these CPUs online.
fn come_with(machine: &Machine, entries: &[u8], cpus: &[u32]) -> Result<()> {
    let session = with_tables(&machine.clone().append("kdb"), entries, Session::on);
    online(&mut session?, cpus)
}

/// Seven that are not there take no longer than one.
fn absent() -> Result<()> {
    let log = log_with(2, &apics(&[0, 1, 7, 8, 9, 10, 11, 12, 13]))?;
    for cpu in 2..9 {
        log.require_mention(&format!("smpboot: do_boot_cpu failed(-1) to wakeup CPU#{cpu}"))?;
    }
    let at = |text: &str| {
        let mut lines = log.timed();
        lines
            .find(|(_, line)| line.contains(text))
            .map(|(time, _)| time)
            .with_context(|| text.to_owned())
    };
    let waited = at("smp: Brought up 1 node, 2 CPUs")? - at("smp: Bringing up secondary CPUs ...")?;
    ensure!(Duration::from_micros(waited) < 2 * WAKE_TIMEOUT, "{waited} µs");
    Ok(())
}

/// As many as eight bits can name: the boot goes on with those that there is room for, and says how many there are.
fn crowd() -> Result<()> {
    let ids: Vec<u8> = (0..u8::MAX).collect();
    let machine = machine(4).append("kdb nr_cpus=4");
    let log = with_tables(&machine, &apics(&ids), |machine| {
        let mut session = Session::on(machine)?;
        online(&mut session, &[0, 1, 2, 3])?;
        Ok(session.guest.log())
    })?;
    log.require(&[
        "smpboot: 255 Processors exceeds NR_CPUS limit of 4",
        "smpboot: Allowing 4 CPUs, 0 hotplug CPUs",
    ])
}

/// Time goes on: CPUs count ticks while the monitor waits for a line.
fn ticks(session: &mut Session) -> Result<()> {
    let mut jiffies = || -> Result<u64> {
        let text = session.obey("timer_list")?;
        let count = text.lines().find_map(|line| line.strip_prefix("jiffies: "));
        count.context("no jiffies")?.trim().parse().context("jiffies")
    };
    let before = jiffies()?;
    let later = (0..1000).try_fold(false, |later, _| Ok::<_, anyhow::Error>(later || jiffies()? > before))?;
    ensure!(later, "no tick came");
    Ok(())
}

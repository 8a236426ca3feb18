//! Devices' interrupts arrive by each of the ways that a machine has, none is lost, and the log says which way it is.

use anyhow::Result;
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

/// What the command line says, what the log must say then, and what it must not.
struct Way {
    name: &'static str,
    words: &'static str,
    says: &'static [&'static str],
    says_not: &'static [&'static str],
}

const BY_IO_APIC: &str = "IOAPIC[0]: apic_id 0, version 32, address 0xfec00000, GSI 0-23";
const TIMER: &str = "..TIMER: vector=0x30 apic1=0 pin1=2 apic2=-1 pin2=-1";

const WAYS: &[Way] = &[
    Way {
        name: "an_io_apic_of_acpi",
        words: "",
        says: &[BY_IO_APIC, TIMER],
        says_not: &["Skipping IOAPIC probe", "MPTABLE"],
    },
    Way {
        name: "an_io_apic_of_the_mp_table",
        words: "acpi=off",
        says: &["Intel MultiProcessor Specification v1.4", BY_IO_APIC, TIMER],
        says_not: &["ERROR: Unable to locate IOAPIC"],
    },
    Way {
        name: "the_8259_with_a_local_apic",
        words: "noapic",
        says: &["Skipping IOAPIC probe due to 'noapic' option."],
        says_not: &["..TIMER", "IOAPIC[0]"],
    },
    Way {
        name: "the_8259_alone",
        words: "nolapic",
        says: &["APIC: disable apic facility"],
        says_not: &["..TIMER", "IOAPIC[0]"],
    },
];

/// The test in the kernel that rings the serial port and counts.
const TEST: &str = "each_interrupt_of_a_device_is_handled_once";

/// The test in the kernel that lets the port hold its line.
const STORM: &str = "a_level_that_nobody_serves_is_shut_off_unless_another_lines_handler_is_asked";
const NOBODY_CARED: &str = "irq 4: nobody cared (try booting with the \"irqpoll\" option)";

pub fn trials() -> Vec<Trial> {
    let image = Build::ours().vmlinux();
    let trials = WAYS.iter().map(|way| {
        let machine = Machine::new(&image)
            .processors(2)
            .append("ignore_loglevel kunit.enable=1 kunit_shutdown=reboot")
            .append(&format!("kunit.filter_glob=*{TEST} {}", way.words));
        trial(format!("interrupts::arrive_by_{}", way.name), move || arrive(&machine, way))
    });
    let mut trials: Vec<_> = trials.collect();
    trials.extend([
        trial("interrupts::a_storm_of_a_real_line_is_shut_off_and_named", || {
            let log = storm("")?;
            log.require(&[NOBODY_CARED, "Disabling IRQ #4"])
        }),
        trial("interrupts::irqpoll_finds_who_serves_a_misrouted_line", || {
            let log = storm("irqpoll")?;
            log.require(&["Misrouted IRQ fixup and polling support enabled"])?;
            log.refuse(NOBODY_CARED)
        }),
        trial("interrupts::none_of_a_hundred_thousand_is_lost", || {
            let log = alone(TEST).append("irq_test.rings=100000").run()?;
            log.require_mention(&format!("ok 1 {TEST}"))
        }),
    ]);
    trials
}

/// A machine that runs one of the tests in the kernel.
fn alone(test: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux())
        .processors(2)
        .append("ignore_loglevel kunit.enable=1 kunit_shutdown=reboot")
        .append(&format!("kunit.filter_glob=*{test}"))
}

/// Lets the serial port hold its line, by level, whose handler does not serve it.
fn storm(words: &str) -> Result<Log> {
    let log = alone(STORM).append(words).run()?;
    log.require_mention(&format!("ok 1 {STORM}"))?;
    Ok(log)
}

fn arrive(machine: &Machine, way: &Way) -> Result<()> {
    let log = machine.run()?;
    log.require(way.says)?;
    way.says_not.iter().try_for_each(|text| log.refuse(text))?;
    log.require_mention(&format!("ok 1 {TEST}"))
}

//! ACPI tables: sound ones of QEMU's own, and others that the command line leads to.

use anyhow::{Result, ensure};
use incipit_lib::acpi::build::{self, Firmware};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use super::boots;

/// Where the tables of a test are put: RAM that nobody has taken by then.
const BASE: u64 = 64 << 20;

/// What comes before each line of a table.
const FOUND: &str = "ACPI: RSDP 0x0000000004000000 ";

pub fn trials() -> Vec<Trial> {
    let mut trials = lies();
    trials.extend(options());
    trials
}

/// Boots with `firmware` in memory, which the command line names.
fn boots_with(firmware: &Firmware, words: &str) -> Result<Log> {
    let folder = Folder::new()?;
    let file = folder.path().join("tables");
    std::fs::write(&file, firmware.bytes())?;
    let machine = Machine::new(&Build::ours().vmlinux()).loaded(&file, firmware.base());
    boots(machine.append(&format!("acpi_rsdp={:#x}", firmware.base())).append(words))
}

/// Boots with the tables that `entries` makes, named by an RSDT, and fails unless the log has `line`.
fn lie(name: &str, line: &'static str, entries: fn(&mut Firmware) -> Vec<u64>) -> Trial {
    trial(format!("firmware::acpi_{name}"), move || {
        let mut firmware = Firmware::new(BASE);
        let entries = entries(&mut firmware);
        let rsdt = firmware.rsdt(&entries);
        firmware.rsdp(rsdt);
        let log = boots_with(&firmware, "")?;
        log.require_mention(FOUND)?;
        ensure!(
            log.lines().filter(|found| *found == line).count() == 1,
            "`{line}` is not there once; the log ends:\n{}",
            log.tail()
        );
        Ok(())
    })
}

fn lies() -> Vec<Trial> {
    vec![
        trial("firmware::acpi_a_wrong_checksum_is_named_and_the_table_used", || {
            let mut firmware = Firmware::new(BASE);
            let two = [build::local_apic(0, 0, 1), build::local_apic(1, 1, 1)].concat();
            let sound = build::table(b"APIC", &build::madt(&two));
            let madt = firmware.push(&sound);
            let (right, wrong) = (sound[9], sound[9].wrapping_add(1));
            firmware.patch(madt + 9, &[wrong]);
            let rsdt = firmware.rsdt(&[madt]);
            firmware.rsdp(rsdt);
            boots_with(&firmware, "")?.require(&[
                &format!("ACPI: Incorrect checksum in table [APIC] - {wrong:#04X}, should be {right:#04X}"),
                "smpboot: Allowing 2 CPUs, 0 hotplug CPUs",
            ])
        }),
        lie(
            "a_length_of_0_is_named",
            "ACPI: table [HPET] at 0x0000000004000040 has an invalid length 0x0: ignored",
            |firmware| {
                let table = firmware.table(b"HPET", &[0; 20]);
                firmware.patch(table + 4, &[0; 4]);
                vec![table]
            },
        ),
        lie(
            "a_length_of_4_gib_is_named",
            "ACPI: table [HPET] at 0x0000000004000040 has an invalid length 0xffffffff: ignored",
            |firmware| {
                let table = firmware.table(b"HPET", &[0; 20]);
                firmware.patch(table + 4, &[0xff; 4]);
                vec![table]
            },
        ),
        lie(
            "a_root_table_that_names_itself_is_no_circle",
            "ACPI: table at 0x0000000004000040 is named twice",
            |firmware| vec![firmware.next()],
        ),
        lie("an_empty_entry_is_named", "ACPI: entry 1 of the root table is empty", |firmware| {
            vec![firmware.table(b"HPET", &[0; 20]), 0]
        }),
        lie(
            "a_table_in_the_kernel_s_own_memory_is_refused",
            "ACPI: table at 0x0000000000100000 with 0x24 bytes is out of reach: ignored",
            |_| vec![1 << 20],
        ),
        lie(
            "a_table_where_there_is_nothing_is_refused",
            "ACPI: no table at 0x00000000f0000000, but [00 00 00 00]: ignored",
            |_| vec![0xf000_0000],
        ),
        lie(
            "an_entry_of_length_0_ends_the_madt",
            "ACPI: MADT: entry at 0x34 (type 0x1) has an impossible length of 0: the rest is ignored",
            |firmware| {
                let entries = [&build::local_apic(0, 0, 1)[..], &[1, 0, 0, 0, 0, 0]].concat();
                vec![firmware.table(b"APIC", &build::madt(&entries))]
            },
        ),
        lie(
            "more_tables_than_fit_are_counted",
            "ACPI: there are 41 tables more than the 64 that can be kept",
            |firmware| (0..104).map(|_| firmware.table(b"SSDT", &[])).collect(),
        ),
        lie(
            "a_hundred_processors_are_too_many",
            "smpboot: 100 Processors exceeds NR_CPUS limit of 64",
            |firmware| {
                let entries: Vec<u8> = (0..100).flat_map(|id| build::local_apic(id, id, 1)).collect();
                vec![firmware.table(b"APIC", &build::madt(&entries))]
            },
        ),
        trial("firmware::acpi_a_damaged_root_pointer_is_named_and_the_bios_s_used", || {
            let mut firmware = Firmware::new(BASE);
            firmware.rsdp(0);
            firmware.flip(BASE + 10);
            let log = boots_with(&firmware, "")?;
            log.require_mention("ACPI: RSDP at 0x4000000 (from acpi_rsdp=): bytes add up to 0x")?;
            log.require_mention("ACPI: Using ACPI (MADT) for SMP configuration information")
        }),
        trial("firmware::acpi_of_revision_0_the_64_bit_address_is_not_looked_at", || {
            let mut firmware = Firmware::new(BASE);
            let table = firmware.table(b"HPET", &[0; 20]);
            let rsdt = firmware.rsdt(&[table]);
            firmware.rsdp(rsdt);
            firmware.patch(BASE + 20, &[0xee; 16]);
            let log = boots_with(&firmware, "")?;
            log.require_mention("ACPI: RSDP 0x0000000004000000 000014 (v00 INCPIT)")?;
            log.require_mention("ACPI: HPET 0x0000000004000040 000038 (v03 INCPIT CORPUS   00000001 TEST 00000001)")
        }),
        trial("firmware::acpi_a_bad_xsdt_leaves_the_rsdt", || {
            let mut firmware = Firmware::new(BASE);
            let table = firmware.table(b"HPET", &[0; 20]);
            let rsdt = firmware.rsdt(&[table]);
            firmware.rsdp_2(rsdt, table);
            let log = boots_with(&firmware, "")?;
            log.require_mention("ACPI: table at 0x0000000004000040 is [HPET] instead of [XSDT]: ignored")?;
            log.require_mention("ACPI: HPET 0x0000000004000040")
        }),
        trial("firmware::acpi_without_a_root_table_the_boot_goes_on", || {
            let mut firmware = Firmware::new(BASE);
            firmware.rsdp(0);
            let log = boots_with(&firmware, "")?;
            log.require(&[
                "ACPI: the root pointer leads to no root table",
                "smpboot: Allowing 1 CPUs, 0 hotplug CPUs",
            ])
        }),
    ]
}

fn options() -> Vec<Trial> {
    let four = || Machine::new(&Build::ours().vmlinux()).processors(4);
    vec![
        trial("firmware::acpi_the_processors_are_counted", move || {
            boots(four())?.require(&[
                "ACPI: INT_SRC_OVR (bus 0 bus_irq 0 global_irq 2 dfl dfl)",
                "ACPI: Using ACPI (MADT) for SMP configuration information",
                "smpboot: Allowing 4 CPUs, 0 hotplug CPUs",
            ])
        }),
        trial("firmware::acpi_off_does_not_look", move || {
            let log = boots(four().append("acpi=off"))?;
            ensure!(!log.lines().any(|line| line.starts_with("ACPI: ")), "{}", log.tail());
            Ok(())
        }),
        trial("firmware::acpi_noirq_leaves_the_interrupts_alone", move || {
            let log = boots(four().append("acpi=noirq"))?;
            log.refuse("INT_SRC_OVR")?;
            log.require(&["smpboot: Allowing 4 CPUs, 0 hotplug CPUs"])
        }),
        trial("firmware::acpi_room_is_made_for_as_many_processors_as_asked", move || {
            boots(four().append("nr_cpus=2"))?.require(&[
                "smpboot: 4 Processors exceeds NR_CPUS limit of 2",
                "smpboot: Allowing 2 CPUs, 0 hotplug CPUs",
            ])?;
            boots(four().append("possible_cpus=6"))?.require(&["smpboot: Allowing 6 CPUs, 2 hotplug CPUs"])?;
            boots(four().append("nosmp"))?.require(&["smpboot: Allowing 1 CPUs, 0 hotplug CPUs"])
        }),
        trial("firmware::acpi_tables_in_ram_are_not_given_to_a_crash_kernel", || {
            let mut firmware = Firmware::new(BASE);
            let madt = firmware.push(&build::table(b"APIC", &build::madt(&build::local_apic(0, 0, 1))));
            let rsdt = firmware.rsdt(&[madt]);
            firmware.rsdp(rsdt);
            let log = boots_with(&firmware, "crashkernel=16M@64M")?;
            log.require(&["crashkernel reservation failed - memory is in use."])
        }),
        trial("firmware::acpi_words_that_mean_nothing_are_named", move || {
            let log = boots(four().append("acpi=maybe acpi_rsdp=here nr_cpus=many"))?;
            log.require(&[
                "Malformed early option 'acpi'",
                "Malformed early option 'acpi_rsdp'",
                "Malformed early option 'nr_cpus'",
            ])
        }),
        trial("firmware::acpi_the_monitor_shows_a_table", move || {
            let mut session = Session::on(&four().append("kdb"))?;
            let text = session.obey("acpi")?;
            ensure!(text.contains("RSDP 0x") && text.contains("APIC 0x"), "{text}");
            let text = session.obey("acpi APIC")?;
            ensure!(text.contains("LAPIC (acpi_id[0x03] lapic_id[0x03] enabled)"), "{text}");
            ensure!(text.contains("00000: 41 50 49 43 "), "{text}");
            let text = session.obey("acpi NONE")?;
            ensure!(text.contains("there is no table NONE"), "{text}");
            Ok(())
        }),
    ]
}

//! A BIOS whose ROM has been changed: the test writes to it where the kernel takes over, before the kernel reads it.

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::debugger::Debugger;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use super::came_to_its_end;
use crate::takeover::at_pvh_entry;

/// The ROM's addresses.
const ROM: u64 = 0xf_0000;
const ROM_SIZE: usize = 64 << 10;
/// What the debugger reads at a time.
const PIECE: usize = 1 << 10;

/// The ROM, in which things can be found and changed.
struct Rom {
    bytes: Vec<u8>,
}

impl Rom {
    fn read(debugger: &mut Debugger) -> Result<Self> {
        let mut bytes = Vec::with_capacity(ROM_SIZE);
        while bytes.len() < ROM_SIZE {
            bytes.extend(debugger.read(ROM + bytes.len() as u64, PIECE)?);
        }
        Ok(Self { bytes })
    }

    /// The offset of what begins with `anchor`, at a multiple of 16.
    fn find(&self, anchor: &[u8]) -> Result<usize> {
        (0..ROM_SIZE)
            .step_by(16)
            .find(|&offset| self.bytes[offset..].starts_with(anchor))
            .with_context(|| format!("no {} in the ROM", String::from_utf8_lossy(anchor)))
    }

    /// The offset that the 32-bit address at `offset` leads to.
    fn follow(&self, offset: usize) -> usize {
        let address = self.bytes[offset..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        (u64::from(address) - ROM) as usize
    }

    /// Makes the `length` bytes at `offset` add up to 0 by the one at `checksum`.
    fn correct(&mut self, offset: usize, length: usize, checksum: usize) {
        self.bytes[checksum] = 0;
        let sum = self.bytes[offset..offset + length]
            .iter()
            .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
        self.bytes[checksum] = sum.wrapping_neg();
    }
}

/// Boots with a ROM that `change` has changed.
fn boots_with(words: &str, change: impl FnOnce(&mut Rom) -> Result<()>) -> Result<Log> {
    let machine = Machine::new(&Build::ours().vmlinux())
        .append("initcall_debug ignore_loglevel")
        .append(words);
    let guest = at_pvh_entry(machine, |debugger, _| {
        let mut rom = Rom::read(debugger)?;
        let before = rom.bytes.clone();
        change(&mut rom)?;
        for (index, (new, old)) in rom.bytes.chunks(PIECE).zip(before.chunks(PIECE)).enumerate() {
            if new != old {
                debugger.write(ROM + (index * PIECE) as u64, new)?;
            }
        }
        debugger.detach()
    })?;
    let log = guest.wait_for_end()?;
    came_to_its_end(&log)?;
    Ok(log)
}

/// A boot without ACPI whose log must have these lines; `change` gets the ROM, and the offsets of the floating pointer and of the table in it.
fn mptable(name: &str, lines: &'static [&'static str], change: fn(&mut Rom, usize, usize)) -> Trial {
    trial(format!("firmware::mptable_{name}"), move || {
        let log = boots_with("acpi=off", |rom| {
            let pointer = rom.find(b"_MP_")?;
            let table = rom.follow(pointer + 4);
            change(rom, pointer, table);
            Ok(())
        })?;
        log.require(lines)
    })
}

const DISABLED: &str = "... disabling SMP support. (tell your hw vendor)";
const ONE: &str = "smpboot: Allowing 1 CPUs, 0 hotplug CPUs";

pub fn trials() -> Vec<Trial> {
    let mut trials = mptables();
    trials.extend(others());
    trials
}

fn mptables() -> Vec<Trial> {
    vec![
        trial("firmware::mptable_has_the_processors_without_acpi", || {
            let machine = Machine::new(&Build::ours().vmlinux()).option("-smp", "3,sockets=3");
            let log = super::boots(machine.append("acpi=off"))?;
            log.require(&[
                "Intel MultiProcessor Specification v1.4",
                "MPTABLE: OEM ID: BOCHSCPU",
                "MPTABLE: APIC at: 0xFEE00000",
                "Processor #0 (Bootup-CPU)",
                "Processor #2",
                "Processors: 3",
                "smpboot: Allowing 3 CPUs, 0 hotplug CPUs",
            ])
        }),
        trial("firmware::mptable_is_not_looked_for_with_acpi", || {
            let text = Session::new("")?.obey("mptable")?;
            ensure!(text.contains("no MP table was looked for"), "{text}");
            let text = Session::new("acpi=off")?.obey("mptable")?;
            ensure!(text.contains("Processor #0 (Bootup-CPU)") && text.contains("Bus #"), "{text}");
            Ok(())
        }),
        mptable(
            "with_a_wrong_checksum_is_refused",
            &["MPTABLE: checksum error!", DISABLED, ONE],
            |rom, _, table| {
                rom.bytes[table + 60] ^= 1;
            },
        ),
        mptable(
            "that_is_cut_short_loses_what_is_cut",
            &["MPTABLE: entry at 0x14 (type 1) is cut short", ONE],
            |rom, _, table| {
                let length = 44 + 20 + 3;
                rom.bytes[table + 4..table + 6].copy_from_slice(&(length as u16).to_le_bytes());
                rom.correct(table, length, table + 7);
            },
        ),
        mptable(
            "with_a_length_of_0_is_refused",
            &["MPTABLE: length of 0 bytes is impossible!", DISABLED],
            |rom, _, table| {
                rom.bytes[table + 4..table + 6].fill(0);
            },
        ),
        mptable(
            "with_an_unknown_entry_ends_there",
            &[
                "MPTABLE: entry at 0x0 has the unknown type 0xee: the rest is ignored",
                "MPTABLE: no processors registered!",
                ONE,
            ],
            |rom, _, table| {
                let length = usize::from(u16::from_le_bytes([rom.bytes[table + 4], rom.bytes[table + 5]]));
                rom.bytes[table + 44] = 0xee;
                rom.correct(table, length, table + 7);
            },
        ),
        mptable(
            "that_is_elsewhere_is_not_taken",
            &["MPTABLE: bad signature [ff ff ff ff]!", DISABLED],
            |rom, _, table| {
                rom.bytes[table..table + 4].fill(0xff);
            },
        ),
        mptable(
            "out_of_reach_is_named",
            &["MPTABLE: out of reach", DISABLED, ONE],
            |rom, pointer, _| {
                // The kernel's own image.
                rom.bytes[pointer + 4..pointer + 8].copy_from_slice(&0x10_0000_u32.to_le_bytes());
                rom.correct(pointer, 16, pointer + 10);
            },
        ),
        mptable(
            "of_a_default_configuration_has_two_processors",
            &["Default MP configuration #5", "smpboot: Allowing 2 CPUs, 0 hotplug CPUs"],
            |rom, pointer, _| {
                rom.bytes[pointer + 4..pointer + 8].fill(0);
                rom.bytes[pointer + 11] = 5;
                rom.correct(pointer, 16, pointer + 10);
            },
        ),
        trial("firmware::mptable_with_a_damaged_pointer_is_not_found", || {
            let log = boots_with("acpi=off", |rom| {
                let pointer = rom.find(b"_MP_")?;
                rom.bytes[pointer + 12] ^= 0x11;
                Ok(())
            })?;
            log.require_mention("MPTABLE: floating pointer at 0xf")?;
            log.refuse("found SMP MP-table")?;
            log.require(&[ONE])
        }),
    ]
}

fn others() -> Vec<Trial> {
    vec![
        trial("firmware::bios_with_a_damaged_root_pointer_leaves_the_mp_table", || {
            let log = boots_with("", |rom| {
                let rsdp = rom.find(b"RSD PTR ")?;
                rom.bytes[rsdp + 12] ^= 1;
                Ok(())
            })?;
            log.require_mention("(from the boot loader): bytes add up to 0x")?;
            log.require(&["ACPI: no valid RSDP was found", "MPTABLE: OEM ID: BOCHSCPU", ONE])
        }),
        trial("firmware::bios_with_a_damaged_smbios_entry_point_is_named", || {
            let log = boots_with("", |rom| {
                let entry = rom.find(b"_SM_")?;
                rom.bytes[entry + 8] ^= 1;
                Ok(())
            })?;
            log.require_mention("DMI: entry point at 0xf")?;
            log.refuse("SMBIOS 2.8 present.")
        }),
        trial("firmware::bios_with_a_structure_of_length_0_is_named", || {
            let log = boots_with("", |rom| {
                let table = rom.follow(rom.find(b"_SM_")? + 24);
                rom.bytes[table + 1] = 0;
                Ok(())
            })?;
            log.require(&[
                "SMBIOS 2.8 present.",
                "[Firmware Bug]: Corrupted DMI table, offset 0 (only 0 entries processed)",
            ])
        }),
        trial("firmware::bios_with_smbios_strings_without_an_end_comes_up", || {
            let log = boots_with("", |rom| {
                let entry = rom.find(b"_SM_")?;
                let table = rom.follow(entry + 24);
                let length = usize::from(u16::from_le_bytes([rom.bytes[entry + 22], rom.bytes[entry + 23]]));
                let fields = usize::from(rom.bytes[table + 1]);
                rom.bytes[table + fields..table + length].fill(0x9b);
                Ok(())
            })?;
            log.require(&["SMBIOS 2.8 present."])?;
            log.require_mention("DMI:  , BIOS  ")
        }),
        trial("firmware::bios_with_an_smbios_table_in_the_kernel_is_refused", || {
            let log = boots_with("", |rom| {
                let entry = rom.find(b"_SM_")?;
                rom.bytes[entry + 24..entry + 28].copy_from_slice(&0x10_0000_u32.to_le_bytes());
                rom.correct(entry + 16, 15, entry + 21);
                rom.correct(entry, 31, entry + 4);
                Ok(())
            })?;
            log.require_mention("DMI: table at 0x100000 with 0x")
        }),
    ]
}

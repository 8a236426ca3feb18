//! The first MiB: adapters' ROMs, and memory that a BIOS writes to although it has given it away.

use anyhow::{Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::{PROMPT, Session};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use super::boots;
use crate::takeover::at_pvh_entry;

/// Where an adapter's ROM can be: behind QEMU's own, before the BIOS.
const ADAPTER: u64 = 0xd_8000;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("firmware::roms_are_entered_where_they_are", || {
            let text = Session::new("")?.obey("iomem")?;
            for line in ["000c0000-", " : Video ROM", "000f0000-000fffff : System ROM"] {
                ensure!(text.contains(line), "no {line} in:\n{text}");
            }
            Ok(())
        }),
        trial("firmware::roms_of_adapters_need_a_checksum", || {
            let entry = "000d8000-000d83ff : Adapter ROM";
            ensure!(iomem_with(0)?.contains(entry), "no {entry}");
            ensure!(!iomem_with(1)?.contains(entry), "a damaged ROM is entered");
            Ok(())
        }),
        trial("firmware::low_memory_is_watched_if_asked", || {
            let log = boots(machine().append("memory_corruption_check=1"))?;
            log.require(&["Scanning 1 areas for low memory corruption"])?;
            log.refuse("Corrupted low memory")?;
            let log = boots(machine().append("memory_corruption_check=yes memory_corruption_check_size=1G"))?;
            log.require(&[
                "Malformed early option 'memory_corruption_check'",
                "Malformed early option 'memory_corruption_check_size'",
            ])?;
            log.refuse("low memory corruption")
        }),
        trial("firmware::low_memory_that_was_written_is_reported", || {
            // The in-kernel test writes to it, and looks.
            let test = "kunit.enable=1 kunit.filter_glob=*a_word_that_was_written*";
            let log = machine().append("memory_corruption_check=1").append(test).run()?;
            let reports = log.lines().filter(|line| line.starts_with("Corrupted low memory at 0x"));
            ensure!(
                reports.count() == 2,
                "one of its own words, and one of those that are watched:\n{}",
                log.tail()
            );
            log.require_mention(" = 0000000000000001")?;
            log.refuse("not ok")
        }),
    ]
}

fn machine() -> Machine {
    Machine::new(&Build::ours().vmlinux())
}

/// What the monitor shows of memory with an adapter's ROM whose bytes add up to `sum`.
fn iomem_with(sum: u8) -> Result<String> {
    let mut rom = vec![0; 1024];
    rom[..3].copy_from_slice(&[0x55, 0xaa, 2]);
    // 0x55, 0xaa and 2 are 0x101.
    rom[5] = sum.wrapping_sub(1);
    let mut guest = at_pvh_entry(machine().append("kdb"), |debugger, _| {
        debugger.write(ADAPTER, &rom)?;
        debugger.detach()
    })?;
    guest.wait_for(PROMPT)?;
    Session { guest }.obey("iomem")
}

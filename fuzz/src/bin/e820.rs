//! Memory maps: what sanitising must keep, whatever the firmware says, and changes to the result.

#![no_main]

use incipit_lib::bootparam::{BootParams, ScreenInfo};
use incipit_lib::e820::{E820Entry, E820Table, E820Type, UserRange};
use libfuzzer_sys::fuzz_target;

/// The highest type of the entries that cover `at`; `None` if that is none or type 0.
fn kind_at(entries: &[E820Entry], at: u64) -> Option<E820Type> {
    entries
        .iter()
        .filter(|entry| entry.addr <= at && at - entry.addr < entry.size)
        .map(|entry| entry.kind)
        .max()
        .filter(|kind| *kind != E820Type(0))
}

/// Entries made of small pieces, so that many of them meet.
fn entries(data: &[u8]) -> Vec<E820Entry> {
    data.chunks_exact(4)
        .map(|bytes| {
            let shift = u32::from(bytes[3] & 0x3f);
            E820Entry {
                addr: u64::from(bytes[0]) << shift,
                size: u64::from(bytes[1]) << shift,
                kind: E820Type(u32::from(bytes[2] & 0xf)),
            }
        })
        .collect()
}

fn check_sorted(table: &E820Table) {
    let entries = table.entries();
    assert!(entries.iter().all(|entry| entry.size != 0 || entries.len() < 2));
    for pair in entries.windows(2) {
        assert!(pair[0].end().is_some_and(|end| end <= pair[1].addr));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((head, rest)) = data.split_at_checked(4) else {
        return;
    };
    let input = entries(rest);
    let mut params = BootParams::zeroed();
    let taken = params.set_e820_table(&input);
    params.set_alt_mem_k(u32::from(head[0]) << 8);
    params.set_screen_info(ScreenInfo {
        ext_mem_k: u16::from(head[1]),
        ..Default::default()
    });

    let mut table = Box::new(E820Table::new());
    let setup = table.memory_setup(&params);
    check_sorted(&table);
    let sound: Vec<_> = input[..taken].iter().copied().filter(|entry| entry.end().is_some()).collect();
    assert_eq!(setup.ignored, taken - sound.len());
    if sound.len() >= 2 && table.entries().len() < E820Table::CAPACITY {
        for entry in &sound {
            for at in [entry.addr.wrapping_sub(1), entry.addr, entry.addr + entry.size] {
                assert_eq!(kind_at(table.entries(), at), kind_at(&sound, at), "{at:#x}");
            }
        }
    }

    let before = table.entries().to_vec();
    let (start, size) = (u64::from(head[2]) << 8, u64::from(head[3]) << 8);
    if table.update(start, size, E820Type::RAM, E820Type::RESERVED).is_ok() && before.len() >= 2 {
        for entry in &before {
            let changed = entry.kind == E820Type::RAM && start <= entry.addr && entry.addr - start < size;
            let expected = if changed { E820Type::RESERVED } else { entry.kind };
            assert_eq!(kind_at(table.entries(), entry.addr), Some(expected));
        }
    }
    for range in UserRange::parse_memmap(rest).flatten() {
        let _ = table.apply(range);
    }
    let _ = table.remove(start, size, None);
    assert!(size == 0 || !table.mapped_any(start, start + size, None));
    if table.sanitize().is_ok() {
        check_sorted(&table);
    }
    let max_pfn = table.end_of_ram_pfn(1 << 34);
    assert!(table.end_of_low_ram_pfn() <= max_pfn);
    let gap = table.pci_gap(max_pfn);
    assert!(!gap.found || gap.start + gap.size <= 1 << 32);
    let lines = table.lines("BIOS-e820").map(|line| line.to_string());
    assert!(lines.into_iter().all(|line| line.starts_with("BIOS-e820: [mem 0x")));
});

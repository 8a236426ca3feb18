//! Tests of the mapping that the kernel runs with.

use super::super::pgtable::{Entry, Table, current_pgd, lookup};
use super::*;
use crate::mm::START_KERNEL_MAP;

/// Flags of the page that maps `address`, its level, and where it leads.
fn mapped(address: usize) -> Option<(Flags, Level, u64)> {
    let (entry, level) = lookup(address)?;
    let flags = entry.flags() & (Flags::RW | Flags::NX | Flags::USER);
    let offset = (address & (level.size() - 1) & !(PAGE_SIZE - 1)) as u64;
    entry
        .is_present()
        .then(|| (flags, level, (entry.phys() & !(level.size() as u64 - 1)) + offset))
}

#[ktest]
fn each_section_has_its_permissions_and_leads_where_it_was_loaded() {
    let nothing = Flags::empty();
    let cases = [
        (sections::text(), nothing),
        (sections::rodata(), Flags::NX),
        (sections::init_text(), nothing),
        (sections::init_rodata(), Flags::NX),
        (sections::percpu(), Flags::RW | Flags::NX),
        (sections::data(), Flags::RW | Flags::NX),
        (sections::boot_stack(), Flags::RW | Flags::NX),
        (sections::kallsyms(), Flags::NX),
    ];
    for (section, flags) in cases {
        for address in [section.start_address(), section.end_address() - 1] {
            let page = address & !(PAGE_SIZE - 1);
            assert_eq!(
                mapped(page),
                Some((flags, Level::Pte, (page - START_KERNEL_MAP) as u64)),
                "{page:#x}"
            );
        }
    }
}

#[ktest]
fn no_page_of_the_image_is_both_writable_and_executable() {
    let image = sections::image();
    for page in (image.start_address()..image.end_address()).step_by(PAGE_SIZE) {
        if let Some((flags, ..)) = mapped(page) {
            assert!(!flags.contains(Flags::RW) || flags.contains(Flags::NX), "{page:#x}");
            assert!(!flags.contains(Flags::USER), "{page:#x}");
        }
    }
}

#[ktest]
fn nothing_is_mapped_in_the_lower_half_nor_below_the_boot_stack() {
    for address in [0, 0x10_0000, 0x7fff_ffff_f000, sections::boot_stack().start_address() - PAGE_SIZE] {
        assert_eq!(mapped(address), None, "{address:#x}");
    }
}

#[ktest]
fn all_memory_is_in_the_direct_map_writable_and_not_executable() {
    let check = |phys: u64| {
        let (flags, _, to) = mapped(PAGE_OFFSET + phys as usize).unwrap_or((Flags::empty(), Level::Pgd, 0));
        assert_eq!((flags, to), (Flags::RW | Flags::NX, phys));
    };
    [0, 0xb_8000, ISA_END - PAGE_SIZE as u64].into_iter().for_each(check);
    let page = PAGE_SIZE as u64;
    for region in memblock::memory() {
        check(region.base.next_multiple_of(page));
        check(region.end() / page * page - page);
    }
}

#[ktest]
fn no_page_of_the_direct_map_could_be_executed_even_if_its_entry_said_so() {
    // SAFETY: this CPU uses the table.
    let top = unsafe { Table::at(current_pgd()) };
    let direct_map = Level::Pgd.index(PAGE_OFFSET)..Level::Pgd.index(PAGE_OFFSET + DIRECT_MAP_SIZE as usize);
    let mut present = direct_map.map(|index| top.get(index)).filter(|entry| entry.is_present()).peekable();
    assert!(present.peek().is_some());
    assert!(present.all(|entry| !entry.is_executable()));
}

#[ktest]
fn an_address_that_is_not_canonical_has_no_entry() {
    assert_eq!(lookup(0x8000_0000_0000_0000), None::<(Entry, Level)>);
    assert!(lookup(PAGE_OFFSET - 1).is_some_and(|(entry, _)| !entry.is_present()));
}

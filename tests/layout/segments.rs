//! Program headers and sections: what may be written, what may be executed, and what must not be there at all.

use std::collections::BTreeSet;

use incipit_linker::layout::{KERNEL_MAP, PAGE, PHYSICAL_START, TEXT_RANGES};
use incipit_tests::elf::{EXECUTE, Segment, WRITE};

use crate::image::IMAGE;

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PT_GNU_STACK: u32 = 0x6474_e551;

fn loaded() -> impl Iterator<Item = &'static Segment> {
    IMAGE.elf.segments.iter().filter(|segment| segment.is_loaded())
}

#[test]
fn nothing_is_both_writable_and_executable() {
    for segment in &IMAGE.elf.segments {
        assert_ne!(segment.flags & (WRITE | EXECUTE), WRITE | EXECUTE, "{segment:x?}");
    }
}

#[test]
fn every_section_in_memory_is_in_one_segment_and_only_code_can_be_executed() {
    for section in IMAGE.elf.sections.iter().filter(|section| section.is_loaded() && section.size > 0) {
        let holders: Vec<_> = loaded()
            .filter(|segment| segment.range().start <= section.address && section.range().end <= segment.range().end)
            .collect();
        assert_eq!(holders.len(), 1, "{}", section.name);
        // What a section says of writing is the compiler's business: constants with addresses in them come as writable, for a dynamic linker that we have
        // not. The segment decides, and is checked below for each kind of memory.
        let (needs, allows) = (section.needs() & !WRITE, holders[0].flags);
        assert_eq!(needs & allows, needs, "{} needs {needs} and has {allows}", section.name);
        assert_eq!(allows & EXECUTE, needs & EXECUTE, "{} could be executed", section.name);
    }
}

#[test]
fn nothing_is_left_of_the_relocations_that_the_linker_applied() {
    const SHT_RELA: u32 = 4;
    let left = IMAGE
        .elf
        .sections
        .iter()
        .filter(|section| section.kind == SHT_RELA && section.size > 0);
    assert_eq!(left.map(|section| &section.name).collect::<Vec<_>>(), [] as [&String; 0]);
}

#[test]
fn the_permissions_are_those_of_the_kind_of_memory() {
    for (name, flags) in [
        (".head.text", 5),
        (".text", 5),
        (".rodata", 4),
        (".notes", 4),
        (".init.text", 5),
        (".data", 6),
        (".bss", 6),
        (".brk", 6),
        (".kallsyms", 4),
    ] {
        let section = IMAGE.elf.section(name).unwrap_or_else(|| panic!("no section {name}"));
        let segment = loaded()
            .find(|segment| segment.range().contains(&section.address))
            .unwrap_or_else(|| panic!("{name} is not loaded"));
        assert_eq!(segment.flags, flags, "{name}");
    }
}

#[test]
fn segments_with_different_permissions_share_no_page() {
    let mut segments: Vec<_> = loaded().collect();
    segments.sort_by_key(|segment| segment.address);
    for pair in segments.windows(2) {
        let last = (pair[0].range().end - 1) / PAGE;
        assert!(
            last < pair[1].address / PAGE || pair[0].flags == pair[1].flags,
            "{:x?} and {:x?}",
            pair[0],
            pair[1]
        );
        assert!(pair[0].range().end <= pair[1].address, "{:x?} and {:x?} overlap", pair[0], pair[1]);
    }
}

#[test]
fn every_segment_is_loaded_where_the_kernel_s_mapping_expects_it() {
    for segment in loaded() {
        assert_eq!(segment.physical, segment.address - KERNEL_MAP, "{segment:x?}");
        assert_eq!(segment.offset % PAGE, segment.address % PAGE, "{segment:x?}");
        assert!(
            segment.file_size <= segment.memory_size && segment.offset + segment.file_size <= IMAGE.bytes.len() as u64,
            "{segment:x?}"
        );
    }
    assert_eq!(loaded().map(|segment| segment.physical).min(), Some(PHYSICAL_START));
}

#[test]
fn there_is_nothing_for_a_dynamic_linker_to_do() {
    let kinds: BTreeSet<_> = IMAGE.elf.segments.iter().map(|segment| segment.kind).collect();
    assert!(kinds.is_subset(&BTreeSet::from([PT_LOAD, PT_NOTE, PT_GNU_STACK])), "{kinds:x?}");
    for section in IMAGE.elf.sections.iter().filter(|section| section.size > 0) {
        // SHT_RELA, SHT_HASH, SHT_DYNAMIC, SHT_REL, SHT_DYNSYM
        assert!(![4, 5, 6, 9, 11].contains(&section.kind), "{}", section.name);
        let dynamic = [".plt", ".interp", ".dynamic", ".rel", ".eh_frame"]
            .iter()
            .any(|prefix| section.name.starts_with(prefix));
        assert!(!dynamic, "{}", section.name);
    }
    let writable_got = IMAGE
        .elf
        .section(".got")
        .is_some_and(|section| section.size > 0 && section.needs() & WRITE != 0);
    assert!(!writable_got, "a global offset table that can be written");
}

#[test]
fn it_is_an_executable_for_x86_64() {
    assert_eq!((IMAGE.elf.kind, IMAGE.elf.machine), (2, 62));
}

#[test]
fn the_text_tells_its_ranges_apart() {
    let mut last = IMAGE.symbol("_stext");
    for (_, start, end) in TEXT_RANGES {
        let (from, to) = (IMAGE.symbol(start), IMAGE.symbol(end));
        assert!(last <= from && from <= to, "{start}");
        last = to;
    }
    assert!(last < IMAGE.symbol("_etext"));
    let text = IMAGE.elf.section(".text").expect("a section");
    assert_eq!(IMAGE.symbol("_stext")..IMAGE.symbol("_etext"), text.range());
}

#[test]
fn the_edges_of_memory_stand_in_their_order() {
    let edges = [
        "_text",
        "_stext",
        "_etext",
        "__start_rodata",
        "__end_rodata",
        "__init_begin",
        "__init_end",
        "_sdata",
        "_edata",
        "__bss_start",
        "__bss_stop",
        "__brk_base",
        "__brk_limit",
        "_end",
        "__kallsyms_start",
    ];
    let addresses: Vec<_> = edges.iter().map(|name| IMAGE.symbol(name)).collect();
    assert!(addresses.is_sorted(), "{:x?}", edges.iter().zip(&addresses).collect::<Vec<_>>());
    for name in [
        "__start_rodata",
        "__end_rodata",
        "__init_begin",
        "__init_end",
        "__bss_start",
        "__bss_stop",
        "__brk_base",
        "__brk_limit",
        "_end",
    ] {
        assert!(IMAGE.symbol(name).is_multiple_of(PAGE), "{name}");
    }
}

#[test]
fn the_brk_has_the_sizes_that_were_declared_and_takes_nothing_in_the_file() {
    // The first tables of the final mapping and those of the fixmap, a page each.
    let declared = (6 + 8) * PAGE;
    let brk = IMAGE.elf.section(".brk").expect("a section");
    assert_eq!(brk.size, declared);
    assert_eq!(brk.range(), IMAGE.symbol("__brk_base")..IMAGE.symbol("__brk_limit"));
    assert_eq!(IMAGE.symbol("__bss_stop"), brk.range().start);
    assert_eq!(brk.range().end, IMAGE.symbol("_end"));
    let segment = loaded().find(|segment| segment.range().contains(&brk.address)).expect("loaded");
    assert!(segment.address + segment.file_size <= IMAGE.symbol("__bss_start"), "{segment:x?}");
}

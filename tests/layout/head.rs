//! What boot loaders and tools look at first: entry points, notes, and the mark at the end.

use incipit_linker::layout::{KERNEL_MAP, PHYSICAL_START};
use incipit_tests::elf::Note;

use crate::image::IMAGE;

/// `XEN_ELFNOTE_PHYS32_ENTRY`: where PVH enters.
const PHYS32_ENTRY: u32 = 18;
/// `NT_GNU_BUILD_ID`.
const BUILD_ID: u32 = 3;

fn note(name: &str, kind: u32) -> &'static Note {
    let mut notes = IMAGE
        .elf
        .notes
        .iter()
        .filter(|note| note.name.trim_end_matches('\0') == name && note.kind == kind);
    let found = notes.next().unwrap_or_else(|| panic!("no note {name} {kind}"));
    assert!(notes.next().is_none(), "two notes {name} {kind}");
    found
}

#[test]
fn the_32_bit_entry_is_the_first_byte_and_the_64_bit_entry_is_0x200_behind_it() {
    let start = KERNEL_MAP + PHYSICAL_START;
    assert_eq!(IMAGE.symbol("startup_32"), start);
    assert_eq!(IMAGE.symbol("startup_64"), start + 0x200);
    assert_eq!(IMAGE.elf.entry, start + 0x200, "e_entry");
}

#[test]
fn the_pvh_note_points_into_the_head() {
    let description = &note("Xen", PHYS32_ENTRY).description;
    assert!(matches!(description.len(), 4 | 8), "{description:x?}");
    let entry = description.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    let head = IMAGE.elf.section(".head.text").expect("a section");
    assert!(head.range().contains(&(entry + KERNEL_MAP)), "{entry:#x}");
}

#[test]
fn the_build_id_is_a_sha1() {
    let id = &note("GNU", BUILD_ID).description;
    assert_eq!(id.len(), 20);
    assert!(id.iter().any(|&byte| byte != 0));
}

#[test]
fn the_notes_are_between_their_symbols() {
    let section = IMAGE.elf.section(".notes").expect("a section");
    assert_eq!(IMAGE.symbol("__start_notes")..IMAGE.symbol("__stop_notes"), section.range());
}

#[test]
fn the_last_bytes_before_bss_say_that_the_image_is_whole() {
    let mark = IMAGE.symbol("__image_trailer");
    assert_eq!(IMAGE.at(mark..mark + 16), b"Incipit complete");
    let segment = IMAGE
        .elf
        .segments
        .iter()
        .find(|segment| segment.is_loaded() && segment.range().contains(&mark))
        .expect("a segment");
    assert_eq!(segment.address + segment.file_size, mark + 16, "bytes of the file behind the mark");
}

#[test]
fn the_setup_code_of_the_boot_protocol_is_in_the_file_and_not_in_memory() {
    let section = IMAGE.elf.section(".setup16").expect("a section");
    assert!(!section.is_loaded() && section.has_bytes() && section.size > 0);
}

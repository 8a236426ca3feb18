//! Multiboot2 information.

use super::*;
use crate::bootparam::multiboot2::{self, Found, Multiboot2Error};
use proptest::prelude::*;
use std::vec;

const INFO: u64 = 0x9000;
const EXTENSION: u64 = 0x5000;

/// Information of these tags, its last one and its size added.
fn information(tags: &[(u32, Vec<u8>)]) -> Memory {
    let mut bytes = vec![0; 8];
    for (kind, data) in tags {
        bytes.extend(kind.to_le_bytes());
        bytes.extend((8 + data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0xa5);
    }
    bytes.extend([0, 0, 0, 0, 8, 0, 0, 0]);
    let size = bytes.len() as u32;
    bytes[..4].copy_from_slice(&size.to_le_bytes());
    Memory { base: INFO, bytes }
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A memory map tag with entries of `size` bytes.
fn memory_map(size: u32, entries: impl IntoIterator<Item = (u64, u64, u32)>) -> (u32, Vec<u8>) {
    let mut data = words(&[size, 0]);
    for (addr, length, kind) in entries {
        let mut entry = [addr.to_le_bytes(), length.to_le_bytes(), u64::from(kind).to_le_bytes()].concat();
        entry.resize(size as usize, 0xee);
        data.extend(entry);
    }
    (6, data)
}

fn convert<'a>(memory: &'a Memory, params: &mut BootParams) -> Found<'a> {
    multiboot2::to_boot_params(INFO, memory.map(), params, &mut E820Extension::new(), EXTENSION)
}

#[test]
fn what_grub_tells_becomes_a_zero_page() {
    let memory = information(&[
        (1, b"console=ttyS0\0".to_vec()),
        (2, b"GRUB 2.06\0".to_vec()),
        (3, [words(&[0x70_0000, 0x70_1388]), b"initrd\0".to_vec()].concat()),
        (3, words(&[0x71_0000, 0x71_0001])),
        (4, words(&[639, 129_920])),
        memory_map(24, [(0, 0x9_fc00, 1), (0x10_0000, 0x7ee_0000, 1), (0xfffc_0000, 0x4_0000, 20)]),
        (14, b"RSD PTR old".to_vec()),
    ]);
    let mut params = BootParams::zeroed();
    let found = convert(&memory, &mut params);
    assert_eq!(
        found,
        Found {
            loader: Some(b"GRUB 2.06"),
            rsdp: Some(b"RSD PTR old"),
            modules: 1,
            ..Found::default()
        }
    );
    assert!(params.hdr().is_valid());
    assert_eq!(params.loader().name(), Some("GRUB"));
    assert_eq!(params.cmd_line_ptr(), INFO + 16);
    assert_eq!(params.ramdisk(), (0x70_0000, 0x1388));
    assert_eq!(params.alt_mem_k(), 129_920);
    let kinds: Vec<_> = params.e820_table().map(|entry| (entry.addr, entry.kind.0)).collect();
    assert_eq!(kinds, [(0, 1), (0x10_0000, 1), (0xfffc_0000, 2)]);
}

#[test]
fn efi_tables_and_the_newer_root_pointer_are_found() {
    let mut descriptors = vec![0; 2 * 48];
    for (at, kind, start, pages) in [(0, 7_u32, 0x10_0000_u64, 16_u64), (48, 4, 0x11_0000, 16)] {
        descriptors[at..at + 4].copy_from_slice(&kind.to_le_bytes());
        descriptors[at + 8..at + 16].copy_from_slice(&start.to_le_bytes());
        descriptors[at + 24..at + 32].copy_from_slice(&pages.to_le_bytes());
    }
    let memory = information(&[
        (12, 0x1_1eec_b018_u64.to_le_bytes().to_vec()),
        (15, b"RSD PTR new".to_vec()),
        (14, b"RSD PTR old".to_vec()),
        (17, [words(&[48, 1]), descriptors].concat()),
        (18, vec![]),
    ]);
    let mut params = BootParams::zeroed();
    let found = convert(&memory, &mut params);
    assert_eq!(found.rsdp, Some(b"RSD PTR new".as_slice()));
    assert!(found.boot_services);
    let info = params.efi_info();
    assert_eq!(info.loader_signature, EfiInfo::EL64);
    assert_eq!(info.systab_phys(), 0x1_1eec_b018);
    assert_eq!((info.memdesc_size, info.memdesc_version, info.memmap_size), (48, 1, 96));
    // Size and reserved word, three tags of 16, 24 and 24 bytes, header and two words of the fourth.
    assert_eq!(info.memmap_phys(), INFO + 8 + 16 + 24 + 24 + 16);
    let entries: Vec<_> = params.e820_table().collect();
    assert_eq!(entries.len(), 1, "without a map of its own the loader's is the firmware's, joined");
    assert_eq!((entries[0].addr, entries[0].size), (0x10_0000, 0x2_0000));
}

#[test]
fn a_framebuffer_is_a_vesa_or_an_efi_display() {
    let rgb = [
        0x8000_0000_u64.to_le_bytes().to_vec(),
        words(&[5120, 1280, 800]),
        vec![32, 1, 0, 0, 16, 8, 8, 8, 0, 8],
    ]
    .concat();
    let mut params = BootParams::zeroed();
    convert(&information(&[(8, rgb.clone())]), &mut params);
    let screen = params.screen_info();
    assert_eq!(screen.orig_video_is_vga, ScreenInfo::VIDEO_TYPE_VLFB);
    assert_eq!((screen.lfb_width, screen.lfb_height, screen.lfb_depth), (1280, 800, 32));
    assert_eq!(
        (screen.lfb_linelength, screen.lfb_size),
        (5120, 63),
        "5120 * 800 bytes are 62.5 times 64 KiB"
    );
    assert_eq!((screen.red_pos, screen.green_pos, screen.blue_pos, screen.rsvd_pos), (16, 8, 0, 24));
    assert_eq!(screen.framebuffer(), 0x8000_0000);

    convert(&information(&[(8, rgb.clone()), (12, vec![1; 8])]), &mut params);
    let screen = params.screen_info();
    assert_eq!(screen.orig_video_is_vga, ScreenInfo::VIDEO_TYPE_EFI);
    assert_eq!(screen.lfb_size, 5120 * 800);

    let mut high = rgb.clone();
    high[4] = 1;
    convert(&information(&[(8, high)]), &mut params);
    assert_eq!(params.screen_info().framebuffer(), 0x1_8000_0000);

    let mut wide = rgb;
    wide[14] = 1;
    convert(&information(&[(8, wide)]), &mut params);
    assert_eq!(
        params.screen_info(),
        ScreenInfo::default(),
        "65536 pixels more than the page can say"
    );
}

#[test]
fn a_text_screen_is_vga_text() {
    let text = [0xb_8000_u64.to_le_bytes().to_vec(), words(&[160, 80, 25]), vec![16, 2, 0, 0]].concat();
    let mut params = BootParams::zeroed();
    convert(&information(&[(8, text)]), &mut params);
    let screen = params.screen_info();
    assert_eq!((screen.orig_video_cols, screen.orig_video_lines), (80, 25));
    assert_eq!(screen.orig_video_is_vga, 1);
    assert_eq!(screen.lfb_base, 0);
}

#[test]
fn entries_may_be_longer_than_those_that_are_known_and_not_shorter() {
    for (size, count) in [(24, 2), (32, 2), (40, 2), (23, 0), (1, 0), (0, 0)] {
        let mut params = BootParams::zeroed();
        let (kind, mut data) = memory_map(size.max(24), [(0, 0x1000, 1), (0x1000, 0x1000, 2)]);
        data[..4].copy_from_slice(&size.to_le_bytes());
        convert(&information(&[(kind, data)]), &mut params);
        assert_eq!(params.e820_table().len(), count, "{size}");
    }
}

#[test]
fn ranges_past_the_page_go_to_a_node_and_more_are_counted() {
    let entries = |count| (0..count).map(|n| (n << 20, 0x1000, 1));
    let mut params = BootParams::zeroed();
    let memory = information(&[memory_map(24, entries(128))]);
    assert_eq!(convert(&memory, &mut params).dropped, 0);
    assert_eq!(params.hdr().setup_data, 0);
    let most = (BootParams::E820_MAX + E820Extension::MAX) as u64;
    let memory = information(&[memory_map(24, entries(most + 2))]);
    assert_eq!(convert(&memory, &mut params).dropped, 2);
    assert_eq!((params.e820_table().len(), params.hdr().setup_data), (128, EXTENSION));
}

#[test]
fn information_that_cannot_be_read_is_an_error_and_leaves_a_header_only() {
    let memory = information(&[(1, b"quiet\0".to_vec())]);
    for (phys, size) in [(0x100, 8), (u64::MAX, 8), (INFO + 16, u32::from_le_bytes(*b"quie"))] {
        let mut params = BootParams::zeroed();
        let found = multiboot2::to_boot_params(phys, memory.map(), &mut params, &mut E820Extension::new(), EXTENSION);
        assert_eq!(found.error, Some(Multiboot2Error::Unmapped { phys, size }));
        assert!(params.hdr().is_valid());
        assert_eq!(params.e820_table().len(), 0);
    }
}

#[test]
fn a_tag_that_cannot_be_ends_the_list_and_what_came_before_counts() {
    let good = (1, b"quiet\0".to_vec());
    let map = memory_map(24, [(0, 0x1000, 1)]);
    for size in [0_u32, 7, 41, u32::MAX] {
        let mut memory = information(&[good.clone(), map.clone()]);
        // The map's tag is behind the command line's 16 bytes.
        memory.put(INFO + 8 + 16 + 4, &size.to_le_bytes());
        let mut params = BootParams::zeroed();
        let found = convert(&memory, &mut params);
        let offset = 24;
        let error = if size == 41 {
            // It reaches beyond the last tag, but not beyond the information: what follows is no tag.
            Multiboot2Error::NoEnd
        } else {
            Multiboot2Error::BadTag { kind: 6, size, offset }
        };
        assert_eq!(found.error, Some(error), "{size}");
        assert_ne!(params.cmd_line_ptr(), 0);
    }
}

#[test]
fn what_lacks_a_memory_map_an_end_or_sense_says_so() {
    let mut params = BootParams::zeroed();
    assert_eq!(convert(&information(&[]), &mut params).error, Some(Multiboot2Error::NoMemoryMap));

    let mut memory = information(&[memory_map(24, [])]);
    memory.bytes.truncate(24);
    memory.put(INFO, &24_u32.to_le_bytes());
    assert_eq!(convert(&memory, &mut params).error, Some(Multiboot2Error::NoEnd));

    let backwards = information(&[(3, words(&[0x2000, 0x1000])), (1, b"no end".to_vec())]);
    convert(&backwards, &mut params);
    assert_eq!(params.ramdisk(), (0, 0));
    assert_eq!(params.cmd_line_ptr(), 0, "a text without its end could be anything");
}

#[test]
fn every_error_is_one_line() {
    for error in [
        Multiboot2Error::Unmapped { phys: 1, size: 8 },
        Multiboot2Error::BadTag {
            kind: 6,
            size: 3,
            offset: 8,
        },
        Multiboot2Error::NoEnd,
        Multiboot2Error::NoMemoryMap,
    ] {
        let text = std::format!("{error}");
        assert!(text.starts_with("multiboot2: ") && !text.contains('\n'), "{text}");
    }
}

proptest! {
    #[test]
    fn any_information_is_converted_within_its_bounds(
        tags in proptest::collection::vec((0_u32..22, proptest::collection::vec(any::<u8>(), 0..96)), 0..8),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut memory = information(&tags);
        for (at, byte) in damage {
            let at = at.index(memory.bytes.len());
            memory.bytes[at] = byte;
        }
        let mut params = BootParams::zeroed();
        let found = convert(&memory, &mut params);
        let end = INFO + memory.bytes.len() as u64;
        prop_assert!(params.hdr().is_valid());
        let line = params.cmd_line_ptr();
        prop_assert!(line == 0 || (INFO..end).contains(&line));
        let info = params.efi_info();
        prop_assert!(info.memmap_phys() + u64::from(info.memmap_size) <= end);
        prop_assert!(found.modules <= tags.len() + 12);
    }

    #[test]
    fn any_bytes_are_information_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..256), honest in any::<bool>()) {
        let mut memory = Memory { base: INFO, bytes };
        if honest && memory.bytes.len() >= 8 {
            memory.put(INFO, &(memory.bytes.len() as u32).to_le_bytes());
        }
        let mut params = BootParams::zeroed();
        let found = convert(&memory, &mut params);
        prop_assert!(found.error.is_some() || params.e820_table().len() <= memory.bytes.len() / 24 + 1);
    }
}

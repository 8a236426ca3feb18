use super::*;
use crate::e820::E820Type;
use std::vec::Vec;

mod multiboot2;
mod pvh;
mod setup_data;

/// Writes `bytes` at `offset` of a page of zeroes.
fn page(parts: &[(usize, &[u8])]) -> BootParams {
    let mut params = BootParams::zeroed();
    for (offset, bytes) in parts {
        params.as_bytes_mut()[*offset..][..bytes.len()].copy_from_slice(bytes);
    }
    params
}

#[test]
fn the_page_is_4096_bytes_and_lies_anywhere() {
    assert_eq!(size_of::<BootParams>(), 4096);
    assert_eq!(align_of::<BootParams>(), 1);
}

#[test]
fn header_fields_are_where_the_boot_protocol_puts_them() {
    let hdr = page(&[
        (0x1f1, &[4]),
        (0x1fa, &[0xff, 0xff]),
        (0x1fe, &[0x55, 0xaa]),
        (0x202, b"HdrS"),
        (0x206, &[0x0f, 0x02]),
        (0x210, &[0x72, 0x81]),
        (0x214, &[0, 0, 0x10, 0]),
        (0x218, &[1, 2, 3, 4]),
        (0x21c, &[5, 6, 7, 8]),
        (0x224, &[0, 0xde]),
        (0x228, &[9, 10, 11, 12]),
        (0x236, &[0x3f, 0]),
        (0x238, &[0xff, 7, 0, 0]),
        (0x250, &[1, 2, 3, 4, 5, 6, 7, 8]),
        (0x258, &[0, 0, 0, 1, 0, 0, 0, 0]),
        (0x260, &[0, 0, 2, 0]),
        (0x268, &[0x44, 0x33, 0x22, 0x11]),
    ])
    .hdr();
    assert!(hdr.is_valid());
    assert_eq!(hdr.setup_sects, 4);
    assert_eq!(hdr.vid_mode, 0xffff);
    assert_eq!(hdr.version, 0x020f);
    assert_eq!((hdr.type_of_loader, hdr.loadflags), (0x72, 0x81));
    assert_eq!(hdr.code32_start, 0x10_0000);
    assert_eq!((hdr.ramdisk_image, hdr.ramdisk_size), (0x0403_0201, 0x0807_0605));
    assert_eq!((hdr.heap_end_ptr, hdr.cmd_line_ptr), (0xde00, 0x0c0b_0a09));
    assert_eq!((hdr.xloadflags, hdr.cmdline_size), (0x3f, 2047));
    assert_eq!((hdr.setup_data, hdr.pref_address), (0x0807_0605_0403_0201, 0x100_0000));
    assert_eq!((hdr.init_size, hdr.kernel_info_offset), (0x2_0000, 0x1122_3344));
}

#[test]
fn both_signatures_make_a_header_valid() {
    let mut hdr = SetupHeader {
        header: SetupHeader::MAGIC,
        boot_flag: 0xaa55,
        ..Default::default()
    };
    assert!(hdr.is_valid());
    hdr.boot_flag = 0;
    assert!(!hdr.is_valid());
    hdr = SetupHeader {
        boot_flag: 0xaa55,
        ..Default::default()
    };
    assert!(!hdr.is_valid());
}

#[test]
fn fields_outside_the_header_are_where_the_zero_page_puts_them() {
    let params = page(&[
        (0x02, &[0x00, 0xfc]),
        (0x07, &[80]),
        (0x0e, &[25, 1]),
        (0x40, &[2, 1]),
        (0x58, &[1]),
        (0x60, &[0xcd]),
        (0x70, &[0x60, 0x59, 0x0f]),
        (0xa0, &[8, 0, 0xfc]),
        (0x140, &[0, 0xff]),
        (0x1c0, b"EL64\x01\x02\x03\x04"),
        (0x1d8, &[7]),
        (0x1e0, &[0, 0, 1]),
        (0x1e8, &[3, 2, 1, 9, 3]),
        (0x1ef, &[0xff]),
    ]);
    let screen = params.screen_info();
    assert_eq!((screen.ext_mem_k, screen.orig_video_cols), (0xfc00, 80));
    assert_eq!((screen.orig_video_lines, screen.orig_video_is_vga), (25, 1));
    assert_eq!(params.apm_bios_info().version, 0x102);
    assert_eq!(params.tboot_addr(), 1);
    assert_eq!(params.ist_info().signature, 0xcd);
    assert_eq!(params.acpi_rsdp_addr(), 0xf5960);
    assert_eq!(params.sys_desc_table().length, 8);
    assert_eq!(params.sys_desc_table().table[0], 0xfc);
    assert_eq!(params.edid_info()[1], 0xff);
    assert_eq!(params.efi_info().loader_signature, EfiInfo::EL64);
    assert_eq!(params.efi_info().systab_phys(), 0x7_0403_0201);
    assert_eq!(params.alt_mem_k(), 0x1_0000);
    assert_eq!(
        (params.e820_entries(), params.eddbuf_entries(), params.edd_mbr_sig_buf_entries()),
        (3, 2, 1)
    );
    assert_eq!((params.kbd_status(), params.secure_boot(), params.sentinel()), (9, 3, 0xff));
}

#[test]
fn setting_a_field_changes_nothing_around_it() {
    let mut params = BootParams::zeroed();
    params.as_bytes_mut().fill(0xee);
    params.set_hdr(SetupHeader {
        cmd_line_ptr: 0x1234,
        ..params.hdr()
    });
    let changed: Vec<usize> = (0..BootParams::SIZE).filter(|at| params.as_bytes()[*at] != 0xee).collect();
    assert_eq!(changed, [0x228, 0x229, 0x22a, 0x22b]);
}

#[test]
fn addresses_above_4_gib_are_split_and_joined() {
    let mut params = BootParams::zeroed();
    params.set_cmd_line_ptr(0x1_2345_6789);
    params.set_ramdisk(0xa_0000_1000, 0x1_0000_0001);
    assert_eq!(params.cmd_line_ptr(), 0x1_2345_6789);
    assert_eq!(params.ramdisk(), (0xa_0000_1000, 0x1_0000_0001));
    assert_eq!(params.ext_cmd_line_ptr(), 1);
    assert_eq!(params.ext_ramdisk_image(), 0xa);
    assert_eq!(params.hdr().ramdisk_image, 0x1000);
    assert_eq!((params.ext_ramdisk_size(), params.hdr().ramdisk_size), (1, 1));
}

#[test]
fn the_upper_half_of_the_framebuffer_counts_only_if_announced() {
    let mut screen = ScreenInfo {
        lfb_base: 0xe000_0000,
        ext_lfb_base: 0x40,
        ..Default::default()
    };
    assert_eq!(screen.framebuffer(), 0xe000_0000);
    screen.capabilities = ScreenInfo::CAPABILITY_64BIT_BASE;
    assert_eq!(screen.framebuffer(), 0x40_e000_0000);
}

#[test]
fn the_memory_map_never_reaches_past_its_table() {
    let mut params = BootParams::zeroed();
    params.set_e820_entries(255);
    assert_eq!(params.e820_table().len(), 128);
    params.set_eddbuf_entries(255);
    assert_eq!(params.eddbuf().len(), 6);
    params.set_edd_mbr_sig_buf_entries(255);
    assert_eq!(params.edd_mbr_sig_buffer().len(), 16);
}

#[test]
fn the_memory_map_reads_back_as_it_was_set() {
    let entries: Vec<_> = (0..130)
        .map(|n| E820Entry {
            addr: n << 32,
            size: n + 1,
            kind: E820Type(n as u32),
        })
        .collect();
    let mut params = BootParams::zeroed();
    assert_eq!(params.set_e820_table(&entries[..2]), 2);
    assert_eq!(params.as_bytes()[0x2d0 + 20 + 4], 1, "the second entry's address");
    assert_eq!(params.set_e820_table(&entries), 128);
    assert!(params.e820_table().eq(entries[..128].iter().copied()));
    assert_eq!(params.as_bytes()[0xcd0..0xd00], [0; 0x30], "nothing past the table");
}

#[test]
fn disks_are_read_from_the_edd_table() {
    let params = page(&[
        (0x1e9, &[2, 1]),
        (0x290, &[0x78, 0x56, 0x34, 0x12]),
        (0xd00 + 82, &[0x81, 0x30]),
        (0xd00 + 82 + 8 + 16, &[0, 0, 0, 0, 1]),
        (0xd00 + 82 + 8 + 36, b"PCI "),
    ]);
    let disks: Vec<_> = params.eddbuf().collect();
    assert_eq!((disks[1].device, disks[1].version), (0x81, 0x30));
    assert_eq!(disks[1].params.number_of_sectors, 1 << 32);
    assert_eq!(&disks[1].params.host_bus_type, b"PCI ");
    assert!(params.edd_mbr_sig_buffer().eq([0x1234_5678]));
}

#[test]
fn a_clean_page_is_not_sanitised() {
    let mut params = page(&[(0xc0, &[1])]);
    assert!(!params.sanitize());
    assert_eq!(params.ext_ramdisk_image(), 1);
}

#[test]
fn sanitising_clears_what_a_careless_loader_left_and_keeps_what_it_set() {
    let mut params = BootParams::zeroed();
    params.as_bytes_mut().fill(0xee);
    assert!(params.sanitize());
    assert_eq!(params.sentinel(), 0);
    assert_eq!((params.ext_ramdisk_image(), params.ext_cmd_line_ptr()), (0, 0));
    assert_eq!(params.edid_info(), [0; 128]);
    assert_eq!((params.acpi_rsdp_addr(), params.kbd_status()), (0, 0));
    assert_eq!(params.hdr().kernel_info_offset, 0xeeee_eeee);
    assert_eq!(params.hdr().setup_sects, 0xee);
    assert_eq!(params.e820_entries(), 0xee);
    assert_eq!(params.e820_table().last().map(|entry| entry.kind), Some(E820Type(0xeeee_eeee)));
    assert_eq!(params.screen_info().ext_lfb_base, 0xeeee_eeee);
    assert_eq!(params.as_bytes()[0xeec..], [0; 4096 - 0xeec]);
}

#[test]
fn a_loader_is_known_by_number_and_extension() {
    let loader = |type_of_loader, ext_loader_type, ext_loader_ver| {
        Loader::of(&SetupHeader {
            type_of_loader,
            ext_loader_type,
            ext_loader_ver,
            ..Default::default()
        })
    };
    assert_eq!(loader(0x72, 0, 0), Loader { id: 7, version: 2 });
    assert_eq!(loader(0x72, 0, 0).name(), Some("GRUB"));
    assert_eq!(loader(0xb0, 9, 0), Loader { id: 0xb, version: 0 });
    assert_eq!(loader(0xe5, 2, 3), Loader { id: 0x12, version: 0x35 });
    assert_eq!(loader(0xe5, 2, 3).name(), Some("OVMF"));
    assert_eq!(loader(0xe5, 2, 3).type_code(), 0x125);
    assert_eq!(loader(0xef, 255, 255), Loader { id: 0x10f, version: 0xfff });
    assert_eq!(loader(0xef, 255, 255).name(), None);
}

/// Memory for walks: one block of bytes at an address.
struct Memory {
    base: u64,
    bytes: Vec<u8>,
}

impl Memory {
    fn map<'a>(&'a self) -> impl FnMut(u64, usize) -> Option<&'a [u8]> {
        |phys, len| {
            let start = usize::try_from(phys.checked_sub(self.base)?).ok()?;
            self.bytes.get(start..start.checked_add(len)?)
        }
    }

    fn put(&mut self, phys: u64, bytes: &[u8]) {
        let start = (phys - self.base) as usize;
        self.bytes[start..][..bytes.len()].copy_from_slice(bytes);
    }

    fn node(&mut self, phys: u64, next: u64, kind: SetupType, data: &[u8]) {
        self.put(phys, &next.to_le_bytes());
        self.put(phys + 8, &kind.0.to_le_bytes());
        self.put(phys + 12, &(data.len() as u32).to_le_bytes());
        self.put(phys + 16, data);
    }
}

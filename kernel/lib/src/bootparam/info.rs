//! The structures inside the zero page, as plain values.

use crate::wire::wire;

wire! {
    /// The image's header (`struct setup_header`), at 0x1f1 of the page and of the image's file.
    pub struct SetupHeader[123] {
        /// Size of the setup code in 512-byte sectors; 0 means 4.
        setup_sects: u8 => 0x00,
        /// Non-zero: mount the root file system read-only.
        root_flags: u16 => 0x01,
        /// Size of the protected-mode code in 16-byte units.
        syssize: u32 => 0x03,
        /// Old `rdev` flags of the RAM disk.
        ram_size: u16 => 0x07,
        /// Video mode requested.
        vid_mode: u16 => 0x09,
        /// Default root device number.
        root_dev: u16 => 0x0b,
        /// 0xaa55.
        boot_flag: u16 => 0x0d,
        /// A short jump to the setup code; its target ends the header.
        jump: u16 => 0x0f,
        /// [`SetupHeader::MAGIC`].
        header: u32 => 0x11,
        /// Protocol version, major in the upper byte.
        version: u16 => 0x15,
        /// Real-mode hook before the switch to protected mode.
        realmode_swtch: u32 => 0x17,
        /// Obsolete load segment.
        start_sys_seg: u16 => 0x1b,
        /// Offset of the version string, less 0x200; 0 without one.
        kernel_version: u16 => 0x1d,
        /// Loader number and version; see [`Loader`](super::Loader).
        type_of_loader: u8 => 0x1f,
        /// Bits: 0 loaded high, 1 KASLR, 5 quiet, 6 keep segments, 7 heap usable.
        loadflags: u8 => 0x20,
        /// Obsolete move size.
        setup_move_size: u16 => 0x21,
        /// Where the loader jumps in 32-bit mode.
        code32_start: u32 => 0x23,
        /// Lower half of the initrd's physical address.
        ramdisk_image: u32 => 0x27,
        /// Lower half of the initrd's size.
        ramdisk_size: u32 => 0x2b,
        /// Obsolete.
        bootsect_kludge: u32 => 0x2f,
        /// End of the setup code's heap.
        heap_end_ptr: u16 => 0x33,
        /// Upper bits of the loader's version.
        ext_loader_ver: u8 => 0x35,
        /// Extended loader number.
        ext_loader_type: u8 => 0x36,
        /// Lower half of the command line's physical address.
        cmd_line_ptr: u32 => 0x37,
        /// Highest address that the initrd may occupy.
        initrd_addr_max: u32 => 0x3b,
        /// Alignment that the kernel needs when relocated.
        kernel_alignment: u32 => 0x3f,
        /// Non-zero: may be loaded at another address.
        relocatable_kernel: u8 => 0x43,
        /// Smallest alignment, as a power of two.
        min_alignment: u8 => 0x44,
        /// Bits: 0 64-bit entry, 1 loadable above 4 GiB, 2-4 EFI hand-over, 5-6 five-level paging.
        xloadflags: u16 => 0x45,
        /// Longest command line, without its NUL.
        cmdline_size: u32 => 0x47,
        /// Paravirtual platform: 0 a PC.
        hardware_subarch: u32 => 0x4b,
        /// Data for that platform.
        hardware_subarch_data: u64 => 0x4f,
        /// Where in the protected-mode code the payload lies.
        payload_offset: u32 => 0x57,
        /// Its size.
        payload_length: u32 => 0x5b,
        /// Physical address of the first `setup_data` node, 0 without any.
        setup_data: u64 => 0x5f,
        /// Where the kernel would like to be loaded.
        pref_address: u64 => 0x67,
        /// How much memory it needs from there, before it knows the memory map.
        init_size: u32 => 0x6f,
        /// Offset of the EFI hand-over entry.
        handover_offset: u32 => 0x73,
        /// Offset of the `kernel_info` structure.
        kernel_info_offset: u32 => 0x77,
    }
}

impl SetupHeader {
    /// `HdrS`.
    pub const MAGIC: u32 = 0x5372_6448;

    /// What [`boot_flag`](Self::boot_flag) must be.
    pub const BOOT_FLAG: u16 = 0xaa55;

    /// Whether both signatures are there.
    pub const fn is_valid(&self) -> bool {
        self.header == Self::MAGIC && self.boot_flag == Self::BOOT_FLAG
    }
}

wire! {
    /// The display (`struct screen_info`): text mode and cursor, or a linear framebuffer.
    pub struct ScreenInfo[64] {
        /// Cursor column.
        orig_x: u8 => 0x00,
        /// Cursor row.
        orig_y: u8 => 0x01,
        /// KiB of memory above 1 MiB, from BIOS function `88h`.
        ext_mem_k: u16 => 0x02,
        /// Active display page.
        orig_video_page: u16 => 0x04,
        /// BIOS video mode.
        orig_video_mode: u8 => 0x06,
        /// Text columns.
        orig_video_cols: u8 => 0x07,
        /// Bit 0: no cursor; bit 1: framebuffer must not be moved.
        flags: u8 => 0x08,
        /// What the EGA BIOS call left in BX.
        orig_video_ega_bx: u16 => 0x0a,
        /// Text rows.
        orig_video_lines: u8 => 0x0e,
        /// Kind of display: 0x01 VGA text, 0x23 VESA framebuffer, 0x70 EFI framebuffer.
        orig_video_is_vga: u8 => 0x0f,
        /// Height of a character in scan lines.
        orig_video_points: u16 => 0x10,
        /// Framebuffer width in pixels.
        lfb_width: u16 => 0x12,
        /// Framebuffer height in pixels.
        lfb_height: u16 => 0x14,
        /// Bits per pixel.
        lfb_depth: u16 => 0x16,
        /// Lower half of the framebuffer's physical address.
        lfb_base: u32 => 0x18,
        /// Its size, in 64 KiB units for VESA, in bytes for EFI.
        lfb_size: u32 => 0x1c,
        /// Old command line magic, 0xa33f.
        cl_magic: u16 => 0x20,
        /// Old command line offset.
        cl_offset: u16 => 0x22,
        /// Bytes per framebuffer line.
        lfb_linelength: u16 => 0x24,
        /// Width of the red field in bits.
        red_size: u8 => 0x26,
        /// Its lowest bit.
        red_pos: u8 => 0x27,
        /// Width of the green field in bits.
        green_size: u8 => 0x28,
        /// Its lowest bit.
        green_pos: u8 => 0x29,
        /// Width of the blue field in bits.
        blue_size: u8 => 0x2a,
        /// Its lowest bit.
        blue_pos: u8 => 0x2b,
        /// Width of the reserved field in bits.
        rsvd_size: u8 => 0x2c,
        /// Its lowest bit.
        rsvd_pos: u8 => 0x2d,
        /// Segment of the VESA protected-mode interface.
        vesapm_seg: u16 => 0x2e,
        /// Its offset.
        vesapm_off: u16 => 0x30,
        /// Display pages.
        pages: u16 => 0x32,
        /// VESA mode attributes.
        vesa_attributes: u16 => 0x34,
        /// Bit 0: not VGA compatible; bit 1: `ext_lfb_base` is valid.
        capabilities: u32 => 0x36,
        /// Upper half of the framebuffer's physical address.
        ext_lfb_base: u32 => 0x3a,
    }
}

impl ScreenInfo {
    /// What the 16-bit set-up code says of any VGA in text mode; Linux has no name for it.
    pub const VGA_TEXT: u8 = 1;

    /// `VIDEO_TYPE_VGAC`: VGA colour text.
    pub const VIDEO_TYPE_VGAC: u8 = 0x22;

    /// `VIDEO_TYPE_VLFB`: a VESA linear framebuffer.
    pub const VIDEO_TYPE_VLFB: u8 = 0x23;

    /// `VIDEO_TYPE_EFI`: an EFI framebuffer.
    pub const VIDEO_TYPE_EFI: u8 = 0x70;

    /// `VIDEO_CAPABILITY_64BIT_BASE`.
    pub const CAPABILITY_64BIT_BASE: u32 = 1 << 1;

    /// The same with its framebuffer at physical address `phys`.
    #[must_use]
    pub const fn at(mut self, phys: u64) -> Self {
        self.lfb_base = phys as u32;
        self.ext_lfb_base = (phys >> 32) as u32;
        if self.ext_lfb_base != 0 {
            self.capabilities |= Self::CAPABILITY_64BIT_BASE;
        }
        self
    }

    /// Physical address of the framebuffer; the upper half counts only where the loader says so.
    pub const fn framebuffer(&self) -> u64 {
        let high = if self.capabilities & Self::CAPABILITY_64BIT_BASE != 0 {
            self.ext_lfb_base as u64
        } else {
            0
        };
        high << 32 | self.lfb_base as u64
    }
}

wire! {
    /// Advanced Power Management BIOS (`struct apm_bios_info`).
    pub struct ApmBiosInfo[20] {
        /// Version, BCD; 0 without APM.
        version: u16 => 0x00,
        /// 32-bit code segment.
        cseg: u16 => 0x02,
        /// Entry point in it.
        offset: u32 => 0x04,
        /// 16-bit code segment.
        cseg_16: u16 => 0x08,
        /// Data segment.
        dseg: u16 => 0x0a,
        /// Capabilities.
        flags: u16 => 0x0c,
        /// Length of the 32-bit code segment.
        cseg_len: u16 => 0x0e,
        /// Length of the 16-bit code segment.
        cseg_16_len: u16 => 0x10,
        /// Length of the data segment.
        dseg_len: u16 => 0x12,
    }
}

wire! {
    /// Intel SpeedStep BIOS (`struct ist_info`).
    pub struct IstInfo[16] {
        /// Signature; 0 without SpeedStep.
        signature: u32 => 0x00,
        /// SMI command port and value.
        command: u32 => 0x04,
        /// SMI event port and value.
        event: u32 => 0x08,
        /// Current performance level.
        perf_level: u32 => 0x0c,
    }
}

wire! {
    /// BIOS function `15h`/`c0h` (`struct sys_desc_table`).
    pub struct SysDescTable[16] {
        /// Bytes that are valid in `table`, as claimed.
        length: u16 => 0x00,
        /// Model, submodel, BIOS revision, features.
        table: [u8; 14] => 0x02,
    }
}

wire! {
    /// EFI tables (`struct efi_info`).
    pub struct EfiInfo[32] {
        /// [`EfiInfo::EL64`], [`EfiInfo::EL32`], or 0 without EFI.
        loader_signature: u32 => 0x00,
        /// Lower half of the system table's physical address.
        systab: u32 => 0x04,
        /// Size of one memory descriptor.
        memdesc_size: u32 => 0x08,
        /// Version of the memory descriptors.
        memdesc_version: u32 => 0x0c,
        /// Lower half of the memory map's physical address.
        memmap: u32 => 0x10,
        /// Its size.
        memmap_size: u32 => 0x14,
        /// Upper half of the system table's address.
        systab_hi: u32 => 0x18,
        /// Upper half of the memory map's address.
        memmap_hi: u32 => 0x1c,
    }
}

impl EfiInfo {
    /// Signature of 64-bit EFI, `EL64`.
    pub const EL64: u32 = 0x3436_4c45;

    /// Signature of 32-bit EFI, `EL32`.
    pub const EL32: u32 = 0x3233_4c45;

    /// Physical address of the system table.
    pub const fn systab_phys(&self) -> u64 {
        (self.systab_hi as u64) << 32 | self.systab as u64
    }

    /// Physical address of the memory map.
    pub const fn memmap_phys(&self) -> u64 {
        (self.memmap_hi as u64) << 32 | self.memmap as u64
    }
}

wire! {
    /// One disk as the BIOS' Enhanced Disk Drive services describe it (`struct edd_info`).
    pub struct EddInfo[82] {
        /// BIOS drive number.
        device: u8 => 0x00,
        /// EDD version.
        version: u8 => 0x01,
        /// Interfaces supported.
        interface_support: u16 => 0x02,
        /// Largest cylinder, from `int 13h` function 8.
        legacy_max_cylinder: u16 => 0x04,
        /// Largest head.
        legacy_max_head: u8 => 0x06,
        /// Sectors per track.
        legacy_sectors_per_track: u8 => 0x07,
        /// What the extended function said.
        params: EddDeviceParams => 0x08,
    }
}

wire! {
    /// Result of `int 13h` function 48h (`struct edd_device_params`), up to the bus name.
    pub struct EddDeviceParams[74] {
        /// Bytes that are valid.
        length: u16 => 0x00,
        /// Flags.
        info_flags: u16 => 0x02,
        /// Default cylinders.
        num_default_cylinders: u32 => 0x04,
        /// Default heads.
        num_default_heads: u32 => 0x08,
        /// Sectors per track.
        sectors_per_track: u32 => 0x0c,
        /// Sectors in all.
        number_of_sectors: u64 => 0x10,
        /// Bytes per sector.
        bytes_per_sector: u16 => 0x18,
        /// Far pointer to the device parameter table extension.
        dpte_ptr: u32 => 0x1a,
        /// 0xbedd if the path fields are valid.
        key: u16 => 0x1e,
        /// Length of the device path information.
        device_path_info_length: u8 => 0x20,
        /// Bus: `PCI` or `ISA`.
        host_bus_type: [u8; 4] => 0x24,
        /// Interface: `ATA`, `SCSI`, …
        interface_type: [u8; 8] => 0x28,
        /// Where on the bus.
        interface_path: [u8; 8] => 0x30,
        /// Which device there.
        device_path: [u8; 16] => 0x38,
        /// Makes the bytes from `key` on sum up to 0.
        checksum: u8 => 0x49,
    }
}

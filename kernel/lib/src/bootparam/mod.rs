//! The zero page: `struct boot_params` of the Linux x86 boot protocol.
//!
//! Every way into the kernel produces one, and everything after `start_kernel` reads only that.
//! Layout and meaning are ABI (Linux's `Documentation/x86/boot.rst` and `zero-page.rst`). The page
//! comes from outside: reading a field never trusts it, and no field has an alignment or a value
//! that could be undefined behaviour.

mod info;
mod loader;
mod memory_map;
pub mod multiboot2;
pub mod pvh;
mod setup_data;

pub use info::{ApmBiosInfo, EddDeviceParams, EddInfo, EfiInfo, IstInfo, ScreenInfo, SetupHeader, SysDescTable};
pub use loader::Loader;
pub use memory_map::{E820Extension, MemoryMapWriter};
pub use setup_data::{SetupData, SetupDataChain, SetupDataError, SetupIndirect, SetupType, walk_setup_data};

use crate::e820::E820Entry;
use crate::wire::{Wire, fits};
use core::fmt;
use core::ops::Range;

/// The page itself, 4096 bytes with no alignment of its own.
#[derive(Clone, PartialEq, Eq)]
#[repr(C)]
pub struct BootParams {
    bytes: [u8; BootParams::SIZE],
}

/// Accessors for values at fixed offsets.
macro_rules! fields {
    ($($(#[$meta:meta])* $get:ident, $set:ident: $type:ty => $offset:literal;)*) => {
        /// The fields, by their Linux names.
        impl BootParams {
            $(
                $(#[$meta])*
                pub fn $get(&self) -> $type {
                    self.field::<$type, $offset>()
                }

                #[doc = concat!("Sets [`", stringify!($get), "`](Self::", stringify!($get), ").")]
                pub fn $set(&mut self, value: $type) {
                    self.set_field::<$type, $offset>(&value);
                }
            )*
        }
    };
}

fields! {
    /// The display as the loader left it.
    screen_info, set_screen_info: ScreenInfo => 0x000;
    /// What the APM BIOS said.
    apm_bios_info, set_apm_bios_info: ApmBiosInfo => 0x040;
    /// Physical address of the tboot shared page, 0 without tboot.
    tboot_addr, set_tboot_addr: u64 => 0x058;
    /// What the SpeedStep BIOS call said.
    ist_info, set_ist_info: IstInfo => 0x060;
    /// Physical address of the ACPI root pointer, 0 to search for it.
    acpi_rsdp_addr, set_acpi_rsdp_addr: u64 => 0x070;
    /// The system description table of BIOS function `15h`/`c0h`.
    sys_desc_table, set_sys_desc_table: SysDescTable => 0x0a0;
    /// Upper half of the initrd's address.
    ext_ramdisk_image, set_ext_ramdisk_image: u32 => 0x0c0;
    /// Upper half of the initrd's size.
    ext_ramdisk_size, set_ext_ramdisk_size: u32 => 0x0c4;
    /// Upper half of the command line's address.
    ext_cmd_line_ptr, set_ext_cmd_line_ptr: u32 => 0x0c8;
    /// Physical address of the confidential-computing blob, 0 without one.
    cc_blob_address, set_cc_blob_address: u32 => 0x13c;
    /// The monitor's EDID block; all zero when unknown.
    edid_info, set_edid_info: [u8; 128] => 0x140;
    /// Where the EFI tables are.
    efi_info, set_efi_info: EfiInfo => 0x1c0;
    /// KiB of memory above 1 MiB, from BIOS function `e801h`.
    alt_mem_k, set_alt_mem_k: u32 => 0x1e0;
    /// How many entries of the memory map are valid, as claimed; the table holds 128.
    e820_entries, set_e820_entries: u8 => 0x1e8;
    /// How many EDD entries are valid, as claimed; the table holds 6.
    eddbuf_entries, set_eddbuf_entries: u8 => 0x1e9;
    /// How many EDD signatures are valid, as claimed; the table holds 16.
    edd_mbr_sig_buf_entries, set_edd_mbr_sig_buf_entries: u8 => 0x1ea;
    /// Modifier keys at boot, bit 0 NumLock-style (`int 16h`).
    kbd_status, set_kbd_status: u8 => 0x1eb;
    /// EFI secure boot: 0 unset, 1 unknown, 2 off, 3 on.
    secure_boot, set_secure_boot: u8 => 0x1ec;
    /// 0 if the loader cleared the page as the protocol demands.
    sentinel, set_sentinel: u8 => 0x1ef;
    /// The header of the image, filled in by the loader.
    hdr, set_hdr: SetupHeader => 0x1f1;
}

const E820_TABLE: usize = 0x2d0;
const EDD_MBR_SIG: usize = 0x290;
const EDDBUF: usize = 0xd00;

/// What survives [`BootParams::sanitize`]: the fields that loaders known to forget the clearing do
/// set (Linux's `sanitize_boot_params`).
const TRUSTED: [Range<usize>; 13] = [
    0x000..0x054, // screen_info, apm_bios_info
    0x058..0x070, // tboot_addr, ist_info
    0x080..0x0a0, // hd0_info, hd1_info
    0x0a0..0x0b0, // sys_desc_table
    0x0b0..0x0c0, // olpc_ofw_header
    0x13c..0x140, // cc_blob_address
    0x1c0..0x1e8, // efi_info, alt_mem_k, scratch
    0x1e8..0x1eb, // e820_entries, eddbuf_entries, edd_mbr_sig_buf_entries
    0x1ec..0x1ed, // secure_boot
    0x1f1..0x26c, // hdr
    0x290..0x2d0, // edd_mbr_sig_buffer
    0x2d0..0xcd0, // e820_table
    0xd00..0xeec, // eddbuf
];

impl BootParams {
    /// Size of the page.
    pub const SIZE: usize = 4096;

    /// Entries that the memory map in the page holds (`E820_MAX_ENTRIES_ZEROPAGE`).
    pub const E820_MAX: usize = 128;

    /// Entries that the EDD table holds (`EDDMAXNR`).
    pub const EDD_MAX: usize = 6;

    /// Disk signatures that the page holds (`EDD_MBR_SIG_MAX`).
    pub const EDD_MBR_SIG_MAX: usize = 16;

    /// A page of zeroes, as a loader starts with.
    pub const fn zeroed() -> Self {
        Self { bytes: [0; Self::SIZE] }
    }

    /// Takes a copy of a page that lies anywhere.
    pub const fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        Self { bytes: *bytes }
    }

    /// The page as bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.bytes
    }

    /// The page as bytes to fill; any content is a valid page.
    pub const fn as_bytes_mut(&mut self) -> &mut [u8; Self::SIZE] {
        &mut self.bytes
    }

    fn field<T: Wire, const OFFSET: usize>(&self) -> T {
        const { assert!(fits::<T>(OFFSET, Self::SIZE)) };
        match T::read(&self.bytes[OFFSET..]) {
            Some(value) => value,
            None => unreachable!(),
        }
    }

    fn set_field<T: Wire, const OFFSET: usize>(&mut self, value: &T) {
        const { assert!(fits::<T>(OFFSET, Self::SIZE)) };
        if value.write(&mut self.bytes[OFFSET..]).is_none() {
            unreachable!()
        }
    }

    /// Clears what a loader that did not clear the page ([`sentinel`](Self::sentinel) is set) may
    /// have left as garbage. Returns whether that was so.
    pub fn sanitize(&mut self) -> bool {
        if self.sentinel() == 0 {
            return false;
        }
        let mut start = 0;
        for kept in TRUSTED {
            self.bytes[start..kept.start].fill(0);
            start = kept.end;
        }
        self.bytes[start..].fill(0);
        true
    }

    /// Physical address of the command line, 0 without one: `ext_cmd_line_ptr` joined to
    /// `hdr.cmd_line_ptr`.
    pub fn cmd_line_ptr(&self) -> u64 {
        join(self.ext_cmd_line_ptr(), self.hdr().cmd_line_ptr)
    }

    /// Sets both halves of [`cmd_line_ptr`](Self::cmd_line_ptr).
    pub fn set_cmd_line_ptr(&mut self, phys: u64) {
        let (high, low) = halves(phys);
        self.set_ext_cmd_line_ptr(high);
        self.set_hdr(SetupHeader {
            cmd_line_ptr: low,
            ..self.hdr()
        });
    }

    /// Physical address and size of the initrd, as claimed; size 0 without one. Both halves are
    /// joined.
    pub fn ramdisk(&self) -> (u64, u64) {
        let hdr = self.hdr();
        (
            join(self.ext_ramdisk_image(), hdr.ramdisk_image),
            join(self.ext_ramdisk_size(), hdr.ramdisk_size),
        )
    }

    /// Sets both halves of both values of [`ramdisk`](Self::ramdisk).
    pub fn set_ramdisk(&mut self, phys: u64, size: u64) {
        let (image_high, ramdisk_image) = halves(phys);
        let (size_high, ramdisk_size) = halves(size);
        self.set_ext_ramdisk_image(image_high);
        self.set_ext_ramdisk_size(size_high);
        self.set_hdr(SetupHeader {
            ramdisk_image,
            ramdisk_size,
            ..self.hdr()
        });
    }

    /// What loaded the kernel.
    pub fn loader(&self) -> Loader {
        Loader::of(&self.hdr())
    }

    /// The valid entries of the memory map, at most [`E820_MAX`](Self::E820_MAX).
    pub fn e820_table(&self) -> impl ExactSizeIterator<Item = E820Entry> + '_ {
        let count = usize::from(self.e820_entries()).min(Self::E820_MAX);
        self.table(E820_TABLE, count)
    }

    /// Replaces the memory map. Returns how many entries were taken: at most
    /// [`E820_MAX`](Self::E820_MAX).
    pub fn set_e820_table(&mut self, entries: &[E820Entry]) -> usize {
        let taken = &entries[..entries.len().min(Self::E820_MAX)];
        let places = self.bytes[E820_TABLE..].chunks_exact_mut(E820Entry::SIZE);
        for (entry, place) in taken.iter().zip(places) {
            if entry.write(place).is_none() {
                unreachable!()
            }
        }
        self.set_e820_entries(taken.len() as u8);
        taken.len()
    }

    /// Where entry `index` of the memory map lies.
    fn e820_slot(&mut self, index: usize) -> &mut [u8] {
        &mut self.bytes[E820_TABLE..][index * E820Entry::SIZE..][..E820Entry::SIZE]
    }

    /// Makes the page what every loader of this kernel begins with: all zero but for a header of protocol 2.12, in the name of the loader `type_of_loader`.
    fn begin(&mut self, type_of_loader: u8) {
        self.bytes.fill(0);
        self.set_hdr(SetupHeader {
            boot_flag: SetupHeader::BOOT_FLAG,
            header: SetupHeader::MAGIC,
            version: 0x020c,
            type_of_loader,
            ..self.hdr()
        });
    }

    /// The valid EDD entries, at most [`EDD_MAX`](Self::EDD_MAX).
    pub fn eddbuf(&self) -> impl ExactSizeIterator<Item = EddInfo> + '_ {
        self.table(EDDBUF, usize::from(self.eddbuf_entries()).min(Self::EDD_MAX))
    }

    /// The valid disk signatures, at most [`EDD_MBR_SIG_MAX`](Self::EDD_MBR_SIG_MAX).
    pub fn edd_mbr_sig_buffer(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        let count = usize::from(self.edd_mbr_sig_buf_entries()).min(Self::EDD_MBR_SIG_MAX);
        self.table(EDD_MBR_SIG, count)
    }

    fn table<T: Wire>(&self, offset: usize, count: usize) -> impl ExactSizeIterator<Item = T> + '_ {
        self.bytes[offset..][..count * T::SIZE]
            .chunks_exact(T::SIZE)
            .map(|bytes| match T::read(bytes) {
                Some(value) => value,
                None => unreachable!(),
            })
    }
}

/// `(high << 32) | low`.
const fn join(high: u32, low: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

/// The inverse of [`join`].
const fn halves(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

impl Default for BootParams {
    fn default() -> Self {
        Self::zeroed()
    }
}

impl fmt::Debug for BootParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootParams")
            .field("hdr", &self.hdr())
            .field("e820_entries", &self.e820_entries())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

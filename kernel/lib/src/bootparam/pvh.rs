//! PVH: the hypervisor's start information, and its conversion to the zero page.
//!
//! Layout from Xen's `public/arch-x86/hvm/start_info.h`; the conversion is what Linux does in
//! `arch/x86/platform/pvh/enlighten.c`. All addresses are physical, and memory is seen only through
//! the caller's mapping.

use super::{BootParams, E820Extension, MemoryMapWriter};
use crate::e820::{E820Entry, E820Type};
use crate::wire::{Wire, wire};
use core::fmt;

wire! {
    /// What EBX points to at the PVH entry (`struct hvm_start_info`), version 1.
    pub struct HvmStartInfo[56] {
        /// [`HvmStartInfo::MAGIC`].
        magic: u32 => 0x00,
        /// Version; the memory map exists from 1 on.
        version: u32 => 0x04,
        /// Xen's `SIF_*` flags.
        flags: u32 => 0x08,
        /// Entries of the module list.
        nr_modules: u32 => 0x0c,
        /// Address of the module list.
        modlist_paddr: u64 => 0x10,
        /// Address of the command line, NUL-terminated; 0 without one.
        cmdline_paddr: u64 => 0x18,
        /// Address of the ACPI root pointer.
        rsdp_paddr: u64 => 0x20,
        /// Address of the memory map.
        memmap_paddr: u64 => 0x28,
        /// Entries of the memory map.
        memmap_entries: u32 => 0x30,
    }
}

impl HvmStartInfo {
    /// `xEn3` with the top bit of the E set.
    pub const MAGIC: u32 = 0x336e_c578;
}

wire! {
    /// A module (`struct hvm_modlist_entry`); the first one is the initrd.
    pub struct ModlistEntry[32] {
        /// Its address.
        paddr: u64 => 0x00,
        /// Its size.
        size: u64 => 0x08,
        /// Address of its command line.
        cmdline_paddr: u64 => 0x10,
    }
}

wire! {
    /// A memory range (`struct hvm_memmap_table_entry`); the types are e820's.
    pub struct MemmapEntry[24] {
        /// Its address.
        addr: u64 => 0x00,
        /// Its size.
        size: u64 => 0x08,
        /// Its type.
        kind: u32 => 0x10,
    }
}

/// Why start information cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PvhError {
    /// The structure is not in memory that can be read.
    Unmapped {
        /// Where it should be.
        phys: u64,
    },
    /// It does not begin with [`HvmStartInfo::MAGIC`].
    BadMagic {
        /// What it begins with.
        magic: u32,
    },
    /// Version 0, or no entries: without a hypercall interface there is nothing to boot on.
    NoMemoryMap,
    /// The memory map or the module list is not in memory that can be read.
    BadTable {
        /// Where it should be.
        phys: u64,
        /// How many entries it should have.
        entries: u32,
    },
}

impl fmt::Display for PvhError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmapped { phys } => write!(f, "PVH: start info at {phys:#x} is out of reach"),
            Self::BadMagic { magic } => write!(f, "PVH: bad start info magic {magic:#010x}"),
            Self::NoMemoryMap => f.write_str("PVH: start info has no memory map"),
            Self::BadTable { phys, entries } => {
                write!(f, "PVH: table at {phys:#x} with {entries} entries is out of reach")
            }
        }
    }
}

impl core::error::Error for PvhError {}

/// Entries that are looked at: with [`LEGACY_HOLE`], as many as page and extension hold.
const ENTRIES_MAX: usize = BootParams::E820_MAX + E820Extension::MAX - 1;

/// What PC firmware keeps to itself below 1 MiB.
const LEGACY_HOLE: E820Entry = E820Entry {
    addr: 0xa_0000,
    size: 0x6_0000,
    kind: E820Type::RESERVED,
};

/// What of the start information the zero page could not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Entries of the memory map past those that the page and its extension hold.
    pub memmap_entries: u32,
    /// Modules after the initrd.
    pub modules: u32,
}

/// Fills `into` from the start information at physical address `start_info`, as a loader of the
/// Linux boot protocol would. `map(phys, len)` gives access to memory, or `None` where there is
/// none that may be read.
///
/// Ranges past the page's 128 go to `extension`, which lies at physical address `extension_phys` and becomes a node of the page's `setup_data` chain. The
/// legacy hole from 640 KiB to 1 MiB is added as reserved, since hypervisors do not list it.
///
/// # Errors
///
/// What cannot be used of the information. What can is in `into` all the same: without a memory map the kernel still knows its command line, and with it
/// where to complain.
pub fn to_boot_params<'a>(
    start_info: u64,
    mut map: impl FnMut(u64, usize) -> Option<&'a [u8]>,
    into: &mut BootParams,
    extension: &mut E820Extension,
    extension_phys: u64,
) -> Result<Dropped, PvhError> {
    into.as_bytes_mut().fill(0);
    let info = read_start_info(start_info, &mut map)?;
    // QEMU's number, in its undefined version 0: the information does not say who made it.
    into.begin(0xb0);
    into.set_cmd_line_ptr(info.cmdline_paddr);
    into.set_acpi_rsdp_addr(info.rsdp_paddr);

    let mut table = |phys, entries: u32, wanted: usize, size: usize| {
        let taken = (entries as usize).min(wanted);
        map(phys, taken * size)
            .and_then(|bytes| bytes.get(..taken * size))
            .ok_or(PvhError::BadTable { phys, entries })
    };
    let modlist = table(info.modlist_paddr, info.nr_modules, 1, ModlistEntry::SIZE);
    if let Some(initrd) = modlist.as_ref().ok().and_then(|bytes| ModlistEntry::read(bytes)) {
        into.set_ramdisk(initrd.paddr, initrd.size);
    }
    if info.version < 1 || info.memmap_entries == 0 {
        return Err(PvhError::NoMemoryMap);
    }
    let memmap = table(info.memmap_paddr, info.memmap_entries, ENTRIES_MAX, MemmapEntry::SIZE)?;
    let mut writer = MemoryMapWriter::new(into, extension);
    for range in memmap.chunks_exact(MemmapEntry::SIZE).filter_map(MemmapEntry::read) {
        writer.push(E820Entry {
            addr: range.addr,
            size: range.size,
            kind: E820Type(range.kind),
        });
    }
    writer.push(LEGACY_HOLE);
    let dropped = writer.finish(extension_phys);
    modlist?;
    Ok(Dropped {
        memmap_entries: info.memmap_entries.saturating_sub(ENTRIES_MAX as u32) + dropped as u32,
        modules: info.nr_modules.saturating_sub(1),
    })
}

/// Reads the structure; one of version 0 ends before the memory map fields.
fn read_start_info<'a>(phys: u64, mut map: impl FnMut(u64, usize) -> Option<&'a [u8]>) -> Result<HvmStartInfo, PvhError> {
    const VERSION_0: usize = 0x28;
    let unmapped = PvhError::Unmapped { phys };
    let head = map(phys, VERSION_0).ok_or(unmapped)?;
    let magic = u32::read(head).ok_or(unmapped)?;
    if magic != HvmStartInfo::MAGIC {
        return Err(PvhError::BadMagic { magic });
    }
    if head.get(4..).and_then(u32::read) == Some(0) {
        let mut whole = [0; HvmStartInfo::SIZE];
        let head = head.get(..VERSION_0).ok_or(unmapped)?;
        whole[..VERSION_0].copy_from_slice(head);
        return HvmStartInfo::read(&whole).ok_or(unmapped);
    }
    map(phys, HvmStartInfo::SIZE).and_then(HvmStartInfo::read).ok_or(unmapped)
}

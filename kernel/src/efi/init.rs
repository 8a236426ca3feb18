//! Taking over what the firmware left: the memory map before anything is allocated, the tables as soon as memory can be read.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::bootparam::EfiInfo;
use incipit_lib::efi::{Configuration, MemoryDescriptor, MemoryMap, Revision, SystemTable};

use super::{FIRMWARE, Firmware};
use crate::arch::x86::mm::ioremap::memremap;
use crate::arch::x86::setup::{boot_params, e820};
use crate::mm::memblock;
use crate::prelude::*;

/// The largest memory map that is believed: some ten thousand ranges.
const MAP_SIZE_MAX: u32 = 512 << 10;

static ADD_EFI_MEMMAP: AtomicBool = AtomicBool::new(false);
static DEBUG: AtomicBool = AtomicBool::new(false);

/// `add_efi_memmap`: adds the ranges of EFI's memory map to the kernel's, for a boot loader that did not.
#[early_param("add_efi_memmap")]
#[init]
fn setup_add_efi_memmap(_value: Option<&'static str>) -> Result<(), Errno> {
    ADD_EFI_MEMMAP.store(true, Relaxed);
    Ok(())
}

/// `efi=debug`: shows the firmware's memory map.
#[early_param("efi")]
#[init]
fn parse_efi_cmdline(value: Option<&'static str>) -> Result<(), Errno> {
    for option in value.ok_or(Errno::EINVAL)?.split(',') {
        match option {
            "debug" => DEBUG.store(true, Relaxed),
            _ => return Err(Errno::EINVAL),
        }
    }
    Ok(())
}

/// The bytes at physical address `phys`, for good.
#[init]
fn map(phys: u64, length: usize) -> Option<&'static [u8]> {
    memremap(phys, length).ok().map(|memory| memory.leak())
}

/// What the boot loader says of 64-bit firmware; that of 32-bit firmware cannot be called from here.
#[init]
fn info() -> Option<EfiInfo> {
    let info = boot_params().efi_info();
    (info.loader_signature == EfiInfo::EL64).then_some(info)
}

/// The memory map that the boot loader points to.
#[init]
fn memory_map(info: &EfiInfo) -> Option<MemoryMap<'static>> {
    let (phys, size) = (info.memmap_phys(), info.memmap_size);
    if phys == 0 || size == 0 {
        return None;
    }
    if size > MAP_SIZE_MAX {
        pr_err!("efi: a memory map of {size} bytes cannot be: booting without");
        return None;
    }
    let Some(bytes) = map(phys, size as usize) else {
        pr_err!("efi: the memory map at {phys:#x} cannot be read: booting without");
        return None;
    };
    MemoryMap::new(bytes, info.memdesc_size)
        .inspect_err(|error| pr_err!("{error}: booting without"))
        .ok()
}

/// Keeps the memory map and what the run-time services need from being used; with `add_efi_memmap` hands the map's ranges on. Linux's function of the same name.
#[init]
pub(crate) fn efi_memblock_x86_reserve_range() {
    let Some((info, map)) = info().and_then(|info| Some((info, memory_map(&info)?))) else {
        return;
    };
    if ADD_EFI_MEMMAP.load(Relaxed) {
        do_add_efi_memmap(&map);
    }
    reserve(info.memmap_phys(), info.memmap_size.into(), "the memory map");
    // Ranges of run-time services are reserved in the kernel's map by their types; not so one that has the attribute and the type of free memory.
    let needed = |descriptor: &MemoryDescriptor| descriptor.is_runtime() && descriptor.kind.is_free_after_exit();
    for descriptor in map.descriptors().filter(needed) {
        if let Some(size) = descriptor.size() {
            pr_info!("efi: keeping {descriptor} for the run-time services");
            reserve(descriptor.phys_addr, size, "memory of the run-time services");
        }
    }
}

#[init]
fn reserve(phys: u64, size: u64, what: &str) {
    if let Err(error) = memblock::reserve(phys, size) {
        pr_err!("efi: {what}, {size:#x} bytes at {phys:#x}, cannot be reserved ({error})");
    }
}

#[init]
fn do_add_efi_memmap(map: &MemoryMap<'_>) {
    e820::with_table(|table| {
        let added = map.e820().try_for_each(|entry| table.add(entry.addr, entry.size, entry.kind));
        if let Err(error) = added.and(table.sanitize()) {
            pr_err!("{error}");
        }
    });
}

/// Finds the system table and the tables that it lists, and says what the firmware is: Linux's function of the same name.
#[init]
pub(crate) fn efi_init() {
    if boot_params().efi_info().loader_signature == EfiInfo::EL32 {
        pr_warn!("efi: 32-bit firmware: its services cannot be called by a 64-bit kernel, and its tables are not read");
    }
    let Some(info) = info() else { return };
    let system_table = match SystemTable::find(info.systab_phys(), map) {
        Ok(table) => table,
        Err(error) => {
            pr_err!("{error}");
            return;
        }
    };
    let revision = Revision(system_table.revision);
    match system_table.vendor(map) {
        Some(vendor) => pr_info!("efi: EFI {revision} by {vendor}"),
        None => pr_info!("efi: EFI {revision} by unknown"),
    }
    let tables = system_table.configuration(map);
    pr_info!("efi: {}", Named(tables));
    let memory_map = memory_map(&info);
    if let Some(map) = memory_map.filter(|_| DEBUG.load(Relaxed)) {
        for (number, descriptor) in map.descriptors().enumerate() {
            pr_info!("efi: mem{number:02}: {descriptor} ({}MB)", descriptor.size().unwrap_or(0) >> 20);
        }
    }
    FIRMWARE.call_once(|| Firmware {
        system_table,
        tables,
        memory_map,
    });
}

/// The tables that have names, in a line.
struct Named(Configuration<'static>);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.0.iter().filter(|table| table.guid.name().is_some());
        named.into_iter().try_for_each(|table| write!(f, "{table} "))
    }
}

//! EFI firmware behind the kernel: its memory map and its tables, found, checked and kept.
//!
//! Who wants to know where SMBIOS or ACPI begins asks here. The parsers are [`incipit_lib::efi`]'s; this room finds the memory, keeps it from being used, and says
//! what was found. It calls no service of the firmware: the map and the system table are kept as they are for who will.

mod init;

pub(crate) use init::{efi_init, efi_memblock_x86_reserve_range};

use incipit_lib::efi::{Configuration, Guid, MemoryMap, SystemTable};
use spin::Once;

/// What the firmware left.
static FIRMWARE: Once<Firmware> = Once::new();

struct Firmware {
    system_table: SystemTable,
    tables: Configuration<'static>,
    memory_map: Option<MemoryMap<'static>>,
}

/// The table of the firmware's services and tables. None on a machine that was not started by 64-bit EFI firmware, and before `setup_arch`.
#[must_use]
pub fn system_table() -> Option<SystemTable> {
    FIRMWARE.get().map(|firmware| firmware.system_table)
}

/// The memory map as it was when the boot services ended.
#[must_use]
pub fn memory_map() -> Option<MemoryMap<'static>> {
    FIRMWARE.get().and_then(|firmware| firmware.memory_map)
}

/// Physical address of ACPI's root pointer, the newer one if there are two.
#[must_use]
pub fn acpi() -> Option<u64> {
    FIRMWARE.get().and_then(|firmware| firmware.tables.rsdp())
}

/// Physical address of SMBIOS's entry point of the older kind.
#[must_use]
pub fn smbios() -> Option<u64> {
    FIRMWARE.get().and_then(|firmware| firmware.tables.find(Guid::SMBIOS))
}

/// Physical address of SMBIOS's entry point from SMBIOS 3.0 on.
#[must_use]
pub fn smbios3() -> Option<u64> {
    FIRMWARE.get().and_then(|firmware| firmware.tables.find(Guid::SMBIOS3))
}

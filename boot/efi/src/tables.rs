//! What else the kernel wants to know: where ACPI begins, and whether the firmware verified what it started.

use core::ptr;
use core::slice;

use uefi_raw::{Guid, Status, guid};

use crate::firmware::Firmware;

const ACPI_20: Guid = guid!("8868e871-e4f1-11d3-bc22-0080c73c8881");
const ACPI_10: Guid = guid!("eb9d2d30-2d88-11d3-9a16-0090273fc14d");
const GLOBAL_VARIABLE: Guid = guid!("8be4df61-93ca-11d2-aa0d-00e098032b8c");

/// Values of `boot_params.secure_boot`.
const SECURE_BOOT_UNKNOWN: u8 = 1;
const SECURE_BOOT_DISABLED: u8 = 2;
const SECURE_BOOT_ENABLED: u8 = 3;

/// Address of ACPI's root pointer, the newer one if there are two; 0 without any.
pub fn rsdp(firmware: &Firmware) -> u64 {
    let table = firmware.system_table();
    let entries = if table.configuration_table.is_null() {
        0
    } else {
        table.number_of_configuration_table_entries
    };
    let tables = match entries {
        0 => &[],
        // SAFETY: the firmware says that so many are there.
        _ => unsafe { slice::from_raw_parts(table.configuration_table, entries) },
    };
    let find = |guid| tables.iter().find(|table| table.vendor_guid == guid);
    find(ACPI_20).or_else(|| find(ACPI_10)).map_or(0, |table| table.vendor_table as u64)
}

/// Whether the firmware verifies what it starts, in the terms of `boot_params`.
pub fn secure_boot(firmware: &Firmware) -> u8 {
    const SECURE_BOOT: &[u16] = &utf16(*b"SecureBoot\0");
    const SETUP_MODE: &[u16] = &utf16(*b"SetupMode\0");
    match (variable(firmware, SECURE_BOOT), variable(firmware, SETUP_MODE)) {
        (Err(Status::NOT_FOUND), _) => SECURE_BOOT_DISABLED,
        (Ok(1), Ok(0)) => SECURE_BOOT_ENABLED,
        (Ok(_), Ok(_)) => SECURE_BOOT_DISABLED,
        _ => SECURE_BOOT_UNKNOWN,
    }
}

/// A global variable of one byte.
fn variable(firmware: &Firmware, name: &[u16]) -> Result<u8, Status> {
    let (mut value, mut size) = (0_u8, 1_usize);
    // SAFETY: the name ends in a NUL, and there is room for one byte.
    let status = unsafe {
        (firmware.runtime_services().get_variable)(name.as_ptr(), &GLOBAL_VARIABLE, ptr::null_mut(), &raw mut size, &raw mut value)
    };
    if status == Status::SUCCESS { Ok(value) } else { Err(status) }
}

/// ASCII as UTF-16.
const fn utf16<const N: usize>(ascii: [u8; N]) -> [u16; N] {
    let mut units = [0; N];
    let mut at = 0;
    while at < N {
        units[at] = ascii[at] as u16;
        at += 1;
    }
    units
}

//! What every loader on EFI firmware could say, and not every one does.

use incipit_lib::bootparam::{BootParams, EfiInfo};
use incipit_lib::efi::SystemTable;

use crate::physical;

/// Fills in where ACPI's root pointer is, if the loader told of EFI's tables only: GRUB's `linux` does so.
pub fn complete(params: &mut BootParams) {
    let info = params.efi_info();
    if params.acpi_rsdp_addr() != 0 || info.loader_signature != EfiInfo::EL64 {
        return;
    }
    // The kernel reads the tables again, and says what is wrong with them.
    let table = SystemTable::find(info.systab_phys(), physical::bytes).ok();
    if let Some(rsdp) = table.and_then(|table| table.configuration(physical::bytes).rsdp()) {
        params.set_acpi_rsdp_addr(rsdp);
    }
}

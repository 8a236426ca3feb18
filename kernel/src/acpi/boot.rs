//! What the boot itself takes from the tables: the processors and the interrupt controllers.

use incipit_lib::acpi::MadtEntry;

use super::options;
use crate::arch::x86::apic::io_apic;
use crate::arch::x86::smpboot;
use crate::prelude::*;

/// Takes processors and interrupt controllers over from the tables: Linux's `acpi_boot_init`.
#[init]
#[stage(after(super::tables::acpi_boot_table_init), before(smpboot::get_smp_config))]
pub fn acpi_boot_init() {
    if options::is_disabled() {
        return;
    }
    if let Some(port) = super::fadt().and_then(|fadt| fadt.pm_timer_port()) {
        pr_info!("ACPI: PM-Timer IO Port: {port:#x}");
    }
    process_madt();
    if let Some(hpet) = super::hpet() {
        pr_info!("ACPI: HPET id: {:#x} base: {:#x}", hpet.id, hpet.address.address);
    }
}

/// Goes through the interrupt controllers: Linux's `acpi_process_madt`.
#[init]
fn process_madt() {
    let Some(madt) = super::madt() else { return };
    let (mut local, mut io) = (false, false);
    for entry in madt.entries() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                pr_warn!("ACPI: MADT: {error}");
                continue;
            }
        };
        match entry {
            MadtEntry::LocalApic { apic_id, flags, .. } => {
                // The id of all processors is that of none; firmware uses it for places where there is no processor.
                if apic_id != u8::MAX {
                    register(apic_id.into(), flags);
                }
                local = true;
            }
            MadtEntry::LocalX2apic { apic_id, flags, .. } => {
                if apic_id != u32::MAX {
                    register(apic_id, flags);
                }
                local = true;
            }
            MadtEntry::IoApic { .. } | MadtEntry::Override { .. } | MadtEntry::NmiSource { .. } if options::is_noirq() => {}
            MadtEntry::Other { .. } => pr_debug!("ACPI: {entry}"),
            _ => {
                pr_info!("ACPI: {entry}");
                take(&entry);
                io |= matches!(entry, MadtEntry::IoApic { .. });
            }
        }
    }
    if local && !io && !options::is_noirq() {
        pr_err!("ACPI: No IOAPIC entries present");
    }
    if local && io {
        pr_info!("ACPI: Using ACPI (MADT) for SMP configuration information");
    }
}

/// Hands on what is about I/O APICs.
#[init]
fn take(entry: &MadtEntry) {
    match *entry {
        MadtEntry::IoApic { .. } | MadtEntry::Override { .. } if io_apic::is_refused() => {}
        MadtEntry::IoApic { id, address, gsi_base } => io_apic::register(id, address.into(), gsi_base),
        // Bus 0 is ISA, and there are no others (ACPI 5.2.12.5).
        MadtEntry::Override {
            bus: 0,
            source,
            gsi,
            flags,
        } => io_apic::route_isa(source, gsi, flags),
        _ => {}
    }
}

/// Hands a processor on. One that is neither enabled nor can be later is only a free place.
#[init]
fn register(apic_id: u32, flags: u32) {
    if flags & MadtEntry::ENABLED != 0 {
        smpboot::register_processor(apic_id);
    } else {
        smpboot::register_disabled_processor();
    }
}

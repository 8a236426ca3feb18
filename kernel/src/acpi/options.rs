//! `acpi=` and `acpi_rsdp=`: how much of it is believed.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::prelude::*;

static DISABLED: AtomicBool = AtomicBool::new(false);
static NOIRQ: AtomicBool = AtomicBool::new(false);
static RSDT_ONLY: AtomicBool = AtomicBool::new(false);
static RSDP: AtomicU64 = AtomicU64::new(0);

/// Whether ACPI is not used at all: Linux's `acpi_disabled`.
#[must_use]
pub fn is_disabled() -> bool {
    DISABLED.load(Relaxed)
}

/// Whether interrupts are not routed as ACPI says: Linux's `acpi_noirq`.
#[must_use]
pub fn is_noirq() -> bool {
    NOIRQ.load(Relaxed)
}

/// Leaves interrupts where the firmware has put them.
#[cfg(CONFIG_DMI)]
pub(super) fn set_noirq() {
    NOIRQ.store(true, Relaxed);
}

/// Whether the root table with 64-bit addresses is passed over.
pub(super) fn is_rsdt_only() -> bool {
    RSDT_ONLY.load(Relaxed)
}

/// Where the command line says that the root pointer is.
pub(super) fn rsdp() -> Option<u64> {
    Some(RSDP.load(Relaxed)).filter(|phys| *phys != 0)
}

/// Gives ACPI up: Linux's `disable_acpi`.
#[init]
pub(super) fn disable() {
    DISABLED.store(true, Relaxed);
}

/// `acpi=off`: does not look at ACPI tables. `noirq`: does not route interrupts by them; `ht`: takes processors from them and nothing else; `rsdt`: uses the root table with
/// 32-bit addresses; `force` and `strict`: uses them, which is what happens anyway.
#[init]
#[early_param("acpi")]
fn parse_acpi(value: Option<&'static str>) -> Result<(), Errno> {
    match value {
        Some("off") => disable(),
        Some("noirq" | "ht") => NOIRQ.store(true, Relaxed),
        Some("rsdt") => RSDT_ONLY.store(true, Relaxed),
        Some("force" | "strict") => DISABLED.store(false, Relaxed),
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// `acpi_rsdp=address`: the physical address of the root pointer, in hexadecimal.
#[init]
#[early_param("acpi_rsdp")]
fn setup_acpi_rsdp(value: Option<&'static str>) -> Result<(), Errno> {
    let text = value.ok_or(Errno::EINVAL)?;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let phys = u64::from_str_radix(digits, 16).map_err(|_| Errno::EINVAL)?;
    RSDP.store(phys, Relaxed);
    Ok(())
}

//! What the command line says about the local APIC and the I/O APICs.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::prelude::*;

static DISABLED: AtomicBool = AtomicBool::new(false);
static NO_X2APIC: AtomicBool = AtomicBool::new(false);
static NO_IO_APIC: AtomicBool = AtomicBool::new(false);

/// Whether the local APIC is to be left alone.
pub(super) fn is_disabled() -> bool {
    DISABLED.load(Relaxed)
}

/// Whether x2APIC mode is not to be entered.
pub(super) fn is_x2apic_refused() -> bool {
    NO_X2APIC.load(Relaxed)
}

/// Whether the I/O APICs are to be left alone.
pub(super) fn is_io_apic_refused() -> bool {
    NO_IO_APIC.load(Relaxed)
}

/// `noapic`: leaves the I/O APICs alone, and takes devices' interrupts by the 8259s.
#[init]
#[early_param("noapic")]
fn noapic(_: Option<&'static str>) -> Result<(), Errno> {
    NO_IO_APIC.store(true, Relaxed);
    Ok(())
}

/// `nolapic`: does without the local APIC, and so with one CPU.
#[init]
#[early_param("nolapic")]
fn nolapic(_: Option<&'static str>) -> Result<(), Errno> {
    DISABLED.store(true, Relaxed);
    Ok(())
}

/// `disableapic`: the same as `nolapic`.
#[init]
#[early_param("disableapic")]
fn disableapic(value: Option<&'static str>) -> Result<(), Errno> {
    nolapic(value)
}

/// `nox2apic`: reaches the local APIC by memory, even if it can be reached by model-specific registers.
#[init]
#[early_param("nox2apic")]
fn nox2apic(_: Option<&'static str>) -> Result<(), Errno> {
    NO_X2APIC.store(true, Relaxed);
    Ok(())
}

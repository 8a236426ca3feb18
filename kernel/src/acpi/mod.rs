//! ACPI tables: what firmware says of the machine, found, checked and kept.
//!
//! Who wants to know asks for a table by its name, or for one of those that are taken apart here. The parsers are [`incipit_lib::acpi`]'s; this room finds the
//! memory, says what was found, and hands the processors to [`crate::arch::x86::smpboot`]. It reads memory and nothing else: no register is touched, and no AML is
//! run. What is wrong with a table is one line of the log, and the boot goes on.

mod boot;
#[cfg(CONFIG_KDB)]
mod command;
mod options;
#[cfg(CONFIG_DMI)]
mod quirks;
mod root;
mod tables;
mod tests;

pub use boot::acpi_boot_init;
pub use options::{is_disabled, is_noirq};
pub use tables::{Kept, acpi_boot_table_init, root_pointer, tables};

use incipit_lib::acpi::{Bgrt, Fadt, Hpet, Madt, Mcfg, Signature, Slit, SlitError, Srat};

/// The bytes of the first table of this name, its header included. None before `acpi_boot_table_init`, with `acpi=off`, and if the machine has no such table.
#[must_use]
pub fn table(signature: &[u8; 4]) -> Option<&'static [u8]> {
    let wanted = Signature(*signature);
    tables().find(|table| table.header.signature == wanted).map(|table| table.bytes)
}

/// The interrupt controllers.
#[must_use]
pub fn madt() -> Option<Madt<'static>> {
    table(b"APIC").and_then(Madt::parse)
}

/// The fixed hardware.
#[must_use]
pub fn fadt() -> Option<Fadt> {
    table(b"FACP").map(Fadt::parse)
}

/// The high precision event timer.
#[must_use]
pub fn hpet() -> Option<Hpet> {
    table(b"HPET").and_then(Hpet::parse)
}

/// Which processors and which memory are near each other.
#[must_use]
pub fn srat() -> Option<Srat<'static>> {
    table(b"SRAT").and_then(Srat::parse)
}

/// How far the nodes are from each other, or why the table cannot be true.
#[must_use]
pub fn slit() -> Option<Result<Slit<'static>, SlitError>> {
    table(b"SLIT").map(Slit::parse)
}

/// The mapped configuration spaces of PCI.
#[must_use]
pub fn mcfg() -> Option<Mcfg<'static>> {
    table(b"MCFG").and_then(Mcfg::parse)
}

/// The logo on the screen.
#[must_use]
pub fn bgrt() -> Option<Bgrt> {
    table(b"BGRT").and_then(Bgrt::parse)
}

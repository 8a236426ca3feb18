//! PCI before there are drivers: configuration space through ports 0xcf8 and 0xcfc ("mechanism #1"), and what the boot must see early.
//!
//! Reads and never writes. Whoever enumerates devices for drivers will do so elsewhere, with what ACPI says of mapped configuration spaces.

#[cfg(CONFIG_KDB)]
mod command;
mod direct;
mod early;
mod quirks;
mod scan;
mod tests;

pub use direct::{Conf1, raw_pci_read};
pub use early::early_quirks;
pub use quirks::{EARLY_QUIRKS, Quirk, boot_hpet_disabled};
pub use scan::{Function, each_function};

//! What the firmware says of the machine as a product: SMBIOS, which was called DMI.
//!
//! An entry point, found by its anchor, leads to a table of structures, each a few bytes followed by its strings. All of it is untrusted: every structure and
//! every string is bounded by the table's end. Layouts are those of the SMBIOS reference specification 3.6; texts are those of Linux's log.

mod entry;
mod ids;
mod structure;

pub use entry::{EntryError, EntryKind, EntryPoint, search};
pub use ids::{Field, Filtered, Ids};
pub use structure::{Broken, Chassis, MemoryDevice, Processor, Structure, structures};

#[cfg(test)]
mod tests;

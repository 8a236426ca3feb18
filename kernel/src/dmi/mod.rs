//! What the machine is as a product: maker, model, board, BIOS (SMBIOS, once called DMI).
//!
//! The names stand in the log and in every report of a fault, and choose workarounds: who has one for a machine declares a [`Quirk`]. The parser is
//! [`incipit_lib::dmi`]'s; this room finds the table, keeps it, and reads nothing else.

#[cfg(CONFIG_KDB)]
mod command;
mod quirk;
mod setup;

pub use quirk::{DMI_QUIRKS, Quirk};
pub use setup::{Dmi, dmi, dmi_setup};

use incipit_lib::dmi::{Field, Ids};

/// A name of the machine or of a part of it. None before `dmi_setup`, and if the firmware does not say.
#[must_use]
pub fn get(field: Field) -> Option<&'static [u8]> {
    dmi()?.ids.get(field)
}

/// The names as one text, for reports: Linux's "Hardware name".
#[must_use]
pub fn hardware_name() -> Option<&'static Ids<'static>> {
    Some(&dmi()?.ids)
}

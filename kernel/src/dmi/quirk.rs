//! Workarounds for machines that are known by name: declared where they belong, applied when the machine has said who it is (Linux's `dmi_check_system`).

use incipit_lib::dmi::{Field, Ids};
use linkme::distributed_slice;

use crate::prelude::*;

/// A workaround.
///
/// ```ignore
/// #[distributed_slice(DMI_QUIRKS)]
/// static A7V: Quirk = Quirk {
///     ident: "ASUS A7V",
///     matches: &[(Field::BoardVendor, "ASUSTeK Computer INC"), (Field::BoardName, "<A7V>")],
///     apply: disable_irq_routing,
/// };
/// ```
pub struct Quirk {
    /// The machine, as the log names it.
    pub ident: &'static str,
    /// What must be in which name; all of it.
    pub matches: &'static [(Field, &'static str)],
    /// What is to be done.
    pub apply: fn(),
}

/// The workarounds, wherever they are declared.
#[distributed_slice]
pub static DMI_QUIRKS: [Quirk];

impl Quirk {
    /// Whether it is for the machine with these names. One that asks for nothing is for none.
    #[must_use]
    pub fn is_for(&self, ids: &Ids<'_>) -> bool {
        !self.matches.is_empty() && self.matches.iter().all(|&(field, part)| ids.contains(field, part))
    }
}

/// Applies those that are for the machine with these names.
#[init]
pub(super) fn apply(ids: &Ids<'_>) {
    for quirk in DMI_QUIRKS.iter().filter(|quirk| quirk.is_for(ids)) {
        pr_notice!("DMI: {} detected", quirk.ident);
        (quirk.apply)();
    }
}

#[ktest]
fn a_quirk_is_for_a_machine_with_all_its_names() {
    let Some(ids) = super::hardware_name() else { return };
    let Some(vendor) = ids.get(Field::SysVendor).and_then(|name| core::str::from_utf8(name).ok()) else {
        return;
    };
    let quirk = |matches| Quirk {
        ident: "",
        matches,
        apply: || (),
    };
    assert!(ids.contains(Field::SysVendor, vendor));
    assert!(quirk(&[(Field::SysVendor, "")]).is_for(ids));
    assert!(!quirk(&[]).is_for(ids));
    assert!(!quirk(&[(Field::SysVendor, ""), (Field::BiosVersion, "no BIOS has this")]).is_for(ids));
}

//! Machines whose ACPI tables are known to be wrong: what Linux's table of them says.

use incipit_lib::dmi::Field;
use linkme::distributed_slice;

use super::options;
use crate::dmi::{DMI_QUIRKS, Quirk};
use crate::prelude::*;

#[distributed_slice(DMI_QUIRKS)]
static A7V: Quirk = Quirk {
    ident: "ASUS A7V",
    matches: &[
        (Field::BoardVendor, "ASUSTeK Computer INC"),
        (Field::BoardName, "<A7V>"),
        // Revision 1011 is right.
        (Field::BiosVersion, "ASUS A7V ACPI BIOS Revision 1007"),
    ],
    apply: disable_irq_routing,
};

#[distributed_slice(DMI_QUIRKS)]
static THINKPAD_600: Quirk = Quirk {
    ident: "IBM Thinkpad 600 Series 2645",
    matches: &[(Field::BoardVendor, "IBM"), (Field::BoardName, "2645")],
    apply: disable_irq_routing,
};

/// Leaves interrupts where the firmware has put them: Linux's `disable_acpi_irq`.
fn disable_irq_routing() {
    pr_notice!("ACPI: interrupts are not routed as this firmware says");
    options::set_noirq();
}

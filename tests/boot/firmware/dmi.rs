//! SMBIOS tables that say what the test wants them to.

use anyhow::ensure;
use incipit_tests::built::Build;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use super::boots;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("firmware::dmi_says_what_qemu_was_told", || {
            let log = boots(machine(&[
                "type=0,version=7.1,date=01/02/2003",
                "type=1,manufacturer=Maker,product=Model",
            ]))?;
            log.require(&["SMBIOS 2.8 present.", "DMI: Maker Model, BIOS 7.1 01/02/2003"])?;
            log.require(&["Hardware name: Maker Model, BIOS 7.1 01/02/2003"])
        }),
        trial("firmware::dmi_of_version_3_is_found", || {
            let log = boots(machine(&["type=1,manufacturer=Maker"]).chipset("pc,smbios-entry-point-type=64"))?;
            log.require(&["SMBIOS 3.0.0 present."])?;
            log.require_mention("DMI: Maker Standard PC")
        }),
        trial("firmware::dmi_shows_what_cannot_be_printed_by_its_number", || {
            let log = boots(machine(&["type=1,manufacturer=\u{1b}[2J,product=\u{7}", "type=2,product=   "]))?;
            log.require_mention("DMI: \\x1b[2J \\x07, BIOS ")
        }),
        trial("firmware::dmi_takes_names_of_any_length", || {
            let name = "n".repeat(3000);
            let log = boots(machine(&[&format!("type=1,manufacturer={name},product={name}")]))?;
            log.require_mention("DMI: nnnnnnnn")
        }),
        trial("firmware::dmi_chooses_a_workaround", || {
            let log = boots(machine(&[
                "type=0,version=ASUS A7V ACPI BIOS Revision 1007",
                "type=2,manufacturer=ASUSTeK Computer INC.,product=<A7V>",
            ]))?;
            log.require(&["DMI: ASUS A7V detected", "ACPI: interrupts are not routed as this firmware says"])?;
            log.refuse("INT_SRC_OVR")?;
            let newer = boots(machine(&[
                "type=0,version=ASUS A7V ACPI BIOS Revision 1011",
                "type=2,manufacturer=ASUSTeK Computer INC.,product=<A7V>",
            ]))?;
            newer.refuse("A7V detected")
        }),
        trial("firmware::dmi_is_shown_by_the_monitor", || {
            let mut session = Session::on(&machine(&["type=17,loc_pfx=SLOT"]).processors(16).append("kdb"))?;
            let text = session.obey("dmi")?;
            ensure!(text.contains("sys_vendor       QEMU") && text.contains(", 16 cores, "), "{text}");
            ensure!(text.contains("SLOT 0: 131072 KiB"), "{text}");
            Ok(())
        }),
    ]
}

/// A machine whose tables QEMU changes by these values of `-smbios`.
fn machine(values: &[&str]) -> Machine {
    let machine = Machine::new(&Build::ours().vmlinux());
    values.iter().fold(machine, |machine, value| machine.option("-smbios", value))
}

//! What the boot reads of processor and chipset beside memory: hypervisor, memory type ranges, PCI, and pauses between port accesses.

use std::fs;

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("devices::the_hypervisor_is_detected", || {
            machine().run()?.require(&["Hypervisor detected: TCG"])
        }),
        trial("devices::nopv_and_a_hidden_hypervisor_are_none", || {
            machine().append("nopv").run()?.refuse("Hypervisor detected")?;
            machine().cpu("max,-hypervisor").run()?.refuse("Hypervisor detected")
        }),
        trial("devices::mtrr_shows_what_the_firmware_set", mtrr),
        trial("devices::mtrr_show_puts_the_registers_into_the_log", || {
            let log = machine().append("mtrr.show").run()?;
            log.require(&[
                "MTRR default type: write-back",
                "MTRR fixed ranges enabled:",
                "MTRR variable ranges enabled:",
            ])
        }),
        trial("devices::without_mtrrs_that_count_nothing_is_trimmed", || {
            // microvm's firmware leaves them as they are after reset.
            let log = machine().chipset("microvm").run()?;
            log.require(&["mtrr: Disabled"])?;
            log.refuse("WARNING: BIOS bug")
        }),
        trial("devices::nopat_leaves_the_table_alone", || {
            let log = machine().append("nopat").run()?;
            log.require(&["x86/PAT: PAT support disabled via boot option."])?;
            log.refuse("x86/PAT: Configuration")
        }),
        trial("devices::lspci_shows_the_devices_of_a_pc", || {
            // The addresses, classes and numbers by which QEMU's documentation knows its chipset.
            let text = lspci(&machine())?;
            for row in [
                "00:00.0 0600: 8086:1237 (rev 02)",
                "00:01.0 0601: 8086:7000",
                "00:01.1 0101: 8086:7010",
            ] {
                ensure!(text.lines().any(|line| line == row), "no {row} in:\n{text}");
            }
            Ok(())
        }),
        trial("devices::lspci_goes_behind_bridges", || {
            let bridges = machine()
                .option("-device", "pci-bridge,id=first,chassis_nr=1,addr=10")
                .option("-device", "pci-bridge,id=second,chassis_nr=2,bus=first,addr=3")
                .option("-device", "pci-testdev,bus=second,addr=7");
            let text = lspci(&bridges)?;
            for row in ["00:10.0 0604: 1b36:0001", "01:03.0 0604: 1b36:0001", "02:07.0 00ff: 1b36:0005"] {
                ensure!(text.lines().any(|line| line == row), "no {row} in:\n{text}");
            }
            Ok(())
        }),
        trial("devices::a_machine_without_pci_has_no_devices", || {
            let text = lspci(&machine().chipset("microvm"))?;
            ensure!(text.trim() == "no PCI by ports 0xcf8 and 0xcfc", "{text}");
            Ok(())
        }),
        trial("devices::pci_earlydump_shows_configuration_space", earlydump),
        trial("devices::pci_noearly_leaves_the_devices_alone", || {
            machine().append("pci=earlydump,noearly").run()?.refuse("config space")?;
            let text = lspci(&machine().append("pci=off"))?;
            ensure!(text.trim() == "no PCI by ports 0xcf8 and 0xcfc", "{text}");
            Ok(())
        }),
        trial("devices::io_delay_writes_to_the_port_that_is_asked_for", pauses),
        trial("devices::a_machine_with_something_at_port_0x80_is_known", || {
            let presario = machine().option("-smbios", "type=2,manufacturer=Quanta,product=30D3");
            let log = presario.clone().run()?;
            log.require(&["DMI: Presario F700 detected", "io_delay: using 0xed I/O delay port"])?;
            presario.append("io_delay=0x80").run()?.refuse("using 0xed")
        }),
        trial("devices::an_io_delay_that_there_is_not_is_told", || {
            machine().append("io_delay=0x81").run()?.require(&[
                "io_delay: '0x81' is none of 0x80, 0xed, udelay, none",
                "Malformed early option 'io_delay'",
            ])
        }),
    ]
}

fn machine() -> Machine {
    Machine::new(&Build::ours().vmlinux())
}

fn lspci(machine: &Machine) -> Result<String> {
    Session::on(&machine.clone().append("kdb"))?.obey("lspci")
}

/// SeaBIOS has memory cached by default, and the hole below 4 GiB not.
fn mtrr() -> Result<()> {
    for (memory, row) in [
        ("128M", "reg00: base=0x080000000 ( 2048MB), size= 2048MB, count=1: uncachable"),
        ("3G", "reg00: base=0x0c0000000 ( 3072MB), size= 1024MB, count=1: uncachable"),
    ] {
        let text = Session::on(&machine().memory(memory).append("kdb"))?.obey("mtrr")?;
        ensure!(text.trim() == row, "{memory}: {text}");
    }
    Ok(())
}

/// The bridge of a pc: Intel's 82441FX, revision 2, in the form of Linux's dumps.
fn earlydump() -> Result<()> {
    let log = machine().append("pci=earlydump,bogus").run()?;
    log.require(&["PCI: Unknown option `bogus'", "pci 0000:00:00.0: config space:"])?;
    let bridge = log.lines().find(|line| line.starts_with("00000000: ")).unwrap_or_default();
    ensure!(
        bridge.starts_with("00000000: 86 80 37 12 ") && bridge.ends_with(" 02 00 00 06 00 00 00 00"),
        "{bridge}"
    );
    let rows = |prefix: &str| log.lines().filter(|line| line.contains(prefix)).count();
    let functions = rows(": config space:");
    ensure!(
        functions > 3 && rows("000000f0: ") == functions,
        "{functions} dumps that are not all whole"
    );
    Ok(())
}

/// A device that keeps what is written to it stands at port 0xed; the kernel's own test pauses three times.
fn pauses() -> Result<()> {
    let count = |words: &str| -> Result<usize> {
        let folder = Folder::new()?;
        let file = folder.path().join("written");
        let device = machine()
            .option("-chardev", &format!("file,id=port,path={}", file.display()))
            .option("-device", "isa-debugcon,iobase=0xed,chardev=port");
        device.append("kunit.enable=1 kunit.filter_glob=*io_delay*").append(words).run()?;
        Ok(fs::read(&file).with_context(|| file.display().to_string())?.len())
    };
    let written = count("io_delay=0xed")?;
    ensure!(written >= 3, "{written} bytes at port 0xed with io_delay=0xed");
    for words in ["", "io_delay=udelay", "io_delay=none"] {
        let written = count(words)?;
        ensure!(written == 0, "`{words}`: {written} bytes at port 0xed");
    }
    Ok(())
}

//! The monitor's `edd` and `bios`: what the BIOS said of disks and devices when the boot loader could still ask it.

use core::fmt::{self, Write};

use incipit_lib::bootparam::BootParams;
use incipit_lib::edd::{Disk, disks};
use linkme::distributed_slice;

use crate::arch::x86::setup::boot_params;
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static EDD: Command = Command {
    name: "edd",
    usage: "",
    help: "Display what the BIOS said of its disks",
    run: edd,
};

#[distributed_slice(KDB_COMMANDS)]
static BIOS: Command = Command {
    name: "bios",
    usage: "",
    help: "Display what the BIOS said of power management, monitor and keyboard",
    run: bios,
};

fn edd(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    let mut none = true;
    for disk in disks(boot_params()) {
        show(&disk, screen)?;
        none = false;
    }
    if none {
        writeln!(screen, "the BIOS has told of no disks")?;
    }
    Ok(Then::Stay)
}

fn show(disk: &Disk, screen: &mut dyn Write) -> fmt::Result {
    let info = &disk.info;
    let (sectors, bytes) = disk.size();
    write!(
        screen,
        "int13_dev{:02x} version {:#04x}: {sectors} sectors of {bytes} bytes",
        info.device, info.version
    )?;
    if let Some(signature) = disk.mbr_signature {
        write!(screen, ", mbr_signature {signature:#010x}")?;
    }
    writeln!(screen)?;
    let (heads, per_track) = (u16::from(info.legacy_max_head) + 1, info.legacy_sectors_per_track);
    writeln!(
        screen,
        "  {} cylinders, {heads} heads, {per_track} sectors per track",
        u32::from(info.legacy_max_cylinder) + 1
    )?;
    if let Err(error) = disk.check() {
        writeln!(screen, "  {error}")?;
    }
    match disk.path() {
        Ok(Some(path)) => writeln!(screen, "  {path}"),
        Ok(None) => Ok(()),
        Err(error) => writeln!(screen, "  {error}"),
    }
}

fn bios(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    let params = boot_params();
    let apm = params.apm_bios_info();
    match apm.version {
        0 => writeln!(screen, "no APM")?,
        version => writeln!(screen, "APM {}.{}, flags {:#x}", version >> 8, version & 0xff, apm.flags)?,
    }
    let ist = params.ist_info();
    match ist.signature {
        0 => writeln!(screen, "no SpeedStep")?,
        signature => writeln!(
            screen,
            "SpeedStep {signature:#x}: command {:#x}, event {:#x}",
            ist.command, ist.event
        )?,
    }
    writeln!(screen, "keyboard flags {:#04x}", params.kbd_status())?;
    edid(params, screen)?;
    Ok(Then::Stay)
}

/// Maker and model of the monitor, as its EDID has them (VESA E-EDID 3.4).
fn edid(params: &BootParams, screen: &mut dyn Write) -> fmt::Result {
    const BEGIN: [u8; 8] = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
    let edid = params.edid_info();
    if !edid.starts_with(&BEGIN) {
        return writeln!(screen, "nothing is known of the monitor");
    }
    let packed = u16::from_be_bytes([edid[8], edid[9]]);
    let letter = |shift: u16| char::from(b'@' + (packed >> shift & 0x1f) as u8);
    let model = u16::from_le_bytes([edid[10], edid[11]]);
    let note = if incipit_lib::checksum::sum(&edid) == 0 {
        ""
    } else {
        ", bad checksum"
    };
    writeln!(
        screen,
        "monitor {}{}{} {model:04x}, EDID {}.{}{note}",
        letter(10),
        letter(5),
        letter(0),
        edid[18],
        edid[19]
    )
}

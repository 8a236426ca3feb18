//! How Bochs is told of a machine.
//!
//! A guest ends it as it ends QEMU with `-no-reboot`, by a reset: the debugger stops where a processor begins after one, and quits. A triple fault ends it, too, and is in its log.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::grub::disc_for;
use crate::machine::{Firmware, Machine};

/// The emulator.
pub const PROGRAM: &str = "bochs";

/// What Debian's packages bochsbios and vgabios bring.
const BIOS: &str = "/usr/share/bochs/BIOS-bochs-latest";
const VGA_BIOS: &str = "/usr/share/bochs/VGABIOS-lgpl-latest";

/// A processor that has all that the emulator can do.
const CPU: &str = "corei7_skylake_x";

/// Instructions in a second of the guest's time. The firmware waits in seconds; with few instructions in one it waits for less of ours.
const SPEED: u32 = 4_000_000;

/// Where a processor begins after a reset, and where the jump there leads. With several processors the debugger overlooks the first instruction of a turn, which
/// the one behind a reset is. The machine passes the second place once when it is switched on.
const DEBUGGER: &str = "pb 0xfffffff0\npb 0xfe05b\nc\nc\nq\n";

/// Devices that no boot needs, some of which write files or open sound devices.
const PLUGINS: &str = "unmapped=1, iodebug=1, sb16=0, es1370=0, e1000=0, voodoo=0, speaker=0, gameport=0";

/// The window that nobody looks into: a server for viewers, which takes the first free port of fifty and waits for none.
const NO_WINDOW: &str = "rfb, options=\"timeout=0\"";

/// Where the guest's serial line leads.
#[derive(Debug, Clone)]
pub enum Serial {
    /// To a program that listens on this port of the local host.
    Port(u16),
    /// To a terminal.
    Terminal(PathBuf),
    /// To standard output, without the way back.
    Output,
}

/// Whether the BIOS that Bochs' machines have is on this computer.
#[must_use]
pub fn has_bios() -> bool {
    [BIOS, VGA_BIOS].iter().all(|file| Path::new(file).exists())
}

impl Machine {
    /// The command that starts Bochs with this machine. What it needs is put into `folder`; its own log will be `bochs.log` there, and what its debugger says
    /// `bochs.out`.
    ///
    /// # Errors
    ///
    /// If there is no such machine, or its media are not to be had.
    pub fn bochs(&self, folder: &Path, serial: &Serial, window: Option<&str>) -> Result<Command> {
        ensure!(self.firmware == Firmware::Bios, "Bochs has a BIOS and no UEFI");
        for (file, package) in [(BIOS, "bochsbios"), (VGA_BIOS, "vgabios")] {
            ensure!(Path::new(file).exists(), "there is no {file}, which is in the package {package}");
        }
        let disc = disc_for(&self.disc()?, folder)?;
        let (settings, orders) = (folder.join("bochsrc"), folder.join("debugger"));
        fs::write(&settings, self.settings(folder, &disc, serial, window)?).with_context(|| settings.display().to_string())?;
        fs::write(&orders, DEBUGGER)?;
        // Descriptor 3 is the caller's standard output; Bochs' own has the words of its debugger.
        let mut command = Command::new("sh");
        command
            .args(["-c", "out=$1; shift; exec \"$@\" 3>&1 >\"$out\" 2>&1", "sh"])
            .arg(folder.join("bochs.out"))
            .arg(PROGRAM)
            .arg("-q")
            .arg("-f")
            .arg(settings)
            .arg("-rc")
            .arg(orders)
            .stdin(Stdio::null());
        Ok(command)
    }

    fn settings(&self, folder: &Path, disc: &Path, serial: &Serial, window: Option<&str>) -> Result<String> {
        let cpu = self.cpu.as_deref().unwrap_or(CPU);
        let serial = match serial {
            Serial::Port(port) => format!("mode=socket-client, dev=127.0.0.1:{port}"),
            Serial::Terminal(device) => format!("mode=term, dev={}", device.display()),
            Serial::Output => "mode=file, dev=/dev/fd/3".to_owned(),
        };
        let mut text = String::new();
        let lines = [
            format!("display_library: {}", window.unwrap_or(NO_WINDOW)),
            format!("megs: {}", self.mebibytes()?),
            format!("cpu: count={}, ips={SPEED}, model={cpu}, reset_on_triple_fault=0", self.processors),
            format!("romimage: file={BIOS}"),
            format!("vgaromimage: file={VGA_BIOS}"),
            format!("ata0-master: type=cdrom, path={}, status=inserted", disc.display()),
            "boot: cdrom".to_owned(),
            "clock: sync=none, time0=1700000000".to_owned(),
            format!("com1: enabled=1, {serial}"),
            "sound: driver=dummy, waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy".to_owned(),
            format!("plugin_ctrl: {PLUGINS}"),
            format!("log: {}", folder.join("bochs.log").display()),
            "panic: action=fatal".to_owned(),
        ];
        for line in lines {
            // A string takes everything.
            let _ = writeln!(text, "{line}");
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_say_processors_memory_and_serial_line() {
        let mut machine = Machine::new(Path::new("vmlinux"));
        machine.processors = 2;
        let text = machine
            .settings(Path::new("/f"), Path::new("/f/cd.iso"), &Serial::Port(7), None)
            .unwrap();
        for line in [
            "megs: 128",
            "cpu: count=2, ips=4000000, model=corei7_skylake_x, reset_on_triple_fault=0",
            "ata0-master: type=cdrom, path=/f/cd.iso, status=inserted",
            "com1: enabled=1, mode=socket-client, dev=127.0.0.1:7",
            "log: /f/bochs.log",
        ] {
            assert!(text.lines().any(|other| other == line), "no `{line}` in:\n{text}");
        }
    }
}

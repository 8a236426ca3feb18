//! `make iso`, `make bochs`, `make qemu-uefi`: the media that the image boots from, and machines on this terminal.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};

use incipit_machine::bochs::Serial;
use incipit_machine::grub::{Disc, Protocol};
use incipit_machine::machine::Firmware;
use incipit_machine::{Emulator, Loader, Machine, qemu};

/// Seconds that the menu of the CD waits.
const TIMEOUT: u32 = 5;

#[derive(Parser)]
#[command(about = "Makes the media that the image boots from, and boots it")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Make a CD that BIOS and UEFI boot, with GRUB and every way in that it has
    Iso {
        #[command(flatten)]
        what: What,
        /// Where it is written
        #[arg(long)]
        output: PathBuf,
    },
    /// Boot in Bochs
    Bochs {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        machine: Size,
        /// Bochs' display library for a window: x, sdl2, wx, term
        #[arg(long)]
        window: Option<String>,
    },
    /// Boot in QEMU with UEFI
    Uefi {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        machine: Size,
        /// Boot with GRUB from a CD instead of starting the bzImage
        #[arg(long)]
        grub: bool,
        /// Show the machine's screen in a window
        #[arg(long)]
        window: bool,
    },
}

#[derive(Args)]
struct What {
    /// The folder of the build, which has vmlinux and bzImage
    #[arg(long)]
    build: PathBuf,
    /// The kernel's command line
    #[arg(long, default_value = "")]
    append: OsString,
    /// The initial RAM disk
    #[arg(long)]
    initrd: Option<PathBuf>,
}

#[derive(Args)]
struct Size {
    /// Size of memory
    #[arg(long, default_value = "128M")]
    memory: String,
    /// Processors
    #[arg(long, default_value_t = 1)]
    processors: u32,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Iso { what, output } => iso(&what, &output),
        Task::Bochs { what, machine, window } => bochs(&what, machine, window.as_deref()),
        Task::Uefi {
            what,
            machine,
            grub,
            window,
        } => uefi(&what, machine, grub, window),
    }
}

fn iso(what: &What, output: &Path) -> Result<()> {
    let (vmlinux, bzimage) = (what.build.join("vmlinux"), what.build.join("bzImage"));
    if let Some(initrd) = &what.initrd {
        ensure!(initrd.is_file(), "the initial RAM disk {} is no file", initrd.display());
    }
    let disc = Disc {
        entries: vec![
            (Protocol::Multiboot2, &vmlinux),
            (Protocol::Linux, &bzimage),
            (Protocol::Linux16, &bzimage),
        ],
        command_line: &what.append,
        initrd: what.initrd.as_deref(),
        timeout: TIMEOUT,
        screen: None,
    };
    disc.write(&folder(what, "iso")?, output)
}

fn bochs(what: &What, size: Size, window: Option<&str>) -> Result<()> {
    let machine = Machine {
        emulator: Emulator::Bochs,
        loader: Loader::Grub(Protocol::Linux),
        ..machine(what, "bzImage", size)
    };
    let interactive = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let serial = if interactive {
        Serial::Terminal("/dev/tty".into())
    } else {
        Serial::Output
    };
    let folder = folder(what, "bochs")?;
    let command = machine.bochs(&folder, &serial, window)?;
    // Bochs leaves the terminal as raw as it needs it.
    let settings = if interactive { stty("-g")? } else { String::new() };
    let status = finish(command);
    if interactive {
        stty(settings.trim())?;
    }
    let status = status?;
    ensure!(
        status.success(),
        "Bochs failed ({status}); it says why in {}",
        folder.join("bochs.log").display()
    );
    Ok(())
}

fn uefi(what: &What, size: Size, grub: bool, window: bool) -> Result<()> {
    let mut machine = Machine {
        firmware: Firmware::Uefi,
        chipset: "q35".into(),
        ..machine(what, "bzImage", size)
    };
    if grub {
        machine.loader = Loader::Grub(Protocol::Linux);
    }
    let mut command = Command::new(qemu::PROGRAM);
    command.args(["-accel", "tcg", "-cpu", "max", "-nic", "none", "-no-reboot", "-serial", "mon:stdio"]);
    if !window {
        command.args(["-display", "none"]);
    }
    command.args(machine.qemu_words(&folder(what, "uefi")?)?);
    let status = finish(command)?;
    ensure!(status.success(), "QEMU failed ({status})");
    Ok(())
}

fn machine(what: &What, kernel: &str, size: Size) -> Machine {
    let mut machine = Machine::new(&what.build.join(kernel));
    machine.append(what.append.as_bytes());
    machine.initrd.clone_from(&what.initrd);
    machine.memory = size.memory;
    machine.processors = size.processors;
    machine
}

/// A folder below that of the build for what a machine needs, empty.
fn folder(what: &What, name: &str) -> Result<PathBuf> {
    let folder = what.build.join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    folder.canonicalize().with_context(|| folder.display().to_string())
}

/// Has the terminal's settings shown or changed.
fn stty(word: &str) -> Result<String> {
    let output = Command::new("stty")
        .arg(word)
        .stdin(Stdio::inherit())
        .output()
        .context("cannot start stty")?;
    ensure!(
        output.status.success(),
        "stty {word}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn finish(mut command: Command) -> Result<ExitStatus> {
    command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))
}

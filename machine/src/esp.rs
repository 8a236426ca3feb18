//! A disk with a FAT file system, from which UEFI boots a file without any loader between.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{Machine, tool};

/// Room on the disk beside the files: FAT's own tables, and clusters that are not full.
const SPARE: u64 = 2 << 20;

/// Writes a disk with `files`, each a path on the disk (`EFI/BOOT/BOOTX64.EFI`) and what is to be there, to `folder`, and returns its path.
///
/// # Errors
///
/// If a file cannot be read, or mtools are missing or fail.
pub fn disk(folder: &Path, files: &[(&str, &Path)]) -> Result<PathBuf> {
    let disk = folder.join("esp.img");
    let mut size = SPARE;
    for (_, source) in files {
        size += source.metadata().with_context(|| source.display().to_string())?.len();
    }
    File::create(&disk)?.set_len(size.next_multiple_of(1 << 20))?;
    mtool("mformat", &disk, &["::"])?;
    let mut folders = Vec::new();
    for (place, source) in files {
        for parent in Path::new(place).ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            if !parent.as_os_str().is_empty() && !folders.contains(&parent) {
                mtool("mmd", &disk, &[&format!("::{}", parent.display())])?;
                folders.push(parent);
            }
        }
        mtool("mcopy", &disk, &[&source.display().to_string(), &format!("::{place}")])?;
    }
    Ok(disk)
}

/// What the shell of UEFI is told: to start the file of the kernel.
const SCRIPT: &str = "startup.nsh";
const KERNEL: &str = "bzImage.efi";
const RAM_DISK: &str = "initrd";

/// Writes a disk from which the shell of UEFI boots `machine`, to `folder`, and returns its path.
///
/// # Errors
///
/// As for [`disk`], or if the command line is none that the shell hands on.
pub fn disk_with_script(machine: &Machine, folder: &Path) -> Result<PathBuf> {
    let line = machine.command_line.to_str().context("the shell of UEFI takes text only")?;
    if let Some(character) = line
        .chars()
        .find(|character| "\"^%#<>|;".contains(*character) || character.is_control())
    {
        bail!("the shell of UEFI does not hand on {character:?} as it is written");
    }
    let script = folder.join(SCRIPT);
    let mut files = vec![(SCRIPT, script.as_path()), (KERNEL, &machine.kernel)];
    let mut text = format!("fs0:\r\n{KERNEL} {line}");
    if let Some(initrd) = &machine.initrd {
        files.push((RAM_DISK, initrd));
        text.push_str(&format!(" initrd=\\{RAM_DISK}"));
    }
    fs::write(&script, text + "\r\n")?;
    disk(folder, &files)
}

fn mtool(name: &str, disk: &Path, words: &[&str]) -> Result<()> {
    tool::run(Command::new(name).arg("-i").arg(disk).args(words), "mtools")
}

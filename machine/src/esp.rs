//! A disk with a FAT file system, from which UEFI boots a file without any loader between.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::tool;

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

fn mtool(name: &str, disk: &Path, words: &[&str]) -> Result<()> {
    tool::run(Command::new(name).arg("-i").arg(disk).args(words), "mtools")
}

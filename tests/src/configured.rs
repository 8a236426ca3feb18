//! Images of other configurations than the default one: built, and booted to their end whether they can say how they fare or not.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSection, SectionFlags};

use crate::built::{Build, root};
use crate::guest::Folder;
use crate::machine::Machine;
use crate::make::{Failure, make, typed};

/// The folder of the images, below `out`. One for all: cargo builds them with what it has in common.
const FOLDER: &str = "configured";

/// What the kernel says at its end, if it can say anything.
const END: &str = "Kernel panic - not syncing: No working init found.";

/// Bytes of an image, as `size` counts them, and of the file that boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Code, and what is read only.
    pub text: u64,
    /// Data with content.
    pub data: u64,
    /// Data that begins as zeros.
    pub bss: u64,
    /// The file `bzImage`.
    pub bzimage: u64,
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, data, bss, bzimage } = self;
        write!(f, "text {text}, data {data}, bss {bss}, bzImage {bzimage} bytes")
    }
}

/// The sizes of an image.
///
/// # Errors
///
/// If its files cannot be read.
pub fn sizes(build: &Build) -> Result<Sizes> {
    let file = fs::read(build.vmlinux())?;
    let elf = object::File::parse(&*file)?;
    let mut sizes = Sizes {
        text: 0,
        data: 0,
        bss: 0,
        bzimage: fs::metadata(build.bzimage())?.len(),
    };
    for section in elf.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        let kind = if sh_flags.0 & object::elf::SHF_ALLOC.0 == 0 {
            continue;
        } else if sh_flags.0 & object::elf::SHF_WRITE.0 == 0 {
            &mut sizes.text
        } else if section.file_range().is_none() {
            &mut sizes.bss
        } else {
            &mut sizes.data
        };
        *kind += section.size();
    }
    Ok(sizes)
}

/// Runs a command of `config/kconfig`, which writes the configuration `config`.
///
/// # Errors
///
/// If the command fails; the error shows what it said.
pub fn configure(config: &Path, command: &str) -> Result<()> {
    let output = typed(&format!(
        ". out/toolchain.env; \"$PYTHON\" -B config/kconfig --config '{}' --folder out/{FOLDER}/kconfig {command}",
        config.display()
    ))?;
    ensure!(
        output.status.success(),
        "config/kconfig {command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Builds the image of `config`, boots it to its end, and returns its sizes.
///
/// # Errors
///
/// If it does not build, does not end, ends in a triple fault, or does not say at its end what every kernel says that can.
pub fn builds_and_boots(config: &Path) -> Result<Sizes> {
    let build = match make(FOLDER, &[format!("KCONFIG_CONFIG={}", config.display())])? {
        Ok(build) => build,
        Err(Failure(text)) => bail!("the image does not build:\n{text}"),
    };
    let place = Folder::new()?;
    let resets = place.path().join("resets");
    let log = Machine::new(&build.bzimage())
        .append("ignore_loglevel")
        .option("-d", "cpu_reset")
        .option("-D", &resets.display().to_string())
        .run()?;
    let resets = fs::read_to_string(&resets).context("what QEMU says of resets")?;
    ensure!(!resets.contains("Triple fault"), "the boot ends in a triple fault:\n{}", log.tail());
    let text = fs::read_to_string(config)?;
    let is_on = |symbol: &str| text.lines().any(|line| line == format!("CONFIG_{symbol}=y"));
    if is_on("SERIAL_8250") {
        log.require_mention(END)?;
    }
    sizes(&build)
}

/// Builds and boots the random configuration of `seed`.
///
/// # Errors
///
/// As for [`builds_and_boots`]; the error names the seed and shows the configuration, which is left in `out/configured/SEED.config`.
pub fn random(seed: u64) -> Result<Sizes> {
    let folder = root().join("out").join(FOLDER);
    fs::create_dir_all(&folder)?;
    let config = folder.join(format!("{seed}.config"));
    configure(&config, &format!("randconfig {seed}"))?;
    builds_and_boots(&config).with_context(|| {
        let text = fs::read_to_string(&config).unwrap_or_default();
        format!("seed {seed}, {}:\n{text}", config.display())
    })
}

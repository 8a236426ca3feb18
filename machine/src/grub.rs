//! A CD with GRUB on it, which BIOS and UEFI boot alike: what is in its menu, and how the file is made.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::tool;

/// How GRUB starts a kernel. The names are GRUB's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// An ELF image with a multiboot2 header.
    Multiboot2,
    /// A bzImage: by the 32-bit boot protocol from a BIOS, by GRUB's choice from UEFI.
    Linux,
    /// A bzImage by the 16-bit boot protocol. From a BIOS only.
    Linux16,
}

impl Protocol {
    /// The command that loads the initial RAM disk.
    fn initrd(self) -> &'static str {
        match self {
            Self::Multiboot2 => "module2",
            Self::Linux => "initrd",
            Self::Linux16 => "initrd16",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Multiboot2 => "multiboot2",
            Self::Linux => "linux",
            Self::Linux16 => "linux16",
        })
    }
}

/// What the CD has.
#[derive(Debug, Clone)]
pub struct Disc<'a> {
    /// The entries of the menu, the first of which is the default. A name is that of the file on the CD.
    pub entries: Vec<(Protocol, &'a Path)>,
    /// What each entry's kernel gets.
    pub command_line: &'a OsStr,
    /// What each entry's kernel gets beside it. A file that is not there is in the menu all the same, and GRUB has to see to it.
    pub initrd: Option<&'a Path>,
    /// Seconds until the first entry is started.
    pub timeout: u32,
    /// The screen that the kernel gets, as GRUB's `gfxpayload` has it.
    pub screen: Option<&'a str>,
}

impl Disc<'_> {
    /// Writes the image of the CD to `file`. What it is made from stays behind in `folder`.
    ///
    /// # Errors
    ///
    /// If the command line is none that GRUB hands on, or a program that makes the CD is missing or fails.
    pub fn write(&self, folder: &Path, file: &Path) -> Result<()> {
        let root = folder.join("cd");
        let boot = root.join("boot");
        fs::create_dir_all(boot.join("grub")).with_context(|| boot.display().to_string())?;
        fs::write(boot.join("grub/grub.cfg"), self.menu()?)?;
        for source in self
            .entries
            .iter()
            .map(|(_, kernel)| *kernel)
            .chain(self.initrd.filter(|file| file.exists()))
        {
            fs::copy(source, boot.join(name(source)?)).with_context(|| source.display().to_string())?;
        }
        let mut command = Command::new("grub-mkrescue");
        command.args(["--locales=", "--themes=", "--fonts=", "-o"]).arg(file).arg(root);
        tool::run(&mut command, "grub-common")
    }

    /// The text of `grub.cfg`.
    fn menu(&self) -> Result<Vec<u8>> {
        let words = words(self.command_line)?;
        let mut text = format!("{PREAMBLE}set timeout={}\n", self.timeout).into_bytes();
        for &(protocol, kernel) in &self.entries {
            let linux16 = protocol == Protocol::Linux16;
            text.extend(if linux16 { "if [ $grub_platform = pc ]; then\n" } else { "" }.as_bytes());
            text.extend(format!("menuentry Incipit\\ by\\ {protocol} --id {protocol} {{\n    {protocol} /boot/").into_bytes());
            text.extend(name(kernel)?.as_bytes());
            text.extend(&words);
            // Behind the kernel, whose wish GRUB takes down in the same place.
            match (self.screen, protocol) {
                (Some(screen), _) => text.extend(format!("\n    set gfxpayload={screen}").into_bytes()),
                (None, Protocol::Multiboot2) => text.extend(TEXT_ON_BIOS.as_bytes()),
                (None, Protocol::Linux | Protocol::Linux16) => {}
            }
            if let Some(initrd) = self.initrd {
                text.extend(format!("\n    {} /boot/", protocol.initrd()).into_bytes());
                text.extend(name(initrd)?.as_bytes());
            }
            text.extend(if linux16 { "\n}\nfi\n" } else { "\n}\n" }.as_bytes());
        }
        Ok(text)
    }
}

/// The menu shows on the screen and on the serial line. UEFI shows it on both by itself, and has its own drivers for the screen.
const PREAMBLE: &str = "\
if [ $grub_platform = pc ]; then
    serial --unit=0 --speed=115200
    terminal_input console serial
    terminal_output console serial
else
    insmod all_video
fi
set default=0
";

/// The kernel wishes for a framebuffer. A BIOS without any but such with a palette has GRUB 2.06 write the palette past the end of its tags and over itself,
/// so on a BIOS it gets a text screen, as by the other protocols.
const TEXT_ON_BIOS: &str = "\n    if [ $grub_platform = pc ]; then set gfxpayload=text; fi";

fn name(file: &Path) -> Result<&OsStr> {
    file.file_name().with_context(|| format!("{} is no file", file.display()))
}

/// The command line's words as GRUB's language has them: each quoted, and a blank before it.
fn words(command_line: &OsStr) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for word in command_line.as_bytes().split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
        if let Some(byte) = word
            .iter()
            .find(|byte| matches!(byte, b'"' | b'\'' | b'\\') || byte.is_ascii_control())
        {
            bail!(
                "GRUB does not hand on `{}` as it is written: it puts a backslash before {:?}",
                String::from_utf8_lossy(word),
                char::from(*byte)
            );
        }
        text.extend(b" '");
        text.extend(word);
        text.push(b'\'');
    }
    Ok(text)
}

/// A new CD for a machine with one kernel, in `folder`.
///
/// # Errors
///
/// As for [`Disc::write`].
pub fn disc_for(disc: &Disc<'_>, folder: &Path) -> Result<PathBuf> {
    ensure!(!disc.entries.is_empty(), "a CD without a kernel boots nothing");
    let file = folder.join("cd.iso");
    disc.write(folder, &file)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(command_line: &str, initrd: Option<&Path>) -> Result<String> {
        let disc = Disc {
            entries: vec![
                (Protocol::Multiboot2, Path::new("/a/vmlinux")),
                (Protocol::Linux16, Path::new("/a/bzImage")),
            ],
            command_line: OsStr::new(command_line),
            initrd,
            timeout: 5,
            screen: Some("800x600x32"),
        };
        Ok(String::from_utf8(disc.menu()?).unwrap())
    }

    #[test]
    fn each_entry_gets_the_words_quoted_and_its_own_command_for_the_ram_disk() {
        let text = menu("console=ttyS0  a=$b;c", Some(Path::new("/tmp/initrd.gz"))).unwrap();
        for line in [
            "set timeout=5",
            "    set gfxpayload=800x600x32",
            "menuentry Incipit\\ by\\ multiboot2 --id multiboot2 {",
            "    multiboot2 /boot/vmlinux 'console=ttyS0' 'a=$b;c'",
            "    module2 /boot/initrd.gz",
            "    linux16 /boot/bzImage 'console=ttyS0' 'a=$b;c'",
            "    initrd16 /boot/initrd.gz",
        ] {
            assert!(text.lines().any(|other| other == line), "no `{line}` in:\n{text}");
        }
    }

    #[test]
    fn a_wish_for_a_screen_stands_behind_the_kernel_that_has_another() {
        let text = menu("", None).unwrap();
        let (before, behind) = text.split_once("multiboot2 /boot/vmlinux").unwrap();
        assert!(!before.contains("gfxpayload") && behind.contains("gfxpayload"), "{text}");
    }

    #[test]
    fn only_a_bios_is_offered_the_16_bit_protocol() {
        let text = menu("", None).unwrap();
        let (before, behind) = text.split_once("menuentry Incipit\\ by\\ linux16").unwrap();
        assert!(
            before.ends_with("if [ $grub_platform = pc ]; then\n") && behind.ends_with("}\nfi\n"),
            "{text}"
        );
    }

    #[test]
    fn what_grub_would_change_is_refused() {
        for line in ["a=\"b c\"", "a='b'", "a\\b", "a\nb"] {
            let error = menu(line, None).unwrap_err().to_string();
            assert!(error.contains("backslash"), "{error}");
        }
    }
}

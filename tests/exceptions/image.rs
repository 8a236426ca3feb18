//! The built image as a reader of reports needs it: symbols by name, code by address, instructions.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use incipit_tests::elf::{Elf, Symbol};

/// The disassembler.
pub const OBJDUMP: &str = "objdump";

/// A built image.
pub struct Image {
    path: PathBuf,
    bytes: Vec<u8>,
    elf: Elf,
}

/// An instruction of the image.
#[derive(Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it is.
    pub address: u64,
    /// What it does, as the disassembler writes it.
    pub mnemonic: String,
}

impl Image {
    /// Reads the image in `path`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let elf = Elf::with_object(&bytes)?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            elf,
        })
    }

    /// The addresses of the symbols called `name`.
    pub fn addresses(&self, name: &str) -> Vec<u64> {
        let named = self.places().filter(|symbol| symbol.name == name);
        named.map(|symbol| symbol.value).collect()
    }

    /// The one address of the symbol `name`.
    ///
    /// # Errors
    ///
    /// If there is none, or more than one.
    pub fn address(&self, name: &str) -> Result<u64> {
        match self.addresses(name)[..] {
            [address] => Ok(address),
            ref other => bail!("the image has {} symbols `{name}`", other.len()),
        }
    }

    /// The addresses of init memory.
    ///
    /// # Errors
    ///
    /// If the image has no symbols for it.
    pub fn init(&self) -> Result<Range<u64>> {
        Ok(self.address("__init_begin")?..self.address("__init_end")?)
    }

    /// The address that `name+0xoffset/0xsize` means, as `decode_stacktrace.sh` finds it: the address of the symbol by `nm`, and the offset.
    ///
    /// # Errors
    ///
    /// If it is no such text, no symbol has this name and size, or the offset lies behind the symbol's end.
    pub fn resolve(&self, place: &str) -> Result<u64> {
        let (name, offset, size) = split(place).with_context(|| format!("`{place}` is not of the form name+0xoffset/0xsize"))?;
        ensure!(
            offset < size || (offset == size && offset > 0),
            "the offset of `{place}` lies outside the symbol"
        );
        let addresses = self.addresses(name);
        ensure!(!addresses.is_empty(), "the image has no symbol `{name}`");
        let fits = |address: &&u64| self.room_behind(**address) == Some(size);
        let address = addresses
            .iter()
            .find(fits)
            .with_context(|| format!("no symbol `{name}` has {size:#x} bytes up to the next symbol"))?;
        Ok(address + offset)
    }

    /// Bytes from `address` to the next symbol.
    fn room_behind(&self, address: u64) -> Option<u64> {
        let next = self.places().map(|symbol| symbol.value).filter(|&value| value > address).min()?;
        Some(next - address)
    }

    /// The symbols that a report may name: neither entries of the link-time tables nor labels inside a function.
    fn places(&self) -> impl Iterator<Item = &Symbol> {
        let in_a_section = |symbol: &&Symbol| (1..0xff00).contains(&symbol.section);
        self.elf
            .symbols
            .iter()
            .filter(in_a_section)
            .filter(|symbol| !symbol.name.contains('$') && !symbol.name.starts_with(".L"))
    }

    /// `length` bytes of the file that are loaded to `address`.
    pub fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
        let start = self.elf.offset_of(address)?;
        self.bytes.get(start..start + length)
    }

    /// The instructions from `start` up to `end`.
    ///
    /// # Errors
    ///
    /// If the disassembler fails.
    pub fn instructions(&self, start: u64, end: u64) -> Result<Vec<Instruction>> {
        let output = Command::new(OBJDUMP)
            .args(["-d", "--no-show-raw-insn", "-M", "intel"])
            .arg(format!("--start-address={start:#x}"))
            .arg(format!("--stop-address={end:#x}"))
            .arg(&self.path)
            .output()
            .with_context(|| format!("starting {OBJDUMP}"))?;
        ensure!(output.status.success(), "{OBJDUMP}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(instruction).collect())
    }
}

/// The instruction in a line of the disassembler, `address:<tab>mnemonic operands`.
fn instruction(line: &str) -> Option<Instruction> {
    let (address, text) = line.split_once(":\t")?;
    Some(Instruction {
        address: u64::from_str_radix(address.trim(), 16).ok()?,
        mnemonic: text.split_whitespace().next()?.to_owned(),
    })
}

/// Name, offset and size in `name+0xoffset/0xsize`.
pub fn split(place: &str) -> Option<(&str, u64, u64)> {
    let (name, numbers) = place.rsplit_once('+')?;
    let (offset, size) = numbers.split_once('/')?;
    let number = |text: &str| {
        let digits = text.strip_prefix("0x")?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        u64::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    Some((name, number(offset)?, number(size)?))
}

//! Stops a guest where it takes over from the boot loader, so that a test can say what it is handed: `boot_params` for `start_kernel`, start information
//! for the PVH entry.

use anyhow::{Context, Result};
use incipit_lib::bootparam::BootParams;
use incipit_linker::seal::image::Image;
use incipit_tests::built::Build;
use incipit_tests::debugger::{Debugger, Register};
use incipit_tests::elf::Elf;
use incipit_tests::guest::Guest;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;

/// Where every way in hands over.
const START_KERNEL: &str = "incipit::init::main::start_kernel";

/// The memory map in `boot_params`: how many entries, and the first.
const E820_ENTRIES: u64 = 0x1e8;
const E820_TABLE: u64 = 0x2d0;
/// How many entries `boot_params` holds.
pub const E820_MAX: usize = 128;
/// Memory above 1 MiB in KiB, as the BIOS' function `e801h` tells it, and as function `88h` does.
const ALT_MEM_K: u64 = 0x1e0;
const EXT_MEM_K: u64 = 0x02;
/// The RAM disk, low and high halves.
const RAMDISK: u64 = 0x218;
const EXT_RAMDISK: u64 = 0x0c0;
/// The command line, which ends with a NUL.
const CMD_LINE_PTR: u64 = 0x228;
/// The chain of further data.
const SETUP_DATA: u64 = 0x250;
/// `SETUP_E820_EXT`: more entries of the memory map.
const SETUP_E820_EXT: u32 = 1;

/// A range of the memory map: address, size, type.
pub type Range = (u64, u64, u32);

/// A guest that is stopped there.
pub struct Takeover {
    guest: Guest,
    boot_params: u64,
}

impl Takeover {
    /// Boots `machine` to where it hands over.
    ///
    /// # Errors
    ///
    /// If it does not get there.
    pub fn new(machine: Machine) -> Result<Self> {
        let image = Image::read(&Build::ours().vmlinux())?;
        let address = image
            .address_of(START_KERNEL)
            .with_context(|| format!("no symbol {START_KERNEL}"))?;
        let mut guest = machine.debugged().start()?;
        let debugger = guest.debugger()?;
        debugger.run_to(address)?;
        // Its only argument; the early page tables map physical memory at its own address, too.
        let boot_params = debugger.register(Register::Rdi)?;
        Ok(Self { guest, boot_params })
    }

    fn debugger(&mut self) -> Result<&mut Debugger> {
        self.guest.debugger()
    }

    fn set(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let address = self.boot_params + offset;
        self.debugger()?.write(address, bytes)
    }

    /// What the way in made.
    ///
    /// # Errors
    ///
    /// If the guest cannot be read.
    pub fn boot_params(&mut self) -> Result<BootParams> {
        let mut params = BootParams::zeroed();
        let page = self.guest.debugger()?.read(self.boot_params, BootParams::SIZE)?;
        params.as_bytes_mut().copy_from_slice(&page);
        Ok(params)
    }

    /// Replaces the memory map, and says of it that it has `count` entries.
    ///
    /// # Errors
    ///
    /// If the guest's memory cannot be written.
    pub fn set_memory_map(&mut self, ranges: &[Range], count: u8) -> Result<()> {
        self.set(E820_TABLE, &packed(ranges))?;
        self.set(E820_ENTRIES, &[count])
    }

    /// Replaces the sizes of memory that a kernel without a map goes by.
    ///
    /// # Errors
    ///
    /// As for [`Self::set_memory_map`].
    pub fn set_memory_sizes(&mut self, e801: u32, function_88: u16) -> Result<()> {
        self.set(ALT_MEM_K, &e801.to_le_bytes())?;
        self.set(EXT_MEM_K, &function_88.to_le_bytes())
    }

    /// Puts further ranges at physical address `at`, as a node of `setup_data` whose header says that it has `size` bytes behind it.
    ///
    /// # Errors
    ///
    /// As for [`Self::set_memory_map`].
    pub fn set_further_ranges(&mut self, at: u64, next: u64, ranges: &[Range], size: Option<u32>) -> Result<()> {
        let data = packed(ranges);
        let size = size.unwrap_or(data.len() as u32);
        let node = [&next.to_le_bytes()[..], &SETUP_E820_EXT.to_le_bytes(), &size.to_le_bytes(), &data].concat();
        self.debugger()?.write(at, &node)?;
        self.set(SETUP_DATA, &at.to_le_bytes())
    }

    /// Says of the chain of further data that it begins at `at`.
    ///
    /// # Errors
    ///
    /// As for [`Self::set_memory_map`].
    pub fn set_setup_data(&mut self, at: u64) -> Result<()> {
        self.set(SETUP_DATA, &at.to_le_bytes())
    }

    /// Puts the command line `line` at physical address `at`.
    ///
    /// # Errors
    ///
    /// As for [`Self::set_memory_map`].
    pub fn set_command_line(&mut self, at: u32, line: &[u8]) -> Result<()> {
        self.debugger()?.write(at.into(), line)?;
        self.set(CMD_LINE_PTR, &at.to_le_bytes())
    }

    /// Says where the RAM disk is.
    ///
    /// # Errors
    ///
    /// As for [`Self::set_memory_map`].
    pub fn set_ramdisk(&mut self, start: u64, size: u64) -> Result<()> {
        let halves = |shift: u32| [(start >> shift) as u32, (size >> shift) as u32].map(u32::to_le_bytes).concat();
        self.set(RAMDISK, &halves(0))?;
        self.set(EXT_RAMDISK, &halves(32))
    }

    /// Lets the guest go on, to its end.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub fn go_on(mut self) -> Result<Log> {
        self.debugger()?.detach()?;
        self.guest.wait_for_end()
    }
}

/// Boots by PVH, stopped at the entry for `change`: it gets the debugger and the address of the start information. Memory is at its own address there.
///
/// # Errors
///
/// If the guest does not get there, or `change` fails.
pub fn at_pvh_entry(machine: Machine, change: impl FnOnce(&mut Debugger, u64) -> Result<()>) -> Result<Guest> {
    let elf = Elf::with_object(&std::fs::read(Build::ours().vmlinux())?)?;
    let note = elf.notes.iter().find(|note| note.name.starts_with("Xen")).context("no PVH note")?;
    let entry = note
        .description
        .iter()
        .rev()
        .fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    let mut guest = machine.debugged().start()?;
    let debugger = guest.debugger()?;
    debugger.run_to(entry)?;
    let address = debugger.register(Register::Rbx)?;
    change(debugger, address)?;
    Ok(guest)
}

fn packed(ranges: &[Range]) -> Vec<u8> {
    ranges
        .iter()
        .flat_map(|(address, size, kind)| [&address.to_le_bytes()[..], &size.to_le_bytes(), &kind.to_le_bytes()].concat())
        .collect()
}

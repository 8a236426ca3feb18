//! A machine without firmware: what a virtual machine monitor does before the first instruction.
//!
//! The crate linux-loader, which monitors such as Firecracker and Cloud Hypervisor load kernels with, puts the bzImage, the command line and `boot_params` into
//! the guest's memory. A ROM in the firmware's place enters long mode and jumps to the 64-bit entry.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use linux_loader::configurator::linux::LinuxBootConfigurator;
use linux_loader::configurator::{BootConfigurator, BootParams};
use linux_loader::loader::bootparam::{boot_e820_entry, boot_params};
use linux_loader::loader::{BzImage, KernelLoader};
use vm_memory::{Bytes, FileOffset, GuestAddress, GuestMemory, GuestMemoryMmap};

use crate::machine::Machine;

/// Where the pieces lie. The ROM knows the first two.
const HANDOVER: u64 = 0x6000;
const PAGE_TABLES: u64 = 0x9000;
const BOOT_PARAMS: u64 = 0x7000;
const COMMAND_LINE: u64 = 0x2_0000;
const KERNEL: u64 = 0x10_0000;

/// Memory below 1 MiB that is free for all, and where memory goes on.
const LOW_END: u64 = 0x9_fc00;
const HIGH: u64 = 0x10_0000;

/// The 64-bit entry lies this far behind the 32-bit one (Documentation/x86/boot.rst).
const ENTRY_64: u64 = 0x200;

/// A loader without an assigned number, as `type_of_loader` has it.
const NO_NUMBER: u8 = 0xff;

const RAM: u32 = 1;
const PAGE: u64 = 4096;

/// Page table bits: present, writable, a large page.
const TABLE: u64 = 0b11;
const LARGE: u64 = 0b1000_0011;

/// The files of such a machine.
pub struct Files {
    /// What the guest's memory holds when it begins.
    pub memory: PathBuf,
    /// The ROM.
    pub rom: PathBuf,
}

impl Machine {
    /// Puts the kernel into the memory of a guest with `size` bytes, and both files into `folder`.
    pub(crate) fn load(&self, folder: &Path, size: u64) -> Result<Files> {
        let files = Files {
            memory: folder.join("memory"),
            rom: folder.join("rom"),
        };
        let memory = guest_memory(&files.memory, size)?;
        let mut image = File::open(&self.kernel).with_context(|| self.kernel.display().to_string())?;
        let loaded = BzImage::load(&memory, Some(GuestAddress(KERNEL)), &mut image, Some(GuestAddress(HIGH)))
            .with_context(|| format!("linux-loader does not load {}", self.kernel.display()))?;
        let mut params = boot_params {
            hdr: loaded.setup_header.context("linux-loader has found no setup header")?,
            ..Default::default()
        };
        params.hdr.type_of_loader = NO_NUMBER;
        params.hdr.cmd_line_ptr = COMMAND_LINE as u32;
        memory.write_slice(&terminated(&self.command_line), GuestAddress(COMMAND_LINE))?;
        if let Some(initrd) = &self.initrd {
            let content = fs::read(initrd).with_context(|| initrd.display().to_string())?;
            // As high as it goes, where the kernel grows last.
            let at = (size - content.len() as u64) / PAGE * PAGE;
            memory.write_slice(&content, GuestAddress(at))?;
            params.hdr.ramdisk_image = at as u32;
            params.hdr.ramdisk_size = content.len() as u32;
        }
        for (index, (addr, size)) in [(0, LOW_END), (HIGH, size - HIGH)].into_iter().enumerate() {
            params.e820_table[index] = boot_e820_entry { addr, size, type_: RAM };
            params.e820_entries += 1;
        }
        LinuxBootConfigurator::write_bootparams(&BootParams::new(&params, GuestAddress(BOOT_PARAMS)), &memory)?;
        page_tables(&memory)?;
        memory.write_obj(BOOT_PARAMS, GuestAddress(HANDOVER))?;
        memory.write_obj(loaded.kernel_load.0 + ENTRY_64, GuestAddress(HANDOVER + 8))?;
        fs::write(&files.rom, rom())?;
        Ok(files)
    }
}

/// Memory of `size` bytes whose content is in `file`.
fn guest_memory(file: &Path, size: u64) -> Result<GuestMemoryMmap> {
    ensure!(
        size > HIGH && size < 1 << 32,
        "a machine without firmware has more than 1 MiB and less than 4 GiB"
    );
    let backing = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(file)
        .with_context(|| file.display().to_string())?;
    backing.set_len(size)?;
    let range = (GuestAddress(0), size as usize, Some(FileOffset::new(backing, 0)));
    Ok(GuestMemoryMmap::from_ranges_with_files([range])?)
}

fn terminated(line: &OsStr) -> Vec<u8> {
    [line.as_bytes(), &[0]].concat()
}

/// Maps the first 4 GiB at their own address: one page of each of two levels, then one for each GiB.
fn page_tables(memory: &impl GuestMemory) -> Result<()> {
    let put = |value: u64, at: u64| memory.write_obj(value, GuestAddress(at));
    let (level_3, level_2) = (PAGE_TABLES + PAGE, PAGE_TABLES + 2 * PAGE);
    put(level_3 | TABLE, PAGE_TABLES)?;
    for gibibyte in 0..4 {
        put((level_2 + gibibyte * PAGE) | TABLE, level_3 + gibibyte * 8)?;
    }
    for page in 0..4 * 512 {
        put(page << 21 | LARGE, level_2 + page * 8)?;
    }
    Ok(())
}

/// The size of the ROM, which ends at 4 GiB, and of the part of it that is code.
const ROM_SIZE: usize = 0x1_0000;
const CODE_SIZE: usize = 0x100;

/// The ROM: nothing but code at its end.
fn rom() -> Vec<u8> {
    let mut rom = vec![0; ROM_SIZE - CODE_SIZE];
    rom.extend(&ROM_CODE);
    rom
}

// SAFETY: defined below, with this size; nobody writes to it.
unsafe extern "C" {
    #[link_name = "incipit_machine_rom"]
    safe static ROM_CODE: [u8; CODE_SIZE];
}

core::arch::global_asm!(
    include_str!("rom.S"),
    page_tables = const PAGE_TABLES,
    handover = const HANDOVER,
    options(att_syntax),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_begins_with_a_jump_to_the_beginning_of_the_code() {
        let rom = rom();
        assert_eq!(rom.len(), ROM_SIZE);
        // jmp with a displacement of one or two bytes, from the reset vector back.
        let (length, displacement) = match rom[0xfff0..] {
            [0xeb, displacement, ..] => (2, i64::from(displacement as i8)),
            [0xe9, low, high, ..] => (3, i64::from(i16::from_le_bytes([low, high]))),
            _ => panic!("no jump at the reset vector"),
        };
        assert_eq!(0xfff0 + length + displacement, 0xff00);
    }
}

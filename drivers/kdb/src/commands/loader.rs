//! What the boot loader handed over.

use core::fmt::{self, Write};

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use incipit::arch::x86::maccess::copy_from_kernel_nofault;
use incipit::arch::x86::setup::initrd::{Initrd, initrd};
use incipit::arch::x86::setup::{boot_command_line, boot_params};
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::mm::phys_to_virt;
use incipit_lib::bootparam::ScreenInfo;
use linkme::distributed_slice;

use super::none;

/// The checksum of gzip and zip, and of the host's `crc32`.
const CHECKSUM: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Bytes that are read at a time.
const PIECE: usize = 512;

/// Kinds of display, as `screen_info` has them.
const VGA_TEXT: u8 = 0x22;
const FRAMEBUFFERS: [u8; 2] = [0x23, 0x70];

#[distributed_slice(KDB_COMMANDS)]
static BOOT_PARAMS: Command = Command {
    name: "boot_params",
    usage: "",
    help: "Display what the boot loader handed over",
    run: show,
};

fn show(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    let params = boot_params();
    let efi = params.efi_info();
    writeln!(screen, "loader        {}", params.loader())?;
    writeln!(screen, "command line  {}", boot_command_line().escape_ascii())?;
    writeln!(screen, "memory map    {} entries", params.e820_table().len())?;
    writeln!(screen, "initrd        {}", RamDisk(initrd()))?;
    writeln!(screen, "screen        {}", Display(params.screen_info()))?;
    writeln!(screen, "acpi rsdp     {:#x}", params.acpi_rsdp_addr())?;
    writeln!(screen, "efi systab    {:#x}", efi.systab_phys())?;
    writeln!(screen, "efi memmap    {:#x}, {} bytes", efi.memmap_phys(), efi.memmap_size)?;
    writeln!(screen, "setup_data    {:#x}", params.hdr().setup_data)?;
    Ok(Then::Stay)
}

/// A RAM disk in words, with the checksum of what is in it now.
struct RamDisk(Option<Initrd>);

impl fmt::Display for RamDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Initrd { start, end }) = self.0 else {
            return f.write_str("none");
        };
        write!(f, "[mem {start:#x}-{:#x}] ", end - 1)?;
        match checksum(start, end) {
            Some(sum) => write!(f, "crc32 {sum:08x}"),
            None => f.write_str("cannot be read"),
        }
    }
}

/// The checksum of the physical memory from `start` to `end`; `None` if some of it cannot be read.
fn checksum(start: u64, end: u64) -> Option<u32> {
    let mut digest = CHECKSUM.digest();
    let mut buffer = [0; PIECE];
    let mut at = start;
    while at < end {
        let length = PIECE.min((end - at) as usize);
        let piece = &mut buffer[..length];
        copy_from_kernel_nofault(piece, phys_to_virt(at)).ok()?;
        digest.update(piece);
        at += length as u64;
    }
    Some(digest.finalize())
}

/// A display in words.
struct Display(ScreenInfo);

impl fmt::Display for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.0;
        match info.orig_video_is_vga {
            0 => f.write_str("none"),
            kind if FRAMEBUFFERS.contains(&kind) => write!(
                f,
                "type {kind:#04x}, {}x{}x{} at {:#x}",
                info.lfb_width,
                info.lfb_height,
                info.lfb_depth,
                info.framebuffer()
            ),
            kind if kind <= VGA_TEXT => write!(f, "type {kind:#04x}, text {}x{}", info.orig_video_cols, info.orig_video_lines),
            kind => write!(f, "type {kind:#04x}"),
        }
    }
}

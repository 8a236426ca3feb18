//! Where the root pointer is: whoever loaded the kernel may know; else it is searched for where a BIOS puts it.

use core::fmt;
use core::ops::Range;

use incipit_lib::acpi::{Rsdp, RsdpError, search};

use super::options;
use crate::arch::x86::mm::ioremap::memremap;
use crate::arch::x86::setup::boot_params;
use crate::prelude::*;

/// The word at which the BIOS keeps the segment of its extended data area.
const EBDA_POINTER: u64 = 0x40e;
/// How much of that area is searched (ACPI 5.2.5.1).
const EBDA_SEARCHED: u64 = 1 << 10;
/// The area's addresses: behind the BIOS data, below the adapters' memory.
const EBDA_POSSIBLE: Range<u64> = 0x500..0xa_0000;
/// The ROM of the BIOS, which is searched, too.
const BIOS_ROM: Range<u64> = 0xe_0000..0x10_0000;

/// Who says where the root pointer is.
#[derive(Clone, Copy)]
enum Source {
    CommandLine,
    Loader,
    #[cfg(CONFIG_EFI)]
    Efi,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::CommandLine => "acpi_rsdp=",
            Source::Loader => "the boot loader",
            #[cfg(CONFIG_EFI)]
            Source::Efi => "EFI",
        })
    }
}

/// Finds the root pointer, and its physical address. What is wrong with one that is not taken is logged.
#[init]
pub(super) fn find() -> Option<(u64, Rsdp)> {
    let loader = Some(boot_params().acpi_rsdp_addr()).filter(|phys| *phys != 0);
    let sources = [
        (Source::CommandLine, options::rsdp()),
        (Source::Loader, loader),
        #[cfg(CONFIG_EFI)]
        (Source::Efi, crate::efi::acpi()),
    ];
    for (source, phys) in sources {
        let Some(phys) = phys else { continue };
        match check(phys) {
            Ok(rsdp) => return Some((phys, rsdp)),
            Err(error) => pr_err!("ACPI: RSDP at {phys:#x} (from {source}): {error}"),
        }
    }
    ebda().and_then(search_area).or_else(|| search_area(BIOS_ROM))
}

/// Checks what should be a root pointer at `phys`. Of an old one, the last page of memory may have only the first 20 bytes.
#[init]
fn check(phys: u64) -> Result<Rsdp, RsdpError> {
    let memory = memremap(phys, Rsdp::LENGTH).or_else(|_| memremap(phys, Rsdp::OLD_SIZE));
    memory.map_err(|_| RsdpError::CutShort).and_then(|memory| Rsdp::check(&memory))
}

/// The extended BIOS data area, as far as it is searched.
#[init]
fn ebda() -> Option<Range<u64>> {
    let pointer = memremap(EBDA_POINTER, 2).ok()?;
    let start = u64::from(u16::from_le_bytes(*pointer.first_chunk()?)) << 4;
    EBDA_POSSIBLE
        .contains(&start)
        .then(|| start..(start + EBDA_SEARCHED).min(EBDA_POSSIBLE.end))
}

#[init]
fn search_area(area: Range<u64>) -> Option<(u64, Rsdp)> {
    let memory = memremap(area.start, (area.end - area.start) as usize).ok()?;
    for (offset, found) in search(&memory) {
        let phys = area.start + offset as u64;
        match found {
            Ok(rsdp) => return Some((phys, rsdp)),
            Err(error) => pr_err!("ACPI: RSDP at {phys:#x}: {error}"),
        }
    }
    None
}

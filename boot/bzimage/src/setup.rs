//! The set-up code at the start of the file, and the fields of its header that depend on the image.

use object::endian::LittleEndian;
use object::read::elf::{FileHeader as _, SectionHeader as _};

use crate::{Elf, Error, PAGE, PARAGRAPH, SECTOR};

/// Where the linker leaves the set-up code.
const SECTION: &str = ".setup16";

/// Fewer sectors of set-up code would stand for four, in the header's `setup_sects`.
const SECTORS_MIN: usize = 5;
/// The protocol gives the set-up code 0x8000 bytes; 4 KiB of that are for `boot_params`, 2 KiB for a stack, 4 KiB for a disk's sector.
const SIZE_MAX: usize = 0x8000 - 4096 - 2048 - 4096;

/// Offsets of header fields in the file.
const SETUP_SECTS: usize = 0x1f1;
const SYSSIZE: usize = 0x1f4;
const BOOT_FLAG: usize = 0x1fe;
const HEADER: usize = 0x202;
const INIT_SIZE: usize = 0x260;
const HEADER_END: usize = 0x26c;

/// The set-up code, filled up with zeros to a multiple of `unit` sectors.
pub(crate) fn sectors(elf: &Elf, endian: LittleEndian, data: &[u8], unit: usize) -> Result<Vec<u8>, Error> {
    let sections = elf.sections(endian, data).map_err(|_| Error::Headers)?;
    let (_, section) = sections
        .section_by_name(endian, SECTION.as_bytes())
        .ok_or(Error::NoSection(SECTION))?;
    let code = section.data(endian, data).map_err(|_| Error::Headers)?;
    if !(HEADER_END..=SIZE_MAX).contains(&code.len()) {
        return Err(Error::SetupSize(code.len()));
    }
    if code[BOOT_FLAG..][..2] != [0x55, 0xaa] || code[HEADER..][..4] != *b"HdrS" {
        return Err(Error::NoSetupHeader);
    }
    let mut sectors = code.to_vec();
    let count = code.len().div_ceil(SECTOR).max(SECTORS_MIN).next_multiple_of(unit);
    sectors.resize(count * SECTOR, 0);
    Ok(sectors)
}

/// Writes into the header of `file` the sizes of the set-up code and of the protected-mode part, in bytes, and how much `memory` that needs.
pub(crate) fn patch(file: &mut [u8], setup_size: usize, size: usize, memory: usize) {
    let word = |value: usize| u32::try_from(value).expect("at most 512 MiB and a stub").to_le_bytes();
    file[SETUP_SECTS] = u8::try_from(setup_size / SECTOR - 1).expect("SIZE_MAX is 44 sectors, and pages are 48");
    file[SYSSIZE..][..4].copy_from_slice(&word(size / PARAGRAPH));
    file[INIT_SIZE..][..4].copy_from_slice(&word(memory.next_multiple_of(PAGE)));
}

//! Makes a bzImage, the file format of the Linux boot protocol (`Documentation/x86/boot.rst`), from the linked kernel.
//!
//! Nothing is compressed and nothing has to be moved at boot: the protected-mode part of the file is the memory of the image as an ELF
//! loader would leave it, `.bss` as zeros included, from its load address on.
//!
//! ```text
//! set-up code, whole sectors | image, flat | zeros | "Incipit complete" | EFI stub | CRC-32 of all before
//! ```
//!
//! With an EFI stub the file is an EFI application as well: a PE header lies in the gaps of the set-up code's first sector.
//!
//! This crate knows files and nothing of hardware. It trusts no byte of its input.

mod error;
mod image;
mod pe;
mod setup;
mod stub;

pub use error::Error;
use object::elf::FileHeader64;
use object::endian::LittleEndian;
use object::read::elf::FileHeader as _;

/// Physical address of the first byte of the image; the protected-mode part of every bzImage goes there.
pub const LOAD_ADDRESS: u64 = 0x10_0000;

/// Unit of `syssize`, in bytes: the protected-mode part is a whole number of them.
const PARAGRAPH: usize = 16;

const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// The set-up code's sectors are whole pages where EFI firmware maps what follows by pages.
const WHOLE_PAGES: usize = PAGE / SECTOR;

type Elf = FileHeader64<LittleEndian>;

/// Makes the bzImage of `vmlinux`, the content of an ELF file; with an EFI stub, that of a position-independent one, also an EFI application.
///
/// # Errors
/// [`Error`] says in one line what about the files is wrong.
pub fn build(vmlinux: &[u8], stub: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let elf = Elf::parse(vmlinux).map_err(|_| Error::NotElf)?;
    let endian = elf.endian().map_err(|_| Error::NotElf)?;
    if elf.e_machine(endian) != object::elf::EM_X86_64 || elf.e_type(endian) != object::elf::ET_EXEC {
        return Err(Error::NotExecutable);
    }
    let flat = image::flatten(elf, endian, vmlinux)?;
    let unit = if stub.is_some() { WHOLE_PAGES } else { 1 };
    let mut file = setup::sectors(elf, endian, vmlinux, unit)?;
    let setup_size = file.len();
    file.extend(flat.bytes);
    if let Some(stub) = stub {
        pe::append(&mut file, setup_size, stub::Stub::parse(stub)?)?;
    }
    // The protocol counts what follows the set-up code in paragraphs, and the checksum ends the last of them.
    let content = file.len() - setup_size + size_of::<u32>();
    file.resize(setup_size + content.next_multiple_of(PARAGRAPH) - size_of::<u32>(), 0);
    let size = file.len() - setup_size + size_of::<u32>();
    setup::patch(&mut file, setup_size, size, size.max(flat.memory));
    let checksum = checksum(&file);
    file.extend(checksum.to_le_bytes());
    Ok(file)
}

/// The CRC-32 that makes the checksum of a whole file, itself included, zero. The protocol's variant lacks the final inversion.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    !crc32fast::hash(bytes)
}

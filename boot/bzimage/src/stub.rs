//! The EFI stub: a position-independent ELF file, read as what a PE file wants to know of it.

use object::endian::LittleEndian;
use object::read::elf::{FileHeader as _, ProgramHeader as _, Rela as _, SectionHeader as _};

use crate::{Elf, Error, PAGE};

/// A part of the stub with one kind of access.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Where it is from the stub's first byte on.
    pub(crate) address: u32,
    /// What the file holds of it.
    pub(crate) bytes: Vec<u8>,
    /// What it takes in memory.
    pub(crate) size: u32,
    pub(crate) executable: bool,
    pub(crate) writable: bool,
}

/// A stub that can be placed anywhere.
#[derive(Debug)]
pub(crate) struct Stub {
    pub(crate) parts: Vec<Part>,
    /// Where it is entered.
    pub(crate) entry: u32,
    /// Where the addresses are that depend on its place: each is relative to the stub now.
    pub(crate) relocations: Vec<u32>,
}

impl Stub {
    /// Reads the ELF file `data`.
    pub(crate) fn parse(data: &[u8]) -> Result<Self, Error> {
        let elf = Elf::parse(data).map_err(|_| Error::Stub("not a 64-bit little-endian ELF file"))?;
        let endian = elf.endian().map_err(|_| Error::Stub("not a 64-bit little-endian ELF file"))?;
        if elf.e_machine(endian) != object::elf::EM_X86_64 || elf.e_type(endian) != object::elf::ET_DYN {
            return Err(Error::Stub("not position-independent code for x86-64"));
        }
        let mut stub = Self {
            parts: parts(elf, endian, data)?,
            entry: 0,
            relocations: Vec::new(),
        };
        let entry = elf.e_entry(endian);
        let holds = |part: &&Part| (part.address.into()..part.address as u64 + part.bytes.len() as u64).contains(&entry);
        if !stub.parts.iter().filter(|part| part.executable).any(|part| holds(&part)) {
            return Err(Error::Stub("its entry lies outside of its code"));
        }
        stub.entry = entry as u32;
        for (place, value) in relocations(elf, endian, data)? {
            stub.relocate(place, value)
                .ok_or(Error::Stub("a relocation lies outside of its parts"))?;
        }
        stub.relocations.sort_unstable();
        Ok(stub)
    }

    /// Makes the 8 bytes at `place` hold `value`, and remembers that they depend on the stub's place.
    fn relocate(&mut self, place: u64, value: u64) -> Option<()> {
        let place = u32::try_from(place).ok()?;
        let part = self.parts.iter_mut().rfind(|part| part.address <= place)?;
        let at = (place - part.address) as usize;
        part.bytes
            .get_mut(at..)?
            .first_chunk_mut::<8>()
            .map(|bytes| *bytes = value.to_le_bytes())?;
        self.relocations.push(place);
        Some(())
    }

    /// Moves all of it up by `base` bytes.
    pub(crate) fn at(mut self, base: u32) -> Self {
        for place in &mut self.relocations {
            let part = self
                .parts
                .iter_mut()
                .rfind(|part| part.address <= *place)
                .expect("checked by `relocate`");
            let at = (*place - part.address) as usize;
            let bytes = part.bytes[at..].first_chunk_mut::<8>().expect("checked by `relocate`");
            *bytes = (u64::from_le_bytes(*bytes) + u64::from(base)).to_le_bytes();
            *place += base;
        }
        for part in &mut self.parts {
            part.address += base;
        }
        self.entry += base;
        self
    }
}

/// The largest stub: it is a hundred times what there is.
const SIZE_MAX: u64 = 8 << 20;

fn parts(elf: &Elf, endian: LittleEndian, data: &[u8]) -> Result<Vec<Part>, Error> {
    let headers = elf
        .program_headers(endian, data)
        .map_err(|_| Error::Stub("its program headers lie outside the file"))?;
    let mut parts = Vec::new();
    for header in headers
        .iter()
        .filter(|header| header.p_type(endian) == object::elf::PT_LOAD && header.p_memsz(endian) > 0)
    {
        let (address, size) = (header.p_vaddr(endian), header.p_memsz(endian));
        let bytes = header.data(endian, data).map_err(|()| Error::Stub("a segment is cut short"))?;
        if address % PAGE as u64 != 0 || bytes.len() as u64 > size || address.saturating_add(size) > SIZE_MAX {
            return Err(Error::Stub("a segment does not begin on a page, or is too large"));
        }
        let flags = header.p_flags(endian);
        parts.push(Part {
            address: address as u32,
            bytes: bytes.to_vec(),
            size: size as u32,
            executable: flags & object::elf::PF_X != object::elf::ProgramFlags(0),
            writable: flags & object::elf::PF_W != object::elf::ProgramFlags(0),
        });
    }
    parts.sort_by_key(|part| part.address);
    let overlap = parts.windows(2).any(|pair| pair[0].address + pair[0].size > pair[1].address);
    if parts.is_empty() || overlap {
        return Err(Error::Stub("it has no segments, or some that overlap"));
    }
    Ok(parts)
}

/// Place and value of each address that depends on where the stub is.
fn relocations(elf: &Elf, endian: LittleEndian, data: &[u8]) -> Result<Vec<(u64, u64)>, Error> {
    let outside = |_| Error::Stub("its section headers lie outside the file");
    let mut found = Vec::new();
    for section in elf.sections(endian, data).map_err(outside)?.iter() {
        let loaded = section.sh_flags(endian) & object::elf::SHF_ALLOC != object::elf::SectionFlags(0);
        let Some((relocations, _)) = section.rela(endian, data).map_err(outside)?.filter(|_| loaded) else {
            continue;
        };
        for relocation in relocations {
            if relocation.r_type(endian, false) != object::elf::R_X86_64_RELATIVE {
                return Err(Error::Stub("it has a relocation that is not relative to its own place"));
            }
            let value = u64::try_from(relocation.r_addend(endian)).map_err(|_| Error::Stub("a relocation is negative"))?;
            found.push((relocation.r_offset(endian), value));
        }
    }
    Ok(found)
}

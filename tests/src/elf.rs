//! An ELF file as two readers see it that share no code: `object` and `goblin`. What one misreads, the other does not.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result};
use goblin::elf::Elf as Goblin;
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _, SectionHeader as _, Sym as _};
use object::{Endianness, elf};

/// `p_flags`: may be executed, written.
pub const EXECUTE: u32 = 1;
/// See [`EXECUTE`].
pub const WRITE: u32 = 2;
/// `p_flags` and what is read.
pub const READ: u32 = 4;

/// What the tests look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Elf {
    /// `e_entry`.
    pub entry: u64,
    /// `e_machine`.
    pub machine: u16,
    /// `e_type`.
    pub kind: u16,
    /// The sections in the order of the file, the first, empty one left out.
    pub sections: Vec<Section>,
    /// The program headers in the order of the file.
    pub segments: Vec<Segment>,
    /// The symbols that have a name and are no file or section, in the order of the file.
    pub symbols: Vec<Symbol>,
    /// The notes.
    pub notes: Vec<Note>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Where it is in memory.
    pub address: u64,
    /// Bytes in memory.
    pub size: u64,
    /// Where it is in the file.
    pub offset: u64,
    /// `sh_flags`.
    pub flags: u64,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_addralign`.
    pub align: u64,
}

/// A program header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `p_type`.
    pub kind: u32,
    /// `p_flags`.
    pub flags: u32,
    /// Where it is in memory.
    pub address: u64,
    /// Where the boot loader puts it.
    pub physical: u64,
    /// Where it is in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub memory_size: u64,
    /// `p_align`.
    pub align: u64,
}

/// A symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its address.
    pub value: u64,
    /// Bytes.
    pub size: u64,
    /// `st_shndx`.
    pub section: u16,
    /// `STT_…`.
    pub kind: u8,
    /// `STB_…`.
    pub binding: u8,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its owner.
    pub name: String,
    /// Its type, in the owner's numbers.
    pub kind: u32,
    /// What it says.
    pub description: Vec<u8>,
}

impl Section {
    /// `SHF_ALLOC`: whether it is in memory.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.flags & elf::SHF_ALLOC.0 != 0
    }

    /// Whether the file has its bytes.
    #[must_use]
    pub fn has_bytes(&self) -> bool {
        self.kind != elf::SHT_NOBITS.0
    }

    /// What a program header must allow for it: `p_flags`.
    #[must_use]
    pub fn needs(&self) -> u32 {
        let flag = |flag: u64, bit: u32| if self.flags & flag == 0 { 0 } else { bit };
        READ | flag(elf::SHF_WRITE.0, WRITE) | flag(elf::SHF_EXECINSTR.0, EXECUTE)
    }

    /// Its addresses.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.address..self.address + self.size
    }
}

impl Segment {
    /// `PT_LOAD`: whether a boot loader loads it.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.kind == elf::PT_LOAD.0
    }

    /// Its addresses.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.address..self.address + self.memory_size
    }
}

impl Elf {
    /// Reads with the crate `object`.
    ///
    /// # Errors
    ///
    /// If it is no ELF file of 64 bits.
    pub fn with_object(bytes: &[u8]) -> Result<Self> {
        let file = ElfFile64::<Endianness>::parse(bytes)?;
        let (header, endian) = (file.elf_header(), file.endian());
        let mut read = Self {
            entry: header.e_entry(endian),
            machine: header.e_machine(endian).0,
            kind: header.e_type(endian).0,
            ..Self::default()
        };
        let table = file.elf_section_table();
        for section in table.iter().skip(1) {
            read.sections.push(Section {
                name: String::from_utf8(table.section_name(endian, section)?.to_vec())?,
                address: section.sh_addr(endian),
                size: section.sh_size(endian),
                offset: section.sh_offset(endian),
                flags: section.sh_flags(endian).0,
                kind: section.sh_type(endian).0,
                align: section.sh_addralign(endian),
            });
        }
        for segment in file.elf_program_headers() {
            read.segments.push(Segment {
                kind: segment.p_type(endian).0,
                flags: segment.p_flags(endian).0,
                address: segment.p_vaddr(endian),
                physical: segment.p_paddr(endian),
                offset: segment.p_offset(endian),
                file_size: segment.p_filesz(endian),
                memory_size: segment.p_memsz(endian),
                align: segment.p_align(endian),
            });
            if let Some(mut notes) = segment.notes(endian, bytes)? {
                while let Some(note) = notes.next()? {
                    read.notes.push(Note {
                        name: String::from_utf8(note.name().to_vec())?,
                        kind: note.n_type(endian).0,
                        description: note.desc().to_vec(),
                    });
                }
            }
        }
        let symbols = file.elf_symbol_table();
        for symbol in symbols.iter() {
            read.symbols.push(Symbol {
                name: String::from_utf8(symbols.symbol_name(endian, symbol)?.to_vec())?,
                value: symbol.st_value(endian),
                size: symbol.st_size(endian),
                section: symbol.st_shndx(endian).0,
                kind: symbol.st_type().0,
                binding: symbol.st_bind().0,
            });
        }
        read.drop_unnamed();
        Ok(read)
    }

    /// Reads with the crate `goblin`.
    ///
    /// # Errors
    ///
    /// If it is no ELF file.
    pub fn with_goblin(bytes: &[u8]) -> Result<Self> {
        let file = Goblin::parse(bytes)?;
        let mut read = Self {
            entry: file.entry,
            machine: file.header.e_machine,
            kind: file.header.e_type,
            ..Self::default()
        };
        for section in file.section_headers.iter().skip(1) {
            read.sections.push(Section {
                name: file
                    .shdr_strtab
                    .get_at(section.sh_name)
                    .context("a section without a name")?
                    .to_owned(),
                address: section.sh_addr,
                size: section.sh_size,
                offset: section.sh_offset,
                flags: section.sh_flags,
                kind: section.sh_type,
                align: section.sh_addralign,
            });
        }
        for segment in &file.program_headers {
            read.segments.push(Segment {
                kind: segment.p_type,
                flags: segment.p_flags,
                address: segment.p_vaddr,
                physical: segment.p_paddr,
                offset: segment.p_offset,
                file_size: segment.p_filesz,
                memory_size: segment.p_memsz,
                align: segment.p_align,
            });
        }
        for note in file.iter_note_headers(bytes).into_iter().flatten() {
            let note = note?;
            read.notes.push(Note {
                name: note.name.to_owned(),
                kind: note.n_type,
                description: note.desc.to_vec(),
            });
        }
        for symbol in &file.syms {
            read.symbols.push(Symbol {
                name: file.strtab.get_at(symbol.st_name).unwrap_or_default().to_owned(),
                value: symbol.st_value,
                size: symbol.st_size,
                section: u16::try_from(symbol.st_shndx)?,
                kind: symbol.st_type(),
                binding: symbol.st_bind(),
            });
        }
        read.drop_unnamed();
        Ok(read)
    }

    fn drop_unnamed(&mut self) {
        let nameless = [elf::STT_FILE.0, elf::STT_SECTION.0];
        self.symbols
            .retain(|symbol| !symbol.name.is_empty() && !nameless.contains(&symbol.kind));
    }

    /// The section called `name`.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The addresses of all symbols by name.
    #[must_use]
    pub fn addresses(&self) -> BTreeMap<&str, u64> {
        self.symbols.iter().map(|symbol| (symbol.name.as_str(), symbol.value)).collect()
    }

    /// Where in the file the byte is that is loaded to `address`.
    #[must_use]
    pub fn offset_of(&self, address: u64) -> Option<usize> {
        let holds = |segment: &&Segment| segment.is_loaded() && (segment.address..segment.address + segment.file_size).contains(&address);
        let segment = self.segments.iter().find(holds)?;
        usize::try_from(segment.offset + (address - segment.address)).ok()
    }
}

//! The linked image: its bytes, and an index of its segments, sections and symbols.
//!
//! The other steps read and patch the image by address and by name; only this room and [`super::layout`] know where a thing is in the file. Accepted
//! is what the link makes: a 64-bit little-endian x86-64 executable at a fixed address, with a symbol table.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym};
use object::{LittleEndian, SectionIndex};

/// An ELF image in memory.
#[derive(Debug, Clone)]
pub struct Image {
    pub(super) bytes: Vec<u8>,
    segments: Vec<Segment>,
    sections: Vec<Section>,
    symbols: Vec<Symbol>,
    by_name: HashMap<String, usize>,
    pub(super) symbol_table: usize,
    pub(super) symbol_names: usize,
    pub(super) replaced: HashMap<usize, Vec<u8>>,
}

/// A program header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `p_type`.
    pub kind: u32,
    /// `p_flags`.
    pub flags: u32,
    /// Where its bytes are in the file.
    pub offset: u64,
    /// Virtual address.
    pub address: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub memory_size: u64,
}

/// A section header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its place in the section header table.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// Virtual address; 0 for most sections that are not loaded.
    pub address: u64,
    /// Where its bytes are in the file.
    pub offset: u64,
    /// Bytes, in memory and, unless it is `SHT_NOBITS`, in the file.
    pub size: u64,
    /// `sh_addralign`.
    pub align: u64,
    /// `sh_link`: the section that it is read with.
    pub link: u32,
    /// `sh_info`: for relocations, the section that they apply to.
    pub info: u32,
}

/// A symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Address, or the value of an absolute symbol.
    pub value: u64,
    /// Size in bytes, 0 if it has none.
    pub size: u64,
    /// `STT_*`.
    pub kind: u8,
    /// `STB_*`.
    pub binding: u8,
    /// `st_shndx`.
    pub section: u16,
}

impl Segment {
    /// The addresses that it takes in memory.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.memory_size)
    }

    /// Whether it is loaded.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.kind == elf::PT_LOAD.0
    }

    /// Whether the kernel may write to it.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.flags & elf::PF_W.0 != 0
    }

    /// Whether it holds code.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.flags & elf::PF_X.0 != 0
    }
}

impl Section {
    /// The addresses that it takes in memory.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.size)
    }

    /// Whether it is in memory at run time.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.flags & elf::SHF_ALLOC.0 != 0
    }

    /// Whether it holds code.
    #[must_use]
    pub fn is_code(&self) -> bool {
        self.is_loaded() && self.flags & elf::SHF_EXECINSTR.0 != 0
    }

    /// Whether it has bytes in the file.
    #[must_use]
    pub fn has_bytes(&self) -> bool {
        self.kind != elf::SHT_NOBITS.0 && self.kind != elf::SHT_NULL.0
    }
}

impl Symbol {
    /// Whether the image defines it: it stands in a section, or is absolute.
    #[must_use]
    pub fn is_defined(&self) -> bool {
        self.section != elf::SHN_UNDEF.0
    }

    /// Whether it stands for code or data, rather than for a file or a section.
    #[must_use]
    pub fn is_named_place(&self) -> bool {
        self.is_defined() && !self.name.is_empty() && self.kind != elf::STT_SECTION.0 && self.kind != elf::STT_FILE.0
    }
}

impl Image {
    /// Reads the image at `path`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not an image that the link makes; the error names the file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(bytes).with_context(|| format!("reading {}", path.display()))
    }

    /// Takes the image that `bytes` are.
    ///
    /// # Errors
    ///
    /// If they are not a 64-bit little-endian x86-64 executable with a symbol table, or a header points outside them.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        let data = &*bytes;
        let header = FileHeader64::<LittleEndian>::parse(data).context("not an ELF file")?;
        let endian = header.endian().context("not a little-endian ELF file")?;
        ensure!(header.e_machine(endian) == elf::EM_X86_64, "not an image for x86-64");
        ensure!(
            header.e_type(endian) == elf::ET_EXEC,
            "not linked at a fixed address: relocation-model=static is missing"
        );

        let headers = header.program_headers(endian, data).context("program headers")?;
        let segments: Vec<_> = headers.iter().map(segment).collect();
        let table = header.sections(endian, data).context("section headers")?;
        let mut sections = Vec::with_capacity(table.len());
        for (index, raw) in table.iter().enumerate() {
            sections.push(section(index, raw, table.section_name(endian, raw)?)?);
        }
        check_file_ranges(&segments, &sections, bytes.len() as u64)?;

        let raw = table.symbols(endian, data, elf::SHT_SYMTAB).context("symbol table")?;
        if raw.section() == SectionIndex(0) {
            bail!("no symbol table: the image must not be stripped before it is sealed");
        }
        let (symbol_table, symbol_names) = (raw.section().0, raw.string_section().0);
        let mut symbols = Vec::with_capacity(raw.len());
        for symbol in raw.iter() {
            let name = raw.symbol_name(endian, symbol).context("name of a symbol")?;
            symbols.push(Symbol {
                name: String::from_utf8(name.to_vec()).context("name of a symbol")?,
                value: symbol.st_value(endian),
                size: symbol.st_size(endian),
                kind: symbol.st_type().0,
                binding: symbol.st_bind().0,
                section: symbol.st_shndx(endian).0,
            });
        }
        let by_name = index_by_name(&symbols);
        Ok(Self {
            bytes,
            segments,
            sections,
            symbols,
            by_name,
            symbol_table,
            symbol_names,
            replaced: HashMap::new(),
        })
    }

    /// The program headers.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The section headers, the null one included.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The symbols in the order of the file, the null one included.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The symbols, to be renamed or moved; [`Self::address_of`] goes on finding them by the names that they had when the image was read.
    pub fn symbols_mut(&mut self) -> &mut [Symbol] {
        &mut self.symbols
    }

    /// The section called `name`.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The symbol called `name`, if the image defines it; a global one before a local one.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.by_name.get(name).map(|&index| &self.symbols[index])
    }

    /// The value of the symbol called `name`, if the image defines it.
    #[must_use]
    pub fn address_of(&self, name: &str) -> Option<u64> {
        self.symbol(name).map(|symbol| symbol.value)
    }

    /// What the file holds of `section`; nothing for one that has no bytes in the file.
    #[must_use]
    pub fn contents(&self, section: &Section) -> &[u8] {
        match self.replaced.get(&section.index) {
            Some(contents) => contents,
            None if section.has_bytes() => &self.bytes[section.offset as usize..(section.offset + section.size) as usize],
            None => &[],
        }
    }

    /// The section that is loaded at `address`.
    #[must_use]
    pub fn section_at(&self, address: u64) -> Option<&Section> {
        self.sections
            .iter()
            .find(|section| section.is_loaded() && section.range().contains(&address))
    }

    /// The bytes that are loaded at `addresses`; `None` if the file does not hold all of them.
    #[must_use]
    pub fn at(&self, addresses: Range<u64>) -> Option<&[u8]> {
        self.bytes.get(self.file_range(addresses)?)
    }

    /// The 64-bit word that is loaded at `address`.
    #[must_use]
    pub fn u64_at(&self, address: u64) -> Option<u64> {
        let bytes = self.at(address..address.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Replaces the bytes that are loaded at `address` by `new`.
    ///
    /// # Errors
    ///
    /// If the file holds no bytes for those addresses.
    pub fn patch(&mut self, address: u64, new: &[u8]) -> Result<()> {
        let range = self
            .file_range(address..address.saturating_add(new.len() as u64))
            .with_context(|| format!("nothing in the file is loaded at {address:#x}, {} bytes", new.len()))?;
        self.bytes[range].copy_from_slice(new);
        Ok(())
    }

    fn file_range(&self, addresses: Range<u64>) -> Option<Range<usize>> {
        let length = addresses.end.checked_sub(addresses.start)?;
        let segment = self.segments.iter().find(|segment| {
            let held = segment.address..segment.address.saturating_add(segment.file_size);
            segment.is_loaded() && held.start <= addresses.start && addresses.end <= held.end
        })?;
        let start = (segment.offset + (addresses.start - segment.address)) as usize;
        Some(start..start + length as usize)
    }
}

fn segment(raw: &elf::ProgramHeader64<LittleEndian>) -> Segment {
    let endian = LittleEndian;
    Segment {
        kind: raw.p_type(endian).0,
        flags: raw.p_flags(endian).0,
        offset: raw.p_offset(endian),
        address: raw.p_vaddr(endian),
        file_size: raw.p_filesz(endian),
        memory_size: raw.p_memsz(endian),
    }
}

fn section(index: usize, raw: &elf::SectionHeader64<LittleEndian>, name: &[u8]) -> Result<Section> {
    let endian = LittleEndian;
    Ok(Section {
        index,
        name: String::from_utf8(name.to_vec()).context("name of a section")?,
        kind: raw.sh_type(endian).0,
        flags: raw.sh_flags(endian).0,
        address: raw.sh_addr(endian),
        offset: raw.sh_offset(endian),
        size: raw.sh_size(endian),
        align: raw.sh_addralign(endian),
        link: raw.sh_link(endian),
        info: raw.sh_info(endian),
    })
}

/// Every later look into the file relies on this: what a header says is in the file is there.
fn check_file_ranges(segments: &[Segment], sections: &[Section], length: u64) -> Result<()> {
    let inside = |offset: u64, size: u64| offset.checked_add(size).is_some_and(|end| end <= length);
    for segment in segments {
        ensure!(
            inside(segment.offset, segment.file_size),
            "the segment at {:#x} ends behind the end of the file",
            segment.address
        );
    }
    for section in sections.iter().filter(|section| section.has_bytes()) {
        ensure!(
            inside(section.offset, section.size),
            "the section {} ends behind the end of the file",
            section.name
        );
    }
    Ok(())
}

fn index_by_name(symbols: &[Symbol]) -> HashMap<String, usize> {
    let mut by_name = HashMap::with_capacity(symbols.len());
    let is_local = |symbol: &Symbol| symbol.binding == elf::STB_LOCAL.0;
    for local in [true, false] {
        for (index, symbol) in symbols
            .iter()
            .enumerate()
            .filter(|(_, symbol)| symbol.is_named_place() && is_local(symbol) == local)
        {
            by_name.insert(symbol.name.clone(), index);
        }
    }
    by_name
}

#[cfg(test)]
mod tests;

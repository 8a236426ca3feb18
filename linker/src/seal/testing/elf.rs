//! Writes ELF files and archives byte by byte, independently of the code under test.

use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_INFO_LINK, SHF_WRITE, SHT_RELA};

/// Name, type, flags, address, contents, size in memory.
type Section = (String, u32, u64, u64, Vec<u8>, u64);

/// Section, address of the field, type, name of the symbol, addend.
pub type Relocation = (String, u64, u32, String, i64);

/// An ELF64 file for x86-64 to be.
#[derive(Debug, Clone)]
pub struct Elf {
    /// `e_type`: 1 relocatable, 2 executable.
    pub kind: u16,
    sections: Vec<Section>,
    symbols: Vec<(String, u64, u64, u8)>,
    relocations: Vec<Relocation>,
}

impl Elf {
    pub const RX: u64 = SHF_ALLOC.0 | SHF_EXECINSTR.0;
    pub const R: u64 = SHF_ALLOC.0;
    pub const RW: u64 = SHF_ALLOC.0 | SHF_WRITE.0;

    pub fn new(kind: u16) -> Self {
        Self {
            kind,
            sections: Vec::new(),
            symbols: Vec::new(),
            relocations: Vec::new(),
        }
    }

    /// A section with contents; one that is allocated gets a PT_LOAD of its own.
    pub fn section(&mut self, name: &str, flags: u64, address: u64, contents: &[u8]) {
        self.sections
            .push((name.into(), 1, flags, address, contents.to_vec(), contents.len() as u64));
    }

    pub fn nobits(&mut self, name: &str, flags: u64, address: u64, size: u64) {
        self.sections.push((name.into(), 8, flags, address, Vec::new(), size));
    }

    /// A global symbol; `info` is its type. It belongs to the section that its value lies in, in a relocatable file to the first one.
    pub fn symbol(&mut self, name: &str, value: u64, size: u64, info: u8) {
        self.symbols.push((name.into(), value, size, 0x10 | info));
    }

    /// The same, but local.
    pub fn local(&mut self, name: &str, value: u64, size: u64, info: u8) {
        self.symbols.push((name.into(), value, size, info));
    }

    /// A symbol that the file does not define.
    pub fn undefined(&mut self, name: &str, binding: u8) {
        self.symbols.push((name.into(), u64::MAX, 0, binding << 4));
    }

    /// A relocation of a section that is there. Those of one section become the section behind it, where GNU ld puts them.
    pub fn relocation(&mut self, relocation: Relocation) {
        self.relocations.push(relocation);
    }

    /// The sections with those of the relocations among them.
    fn with_relocations(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        for section in &self.sections {
            sections.push(section.clone());
            let mut bytes = Vec::new();
            for (_, at, kind, symbol, addend) in self.relocations.iter().filter(|relocation| relocation.0 == section.0) {
                let index = self.symbols.iter().position(|known| known.0 == *symbol).expect(symbol) as u64 + 1;
                for word in [*at, index << 32 | u64::from(*kind), *addend as u64] {
                    bytes.extend(word.to_le_bytes());
                }
            }
            if !bytes.is_empty() {
                let size = bytes.len() as u64;
                sections.push((format!(".rela{}", section.0), SHT_RELA.0, SHF_INFO_LINK.0, 0, bytes, size));
            }
        }
        sections
    }

    fn section_of(&self, sections: &[Section], value: u64) -> u16 {
        if value == u64::MAX {
            return 0;
        }
        if self.kind == 1 {
            return 1;
        }
        let holds = |(_, _, flags, address, _, size): &Section| flags & 2 != 0 && (*address..*address + size).contains(&value);
        let ends = |(_, _, flags, address, _, size): &Section| flags & 2 != 0 && address + size == value;
        let index = sections.iter().position(holds).or_else(|| sections.iter().position(ends));
        index.map_or(0xfff1, |index| index as u16 + 1)
    }

    pub fn build(&self) -> Vec<u8> {
        let mut sections = self.with_relocations();
        let (mut names, mut symbols) = (vec![0u8], vec![0u8; 24]);
        for (name, value, size, info) in &self.symbols {
            symbols.extend((names.len() as u32).to_le_bytes());
            symbols.extend([*info, 0]);
            symbols.extend(self.section_of(&sections, *value).to_le_bytes());
            symbols.extend(if *value == u64::MAX { 0 } else { *value }.to_le_bytes());
            symbols.extend(size.to_le_bytes());
            names.extend(name.as_bytes());
            names.push(0);
        }
        let symbol_index = sections.len() as u32 + 1;
        let string_index = sections.len() as u32 + 2;
        sections.push((".symtab".into(), 2, 0, 0, symbols.clone(), symbols.len() as u64));
        sections.push((".strtab".into(), 3, 0, 0, names.clone(), names.len() as u64));
        let mut section_names = vec![0u8];
        let name_offsets: Vec<u32> = sections.iter().map(|section| append_name(&mut section_names, &section.0)).collect();
        let own_name = append_name(&mut section_names, ".shstrtab");
        sections.push((".shstrtab".into(), 3, 0, 0, section_names.clone(), section_names.len() as u64));

        let loads = if self.kind == 2 {
            self.sections.iter().filter(|section| section.2 & 2 != 0).count()
        } else {
            0
        };
        let mut out = vec![0; 64 + loads * 56];
        let (mut load_headers, mut headers) = (Vec::new(), vec![0; 64]);
        for (index, (_, kind, flags, address, contents, size)) in sections.iter().enumerate() {
            if flags & 2 != 0 {
                out.resize(out.len().next_multiple_of(4096) + (address % 4096) as usize, 0);
            }
            let offset = out.len() as u64;
            out.extend(contents);
            let (link, info) = match *kind {
                2 => (string_index, 1),
                4 => (symbol_index, index as u32),
                _ => (0, 1),
            };
            headers.extend(name_offsets.get(index).unwrap_or(&own_name).to_le_bytes());
            headers.extend(kind.to_le_bytes());
            for word in [*flags, *address, offset, *size] {
                headers.extend(word.to_le_bytes());
            }
            headers.extend(link.to_le_bytes());
            headers.extend(info.to_le_bytes());
            headers.extend(1u64.to_le_bytes());
            headers.extend(if [2, 4].contains(kind) { 24u64 } else { 0 }.to_le_bytes());
            if flags & 2 != 0 {
                load_headers.extend(1u32.to_le_bytes());
                let program_flags = 4 | u32::from(flags & 1 != 0) << 1 | u32::from(flags & 4 != 0);
                load_headers.extend(program_flags.to_le_bytes());
                for word in [offset, *address, address & 0x7fff_ffff, contents.len() as u64, *size, 4096] {
                    load_headers.extend(word.to_le_bytes());
                }
            }
        }
        out.resize(out.len().next_multiple_of(8), 0);
        let headers_at = out.len() as u64;
        out.extend(&headers);
        out[64..64 + loads * 56].copy_from_slice(&load_headers[..loads * 56]);
        out[..64].copy_from_slice(&self.file_header(headers_at, loads as u16, sections.len() as u16 + 1));
        out
    }

    fn file_header(&self, headers_at: u64, loads: u16, sections: u16) -> [u8; 64] {
        let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        header.extend(self.kind.to_le_bytes());
        header.extend(62u16.to_le_bytes());
        header.extend(1u32.to_le_bytes());
        for word in [0, 64, headers_at] {
            header.extend(u64::to_le_bytes(word));
        }
        header.extend(0u32.to_le_bytes());
        for half in [64, 56, loads, 64, sections, sections - 1] {
            header.extend(u16::to_le_bytes(half));
        }
        header.try_into().expect("64 bytes")
    }
}

fn append_name(names: &mut Vec<u8>, name: &str) -> u32 {
    let at = names.len() as u32;
    names.extend(name.as_bytes());
    names.push(0);
    at
}

/// A Unix archive of `members`.
pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, contents) in members {
        out.extend(
            format!(
                "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                format!("{name}/"),
                0,
                0,
                0,
                644,
                contents.len()
            )
            .bytes(),
        );
        out.extend(*contents);
        if out.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

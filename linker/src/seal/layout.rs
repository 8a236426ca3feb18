//! Lays the sealed image out in its file.
//!
//! What is loaded stays where the linker put it. Behind it come, in the order of the linked file, the sections that a step replaced and those that are
//! not loaded, then the section headers. So the result has no gaps from old contents, and sealing a sealed image changes nothing. The relocations of
//! the link are left out: nobody applies them again, and since the tables are sorted they are not even true.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::elf::{self, FileHeader64, ProgramHeader64, SectionHeader64, Sym64, SymbolSection};
use object::{LittleEndian, U16, U32, U64, pod};

use super::image::{Image, Section};

const PAGE: u64 = 4096;

impl Image {
    /// Gives the section called `name` new contents of any length.
    ///
    /// # Errors
    ///
    /// If there is no such section, or it is loaded and shares its program header with something else, so that it cannot grow.
    pub fn replace(&mut self, name: &str, contents: Vec<u8>) -> Result<()> {
        let section = self.section(name).with_context(|| format!("no section {name}"))?;
        if section.is_loaded() {
            self.own_segment(section)?;
        }
        let index = section.index;
        self.replaced.insert(index, contents);
        Ok(())
    }

    /// The program header that loads `section` and nothing else, as an index.
    fn own_segment(&self, section: &Section) -> Result<usize> {
        let alone = self
            .segments()
            .iter()
            .position(|segment| segment.is_loaded() && segment.range() == section.range());
        let index = alone.with_context(|| format!("{} has no PT_LOAD of its own", section.name))?;
        let above = self
            .segments()
            .iter()
            .any(|other| other.is_loaded() && other.address > section.address);
        ensure!(!above, "{} cannot grow: another segment is loaded above it", section.name);
        Ok(index)
    }

    /// The bytes of the file, with everything replaced and renamed in its place.
    ///
    /// # Errors
    ///
    /// If a replaced section cannot be placed.
    pub fn into_bytes(mut self) -> Result<Vec<u8>> {
        self.store_symbols();
        let mut out = self.bytes[..self.end_of_fixed_part()].to_vec();
        let mut moved: Vec<&Section> = self
            .sections()
            .iter()
            .filter(|section| section.has_bytes() && self.is_moved(section) && !section.is_relocations())
            .collect();
        moved.sort_by_key(|section| (section.offset, section.index));

        let mut headers = self.section_headers()?;
        for section in moved {
            let contents = self.contents(section);
            let (align, rest) = if section.is_loaded() {
                (PAGE, section.address % PAGE)
            } else {
                (section.align.max(1), 0)
            };
            let offset = (out.len() as u64).next_multiple_of(align) + rest;
            out.resize(offset as usize, 0);
            out.extend_from_slice(contents);
            let header = &mut headers[section.index];
            header.sh_offset = U64::new(LittleEndian, offset);
            header.sh_size = U64::new(LittleEndian, contents.len() as u64);
            if section.is_loaded() {
                place_segment(&mut out, self.own_segment(section)?, offset, contents.len() as u64)?;
            }
        }
        self.store_section_headers(headers, &mut out)?;
        Ok(out)
    }

    /// The section headers of the linked file.
    fn section_headers(&self) -> Result<Vec<SectionHeader64<LittleEndian>>> {
        let at = self.section_headers_offset()?;
        match pod::slice_from_bytes(self.bytes.get(at..).unwrap_or_default(), self.sections().len()) {
            Ok((headers, _)) => Ok(headers.to_vec()),
            Err(()) => bail!("the section headers are cut off"),
        }
    }

    /// Appends `headers` to `out`, without those of the sections that are left out.
    fn store_section_headers(&self, headers: Vec<SectionHeader64<LittleEndian>>, out: &mut Vec<u8>) -> Result<()> {
        let numbers = self.new_numbers();
        let new_number = |old: u32| numbers.get(old as usize).copied().map_or(old, u32::from);
        let offset = out.len().next_multiple_of(8);
        out.resize(offset, 0);
        for (mut header, section) in headers.into_iter().zip(self.sections()) {
            if section.is_relocations() {
                continue;
            }
            header.sh_link = U32::new(LittleEndian, new_number(section.link));
            if section.flags & elf::SHF_INFO_LINK.0 != 0 {
                header.sh_info = U32::new(LittleEndian, new_number(section.info));
            }
            out.extend_from_slice(pod::bytes_of(&header));
        }
        let header = file_header(out)?;
        header.e_shoff = U64::new(LittleEndian, offset as u64);
        let names = new_number(header.e_shstrndx.get(LittleEndian).0.into());
        header.e_shstrndx = U16::new(LittleEndian, SymbolSection(names as u16));
        let kept = self.sections().iter().filter(|section| !section.is_relocations());
        header.e_shnum = U16::new(LittleEndian, kept.count() as u16);
        Ok(())
    }

    /// For each section its place in the section header table without the sections that are left out; 0, which is none, for those.
    fn new_numbers(&self) -> Vec<u16> {
        let mut next = 0;
        let number = |section: &Section| {
            if section.is_relocations() {
                return 0;
            }
            next += 1;
            next - 1
        };
        self.sections().iter().map(number).collect()
    }

    /// Writes the image to `path`, whole or not at all, executable.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the error names it.
    pub fn write(self, path: &Path) -> Result<()> {
        write_whole(path, &self.into_bytes()?, 0o755)
    }

    /// Writes names and values of the symbols back, and rebuilds the table of their names.
    fn store_symbols(&mut self) {
        let mut names = vec![0];
        let table = self.contents(&self.sections()[self.symbol_table]);
        let mut table = table.to_vec();
        let numbers = self.new_numbers();
        for (raw, symbol) in table.chunks_exact_mut(size_of::<Sym64<LittleEndian>>()).zip(self.symbols()) {
            let Ok((entry, _)) = pod::from_bytes_mut::<Sym64<LittleEndian>>(raw) else {
                continue;
            };
            if let Some(&number) = numbers.get(usize::from(symbol.section)) {
                entry.st_shndx = U16::new(LittleEndian, SymbolSection(number));
            }
            entry.st_value = U64::new(LittleEndian, symbol.value);
            entry.st_name = U32::new(LittleEndian, if symbol.name.is_empty() { 0 } else { names.len() as u32 });
            if !symbol.name.is_empty() {
                names.extend_from_slice(symbol.name.as_bytes());
                names.push(0);
            }
        }
        self.replaced.insert(self.symbol_table, table);
        self.replaced.insert(self.symbol_names, names);
    }

    /// Where the part of the file ends that keeps its place: headers, and what is loaded and not replaced.
    fn end_of_fixed_part(&self) -> usize {
        let kept = self
            .sections()
            .iter()
            .filter(|section| section.has_bytes() && !self.is_moved(section));
        let ends = kept.map(|section| section.offset + section.size);
        let headers = size_of::<FileHeader64<LittleEndian>>() + self.segments().len() * size_of::<ProgramHeader64<LittleEndian>>();
        ends.chain([headers as u64]).max().unwrap_or_default() as usize
    }

    fn is_moved(&self, section: &Section) -> bool {
        !section.is_loaded() || self.replaced.contains_key(&section.index)
    }

    fn section_headers_offset(&self) -> Result<usize> {
        match pod::from_bytes::<FileHeader64<LittleEndian>>(&self.bytes) {
            Ok((header, _)) => Ok(header.e_shoff.get(LittleEndian) as usize),
            Err(()) => bail!("no file header"),
        }
    }
}

/// Makes the program header at `index` load `size` bytes from `offset`.
fn place_segment(out: &mut [u8], index: usize, offset: u64, size: u64) -> Result<()> {
    let at = file_header(out)?.e_phoff.get(LittleEndian) as usize;
    let header: &mut ProgramHeader64<LittleEndian> = nth(out.get_mut(at..).context("program headers")?, index)?;
    header.p_offset = U64::new(LittleEndian, offset);
    header.p_filesz = U64::new(LittleEndian, size);
    header.p_memsz = U64::new(LittleEndian, size);
    Ok(())
}

fn file_header(bytes: &mut [u8]) -> Result<&mut FileHeader64<LittleEndian>> {
    nth(bytes, 0)
}

/// The structure at `index` of the array that `bytes` start with.
fn nth<T: pod::Pod>(bytes: &mut [u8], index: usize) -> Result<&mut T> {
    match bytes.get_mut(index * size_of::<T>()..).map(pod::from_bytes_mut) {
        Some(Ok((value, _))) => Ok(value),
        _ => bail!("a header of the image is cut off"),
    }
}

/// Writes `contents` beside `path` and renames the result, so that nobody sees half a file.
///
/// # Errors
///
/// If the file cannot be written; the error names it.
pub fn write_whole(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
    let name = path.file_name().with_context(|| format!("{} is no file", path.display()))?;
    let temporary = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
    let written = std::fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(contents)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::image::Symbol;
    use crate::seal::testing::Kernel;

    fn rewritten(change: impl FnOnce(&mut Image)) -> (Image, Image) {
        let before = Kernel::new().image();
        let mut image = before.clone();
        change(&mut image);
        (before, Image::parse(image.into_bytes().unwrap()).unwrap())
    }

    #[test]
    fn what_is_loaded_stays_where_it_was() {
        let (before, after) = rewritten(|image| image.replace(".kallsyms", vec![7; 5000]).unwrap());
        let others = |image: &Image| image.segments().iter().rev().skip(1).cloned().collect::<Vec<_>>();
        assert_eq!(others(&before), others(&after));
        for section in before
            .sections()
            .iter()
            .filter(|section| section.is_loaded() && section.name != ".kallsyms")
        {
            assert_eq!(
                after.contents(after.section(&section.name).unwrap()),
                before.contents(section),
                "{}",
                section.name
            );
        }
    }

    #[test]
    fn a_section_that_grew_is_loaded_whole_at_its_address() {
        let (before, after) = rewritten(|image| image.replace(".kallsyms", (0..5000).map(|n| n as u8).collect()).unwrap());
        let start = before.section(".kallsyms").unwrap().address;
        assert_eq!(after.at(start..start + 5000).unwrap()[4999], 4999u64 as u8);
        let segment = after.segments().iter().find(|segment| segment.address == start).unwrap();
        assert_eq!((segment.file_size, segment.memory_size), (5000, 5000));
        assert_eq!(segment.offset % PAGE, start % PAGE, "or no loader could map it");
    }

    #[test]
    fn sections_that_are_not_loaded_keep_their_contents() {
        let (before, after) = rewritten(|image| image.replace(".kallsyms", vec![7; 5000]).unwrap());
        let records = |image: &Image| image.contents(image.section(crate::record::SECTION).unwrap()).to_vec();
        assert_eq!(records(&before), records(&after));
    }

    #[test]
    fn symbols_keep_everything_but_the_name_and_value_they_are_given() {
        let (before, after) = rewritten(|image| {
            for symbol in image.symbols_mut().iter_mut().filter(|symbol| symbol.name == "startup_64") {
                symbol.name = "a_name_that_is_much_longer_than_the_old_one".into();
                symbol.value += 4;
            }
        });
        let changed = |image: &Image| {
            image
                .symbols()
                .iter()
                .filter(|symbol| symbol.name.starts_with("a_name"))
                .cloned()
                .collect::<Vec<_>>()
        };
        let old = before.symbol("startup_64").unwrap();
        assert_eq!(changed(&after).len(), 1);
        assert_eq!(
            (changed(&after)[0].value, changed(&after)[0].kind, changed(&after)[0].section),
            (old.value + 4, old.kind, old.section)
        );
        assert_eq!(after.symbols().len(), before.symbols().len());
    }

    #[test]
    fn the_relocations_of_the_link_are_left_out_and_sections_keep_their_symbols() {
        let mut kernel = Kernel::new();
        for section in [".head.text", ".data"] {
            kernel.add_relocation(section, kernel.address(section), elf::R_X86_64_64.0, "_text", 0);
        }
        let before = kernel.image();
        let sealed = before.clone().into_bytes().unwrap();
        let after = Image::parse(sealed.clone()).unwrap();
        let names = |image: &Image| image.sections().iter().map(|section| section.name.clone()).collect::<Vec<_>>();
        let mut expected = names(&before);
        expected.retain(|name| !name.starts_with(".rela"));
        assert_eq!(expected.len() + 2, before.sections().len());
        assert_eq!(names(&after), expected);

        let homes = |image: &Image| {
            let home = |symbol: &Symbol| {
                image
                    .sections()
                    .get(usize::from(symbol.section))
                    .map(|section| section.name.clone())
            };
            image
                .symbols()
                .iter()
                .map(|symbol| (symbol.name.clone(), home(symbol)))
                .collect::<Vec<_>>()
        };
        assert_eq!(homes(&before), homes(&after));
        assert_eq!(after.into_bytes().unwrap(), sealed);
    }

    #[test]
    fn a_section_that_shares_its_segment_or_is_not_there_cannot_be_replaced() {
        let mut image = Kernel::new().image();
        assert!(
            image
                .replace(".nothing", Vec::new())
                .unwrap_err()
                .to_string()
                .contains("no section .nothing")
        );
        assert!(
            image
                .replace(".data", Vec::new())
                .unwrap_err()
                .to_string()
                .contains("another segment is loaded above it")
        );
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("incipit-layout-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        write_whole(&folder.join("image"), b"new", 0o755).unwrap();
        assert_eq!(std::fs::read(folder.join("image")).unwrap(), b"new");
        std::fs::create_dir(folder.join("taken")).unwrap();
        let error = format!("{:#}", write_whole(&folder.join("taken"), b"new", 0o755).unwrap_err());
        assert!(error.starts_with("writing ") && error.contains("taken"), "{error}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing temporary is left");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

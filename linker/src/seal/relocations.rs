//! The relocations of the linked image: which field of what is loaded holds the address of what.
//!
//! The linker has applied them and kept them (`--emit-relocs`). They are true of the image as it was linked: before a step sorts a table. The sealed image
//! has none ([`super::layout`] leaves them out).

use anyhow::{Context, Result, ensure};
use object::elf::{self, RelocationType};

use super::image::{Image, Section};

/// Bytes of an `Elf64_Rela`: address, symbol and type, addend.
const ENTRY: usize = 24;

/// A field that the linker filled with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocation {
    /// Address of the field.
    pub at: u64,
    /// How the address is written there.
    pub kind: RelocationType,
    /// The symbol whose address it is, as an index.
    pub symbol: usize,
    /// What is added to it.
    pub addend: i64,
}

impl Section {
    /// Whether it holds relocations of the link, which nobody needs at run time, or is for those of a loader and empty: GRUB refuses a file that has such a section.
    #[must_use]
    pub fn is_relocations(&self) -> bool {
        self.kind == elf::SHT_RELA.0 && (!self.is_loaded() || self.size == 0)
    }
}

/// The relocations of every section of `image` that is loaded.
///
/// # Errors
///
/// If a section of relocations is cut off, or one names a symbol or a section that is not there; the error names the section.
pub fn read(image: &Image) -> Result<Vec<Relocation>> {
    let mut relocations = Vec::new();
    for section in image.sections().iter().filter(|section| section.is_relocations()) {
        let target = image
            .sections()
            .get(section.info as usize)
            .with_context(|| format!("{}: applies to the section {}, which is not there", section.name, section.info))?;
        if target.is_loaded() {
            relocations.extend(of_section(image, section)?);
        }
    }
    Ok(relocations)
}

fn of_section(image: &Image, section: &Section) -> Result<Vec<Relocation>> {
    let (entries, rest) = image.contents(section).as_chunks::<ENTRY>();
    ensure!(rest.is_empty(), "{}: ends in the middle of a relocation", section.name);
    let relocation = |entry: &[u8; ENTRY]| {
        let [at, info, addend] = [0, 8, 16].map(|field| word(entry, field));
        let symbol = (info >> 32) as usize;
        ensure!(
            symbol < image.symbols().len(),
            "{}: a relocation names the symbol {symbol}, which is not there",
            section.name
        );
        Ok(Relocation {
            at,
            kind: RelocationType(info as u32),
            symbol,
            addend: addend as i64,
        })
    };
    entries.iter().map(relocation).collect()
}

/// The 64-bit word of `entry` at `field`.
fn word(entry: &[u8; ENTRY], field: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&entry[field..field + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::testing::Kernel;

    fn kernel() -> Kernel {
        let mut kernel = Kernel::new();
        kernel.add_relocation(".text", kernel.address(".text") + 4, elf::R_X86_64_PLT32.0, "startup_64", -4);
        kernel.add_relocation(".data", kernel.address(".data") + 8, elf::R_X86_64_64.0, "_text", 1 << 40);
        kernel
    }

    fn error_of(image: &Image) -> String {
        format!("{:#}", read(image).unwrap_err())
    }

    #[test]
    fn those_of_all_sections_are_read() {
        let (kernel, image) = (kernel(), kernel().image());
        let found = read(&image).unwrap();
        let told = found.iter().map(|relocation| {
            (
                relocation.at,
                relocation.kind,
                image.symbols()[relocation.symbol].name.as_str(),
                relocation.addend,
            )
        });
        let expected = [
            (kernel.address(".text") + 4, elf::R_X86_64_PLT32, "startup_64", -4),
            (kernel.address(".data") + 8, elf::R_X86_64_64, "_text", 1 << 40),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn those_of_sections_that_are_not_loaded_are_passed_over() {
        let mut kernel = kernel();
        kernel.record(&[0; 16]);
        kernel.add_relocation(crate::record::SECTION, 0, elf::R_X86_64_64.0, "_text", 0);
        assert_eq!(read(&kernel.image()).unwrap().len(), 2);
    }

    #[test]
    fn a_section_that_is_cut_off_is_refused() {
        let mut image = kernel().image();
        image.replace(".rela.text", vec![0; ENTRY + 1]).unwrap();
        assert_eq!(error_of(&image), ".rela.text: ends in the middle of a relocation");
    }

    #[test]
    fn a_symbol_that_is_not_there_is_refused() {
        let mut image = kernel().image();
        let mut entry = [0; ENTRY];
        entry[12..16].copy_from_slice(&9999u32.to_le_bytes());
        image.replace(".rela.data", entry.to_vec()).unwrap();
        assert_eq!(
            error_of(&image),
            ".rela.data: a relocation names the symbol 9999, which is not there"
        );
    }

    #[test]
    fn a_section_that_is_not_there_is_refused() {
        let mut bytes = kernel().bytes();
        let headers = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
        let index = kernel().image().section(".rela.text").unwrap().index;
        let info = headers + index * 64 + 44;
        bytes[info..info + 4].copy_from_slice(&777u32.to_le_bytes());
        let image = Image::parse(bytes).unwrap();
        assert_eq!(error_of(&image), ".rela.text: applies to the section 777, which is not there");
    }
}

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
    /// Whether it holds relocations of the link, which nobody needs at run time.
    #[must_use]
    pub fn is_relocations(&self) -> bool {
        self.kind == elf::SHT_RELA.0 && !self.is_loaded()
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

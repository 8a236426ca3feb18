//! Puts the symbol table into the image that the kernel itself reads for names in backtraces.
//!
//! The linker leaves the section as a placeholder at the end of the image, where it can grow without moving anything. Its format belongs to
//! [`incipit_lib::kallsyms`].

use anyhow::{Context, Result};
use incipit_lib::kallsyms::build::{Input, build};
use object::elf;

use super::image::{Image, Symbol};
use super::system_map;
use crate::record::SYMBOL_PREFIX;

/// The section of the placeholder. An image without it was configured to have no symbol table.
const SECTION: &str = ".kallsyms";

/// Writes the table. Returns how many symbols it has; `None` if the image has no place for one.
///
/// # Errors
///
/// If the section cannot grow.
pub fn write(image: &mut Image) -> Result<Option<usize>> {
    if image.section(SECTION).is_none() {
        return Ok(None);
    }
    let symbols: Vec<Input> = image
        .symbols()
        .iter()
        .filter(|symbol| is_useful(image, symbol))
        .map(|symbol| Input {
            name: &symbol.name,
            kind: system_map::letter(image, symbol),
            address: symbol.value,
        })
        .collect();
    let end = image.address_of("_end").context("no symbol _end")?;
    let (count, table) = (symbols.len(), build(&symbols, end)?);
    image.replace(SECTION, table)?;
    Ok(Some(count))
}

/// Whether an address in a report can mean the symbol: functions, and objects that stay in memory under a name that people gave them.
fn is_useful(image: &Image, symbol: &Symbol) -> bool {
    let kind = [elf::STT_FUNC, elf::STT_OBJECT, elf::STT_NOTYPE]
        .iter()
        .any(|kind| kind.0 == symbol.kind);
    let in_memory = image
        .sections()
        .get(usize::from(symbol.section))
        .is_some_and(|section| section.is_loaded() && section.name != SECTION);
    kind && in_memory && symbol.is_named_place() && !symbol.name.starts_with(SYMBOL_PREFIX) && !symbol.name.starts_with(".L")
}

#[cfg(test)]
mod tests {
    use incipit_lib::kallsyms::Kallsyms;
    use object::elf::{STT_FUNC, STT_OBJECT};

    use super::*;
    use crate::seal::testing::Kernel;

    fn kernel() -> Kernel {
        let mut kernel = Kernel::new();
        kernel.add_symbol("incipit::time::calibrate", Kernel::function(4), 32, STT_FUNC.0);
        kernel.add_symbol("an_absolute_value", 0x1000, 0, STT_OBJECT.0);
        kernel.entry("ktest", "a");
        kernel
    }

    #[test]
    fn the_kernel_finds_the_names_in_the_sealed_file() {
        let mut image = kernel().image();
        let count = write(&mut image).unwrap().unwrap();
        let image = Image::parse(image.into_bytes().unwrap()).unwrap();
        let start = image.address_of("__kallsyms_start").unwrap();
        let contents = image.contents(image.section(SECTION).unwrap());
        assert_eq!(image.at(start..start + contents.len() as u64).unwrap(), contents);
        let table = Kallsyms::new(contents).unwrap();
        assert_eq!(table.len(), count);
        let found = table.lookup(Kernel::function(4) + 8).unwrap();
        assert_eq!(
            (found.name, found.kind, found.address),
            ("incipit::time::calibrate", 'T', Kernel::function(4))
        );
        assert_eq!(table.address_of("startup_64"), image.address_of("startup_64"));
    }

    #[test]
    fn entries_absolute_values_and_the_table_itself_are_left_out() {
        let mut image = kernel().image();
        write(&mut image).unwrap();
        let contents = image.contents(image.section(SECTION).unwrap()).to_vec();
        let names: Vec<_> = Kallsyms::new(&contents)
            .unwrap()
            .iter()
            .map(|symbol| symbol.name.to_owned())
            .collect();
        assert!(!names.is_empty());
        for name in ["an_absolute_value", "__kallsyms_start"] {
            assert!(!names.iter().any(|found| found == name), "{name}");
        }
        assert!(!names.iter().any(|name| name.contains('$')), "{names:?}");
    }

    #[test]
    fn an_image_without_the_section_gets_no_table() {
        let mut kernel = kernel();
        kernel.without_kallsyms();
        let mut image = kernel.image();
        assert_eq!(write(&mut image).unwrap(), None);
    }

    #[test]
    fn writing_it_again_replaces_it() {
        let mut image = kernel().image();
        write(&mut image).unwrap();
        let once = image.into_bytes().unwrap();
        let mut image = Image::parse(once.clone()).unwrap();
        write(&mut image).unwrap();
        assert_eq!(image.into_bytes().unwrap(), once);
    }

    #[test]
    fn a_section_that_cannot_grow_is_refused() {
        let mut kernel = kernel();
        let above = kernel.image().address_of("__kallsyms_start").unwrap() + 0x1000;
        kernel.add_section(".rodata", 2, above, &[0; 8]);
        let error = format!("{:#}", write(&mut kernel.image()).unwrap_err());
        assert!(error.contains("another segment is loaded above it"), "{error}");
    }
}

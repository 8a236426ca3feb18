//! Finds the entries that a library declares, before the linker had a say.
//!
//! A library is an archive. Its members are ELF objects, whose symbol tables are read, or, where the linker is to optimise across crates, LLVM bitcode.
//! Bitcode keeps its names one behind the other, so there they are found by how they begin and end.

use anyhow::{Context, Result};
use object::read::archive::ArchiveFile;
use object::read::{Object, ObjectSection, ObjectSymbol};

use super::records::{self, Record};
use crate::record::{RECORD_PART, SECTION, SYMBOL_END, SYMBOL_PREFIX};

/// How a file of LLVM bitcode begins: bare, or in its wrapper.
const BITCODE: [[u8; 4]; 2] = [*b"BC\xc0\xde", *b"\xde\xc0\x17\x0b"];

/// No name of an entry is longer: a path of a file system is not.
const LONGEST_NAME: usize = 4096;

/// What a library declares.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// The symbols of entries, sorted, each once.
    pub entries: Vec<String>,
    /// The records, as far as they can be read: bitcode hides them.
    pub records: Vec<Record>,
}

/// Reads the archive in `data`.
///
/// # Errors
///
/// If it is no archive, or a member is cut off or malformed.
pub fn read(data: &[u8]) -> Result<Declared> {
    let archive = ArchiveFile::parse(data).context("not an archive")?;
    let mut declared = Declared::default();
    for member in archive.members() {
        let member = member.context("a member of the archive")?;
        let contents = member.data(data).context("a member of the archive")?;
        read_member(contents, &mut declared).with_context(|| String::from_utf8_lossy(member.name()).into_owned())?;
    }
    declared.entries.sort_unstable();
    declared.entries.dedup();
    Ok(declared)
}

fn read_member(contents: &[u8], declared: &mut Declared) -> Result<()> {
    if contents.starts_with(b"\x7fELF") {
        let object = object::File::parse(contents)?;
        let defined = object.symbols().filter(ObjectSymbol::is_definition);
        declared.entries.extend(
            defined
                .filter_map(|symbol| symbol.name().ok())
                .filter(|name| is_entry(name))
                .map(str::to_owned),
        );
        for section in object.sections().filter(|section| section.name() == Ok(SECTION)) {
            declared.records.extend(records::parse(section.data()?)?);
        }
    } else if BITCODE.iter().any(|magic| contents.starts_with(magic)) {
        declared
            .entries
            .extend(names_in(contents).filter(|name| is_entry(name)).map(str::to_owned));
    }
    Ok(())
}

/// Whether `name` is the symbol of an entry, rather than of a record or of something else.
fn is_entry(name: &str) -> bool {
    name.strip_prefix(SYMBOL_PREFIX)
        .is_some_and(|rest| rest.ends_with(SYMBOL_END) && !rest.starts_with(RECORD_PART))
}

/// The names that begin and end as those of entries do.
fn names_in(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let prefix = SYMBOL_PREFIX.as_bytes();
    let starts = bytes.windows(prefix.len()).enumerate().filter(move |(_, window)| *window == prefix);
    starts.filter_map(|(at, _)| {
        let rest = &bytes[at..bytes.len().min(at + LONGEST_NAME)];
        let length = rest.iter().position(|&byte| byte == SYMBOL_END as u8 || !byte.is_ascii_graphic())?;
        (rest[length] == SYMBOL_END as u8)
            .then(|| str::from_utf8(&rest[..=length]).ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::testing::{Elf, archive, record_bytes};

    const ENTRY: &str = "__incipit.initcall6.hello.lib.hello_init.12_1$";

    fn object() -> Vec<u8> {
        let mut elf = Elf::new(1);
        elf.section(".initcall6.init", 3, 0, &[0; 16]);
        elf.section(SECTION, 2, 0, &record_bytes(".initcall6.init", ENTRY, "hello_init", &[]));
        elf.symbol(ENTRY, 0, 16, 1);
        elf.symbol("__incipit.declared.initcall6.hello.lib.hello_init.12_1$", 0, 16, 1);
        elf.symbol("hello_init", 0, 16, 2);
        elf.undefined("__incipit.initcall6.other.lib.x.1_1$", 1);
        elf.build()
    }

    #[test]
    fn entries_of_objects_are_found_with_their_records() {
        let declared = read(&archive(&[("lib.rmeta", b"rust"), ("a.o", &object())])).unwrap();
        assert_eq!(declared.entries, [ENTRY]);
        assert_eq!(declared.records[0].name, "hello_init");
    }

    #[test]
    fn entries_of_bitcode_are_found_where_names_stand_without_separators() {
        for magic in BITCODE {
            let names = "main__incipit.param.a.lib.X.1_1$__incipit.declared.param.a.lib.X.1_1$__incipit.ktest.a.lib.t.2_5$_R";
            let declared = read(&archive(&[("a.o", &[&magic[..], b"\0\x01", names.as_bytes()].concat())])).unwrap();
            assert_eq!(declared.entries, ["__incipit.ktest.a.lib.t.2_5$", "__incipit.param.a.lib.X.1_1$"]);
        }
    }

    #[test]
    fn a_name_without_its_end_is_none() {
        let cut_off = [&BITCODE[0][..], b"__incipit.param.a", b"\0\xff$__incipit.b"].concat();
        assert_eq!(read(&archive(&[("a.o", &cut_off)])).unwrap(), Declared::default());
    }

    #[test]
    fn members_of_other_kinds_are_passed_over() {
        let text = [b"__incipit.param.a.lib.X.1_1$".as_slice()].concat();
        assert_eq!(read(&archive(&[("notes.txt", &text)])).unwrap(), Declared::default());
    }

    #[test]
    fn a_broken_library_is_refused() {
        assert!(read(b"").is_err());
        assert!(read(b"\x7fELF").is_err());
        let whole = archive(&[("a.o", &object())]);
        assert!(read(&whole[..whole.len() - 100]).is_err());
        assert!(read(&archive(&[("a.o", &object()[..100])])).is_err());
    }
}

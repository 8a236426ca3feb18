//! The declaration records, read from the section by the format that the contract between attributes and tools describes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::image::IMAGE;

/// What a declared entry says of itself: its pairs of key and value.
pub type Record = BTreeMap<String, String>;

/// The records of the image, in the order of the link.
pub static RECORDS: LazyLock<Vec<Record>> = LazyLock::new(read);

fn read() -> Vec<Record> {
    let section = IMAGE.elf.section(".incipit.declared").expect("a section of records");
    let bytes = &IMAGE.bytes[section.offset as usize..][..section.size as usize];
    let text = std::str::from_utf8(bytes).expect("records are UTF-8");
    let records = text.split('\0').filter(|record| !record.is_empty());
    records
        .map(|record| pairs(record.strip_prefix('\u{1e}').expect("a record begins with a record separator")))
        .collect()
}

fn pairs(record: &str) -> Record {
    record
        .split('\u{1f}')
        .map(|pair| pair.split_once('=').expect("a pair has a sign"))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The records of the entries in an input section.
pub fn of_section(section: &str) -> impl Iterator<Item = &'static Record> {
    RECORDS.iter().filter(move |record| record["table"] == section)
}

//! Reads the declaration records back: what each declared entry says of itself (see [`crate::record`]).

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::image::Image;
use crate::layout::{REF_DATA, REF_TEXT};
use crate::record::{BEGIN, END, SECTION, SEPARATOR, key};

/// A declaration record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Input section of the part that the entry is in.
    pub table: String,
    /// Symbol of the entry; empty for an [exception](Self::is_exception), which has none.
    pub entry: String,
    /// What users call it.
    pub name: String,
    /// Module path, `::`, identifier.
    pub path: String,
    /// Source file.
    pub file: String,
    /// Line in the source file.
    pub line: u32,
    /// The keys that only some tables have, such as `type` and `after`.
    pub more: BTreeMap<String, String>,
}

impl Record {
    /// Where it was declared, as compilers print it: `file:line`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// Whether it declares no entry, but a function or static that stays and may refer to init memory.
    #[must_use]
    pub fn is_exception(&self) -> bool {
        is_exception(&self.table)
    }

    /// The value of a key that only some tables have.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.more.get(key).map(String::as_str)
    }
}

/// The records of `image`, in the order of the link.
///
/// # Errors
///
/// If a record is malformed; the error says where it starts. An image without the section has no records.
pub fn read(image: &Image) -> Result<Vec<Record>> {
    image
        .section(SECTION)
        .map_or_else(|| Ok(Vec::new()), |section| parse(image.contents(section)))
}

/// The records in the contents of a section, which may have zeros between and behind them.
///
/// # Errors
///
/// If one is malformed; the error says where it starts.
pub fn parse(bytes: &[u8]) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        if first == END {
            at += 1;
            continue;
        }
        ensure!(
            first == BEGIN,
            "{SECTION}: byte {first:#04x} at offset {at:#x} begins no record: a record begins with {BEGIN:#04x}"
        );
        let body = &bytes[at + 1..];
        let length = body
            .iter()
            .position(|&byte| byte == END)
            .with_context(|| format!("{SECTION}: the record at offset {at:#x} has no end"))?;
        records.push(record(&body[..length]).with_context(|| format!("{SECTION}: the record at offset {at:#x}"))?);
        at += 1 + length + 1;
    }
    Ok(records)
}

fn is_exception(table: &str) -> bool {
    [REF_TEXT, REF_DATA].iter().any(|(section, ..)| *section == table)
}

/// The record whose pairs are `body`.
fn record(body: &[u8]) -> Result<Record> {
    let mut pairs = BTreeMap::new();
    for pair in body.split(|&byte| byte == SEPARATOR) {
        let pair = std::str::from_utf8(pair).context("is not UTF-8")?;
        let (key, value) = pair.split_once('=').with_context(|| format!("`{pair}` is no key=value"))?;
        if pairs.insert(key.to_owned(), value.to_owned()).is_some() {
            bail!("has the key `{key}` twice");
        }
    }
    let mut take = |key: &str| pairs.remove(key).with_context(|| format!("lacks the key `{key}`"));
    let (table, name) = (take(key::TABLE)?, take(key::NAME)?);
    let entry = if is_exception(&table) { String::new() } else { take(key::ENTRY)? };
    let (path, file) = (take(key::PATH)?, take(key::FILE)?);
    let line = take(key::LINE)?;
    let line = line.parse().with_context(|| format!("`{line}` is no line number"))?;
    Ok(Record {
        table,
        entry,
        name,
        path,
        file,
        line,
        more: pairs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::testing::record_bytes;

    fn declared(name: &str) -> Vec<u8> {
        record_bytes(
            ".initcall6.init",
            &format!("__incipit.initcall6.a.{name}.1_1$"),
            name,
            &[("level", "device")],
        )
    }

    #[test]
    fn records_are_read_with_their_keys() {
        let records = parse(&declared("pci_init")).unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(
            (records[0].table.as_str(), records[0].name.as_str()),
            (".initcall6.init", "pci_init")
        );
        assert_eq!(records[0].place(), "src/lib.rs:1");
        assert_eq!((records[0].get("level"), records[0].get("after")), (Some("device"), None));
    }

    #[test]
    fn zeros_between_and_behind_records_are_padding() {
        let bytes = [declared("a"), vec![0; 7], declared("b"), vec![0; 3]].concat();
        let names: Vec<_> = parse(&bytes).unwrap().into_iter().map(|record| record.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(parse(&[0; 16]).unwrap(), []);
    }

    #[test]
    fn a_malformed_record_is_refused_with_its_offset() {
        let good = declared("a");
        let cases: [(&str, Vec<u8>); 6] = [
            ("begins no record", b"table".to_vec()),
            ("has no end", good[..good.len() - 1].to_vec()),
            ("is no key=value", b"\x1etable\0".to_vec()),
            ("twice", b"\x1ename=a\x1fname=b\0".to_vec()),
            ("lacks the key `table`", b"\x1ename=a\0".to_vec()),
            ("is not UTF-8", b"\x1ename=\xff\0".to_vec()),
        ];
        for (message, bad) in cases {
            let bytes = [good.clone(), bad].concat();
            let error = format!("{:#}", parse(&bytes).unwrap_err());
            assert!(error.contains(message) && error.contains(&format!("{:#x}", good.len())), "{error}");
        }
    }

    #[test]
    fn a_line_that_is_no_number_is_refused() {
        let text = String::from_utf8(declared("a")).unwrap().replace("line=1", "line=-1");
        assert!(parse(text.as_bytes()).is_err());
    }
}

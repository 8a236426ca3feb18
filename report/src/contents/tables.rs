//! The entries of each table.

use std::ops::Range;

use anyhow::{Context, Result};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list::{self, Row};
use incipit_linker::seal::order;
use incipit_linker::seal::placed::Placed;
use incipit_linker::table::{Sort, Table};
use incipit_linker::tables;

use super::symbols::Symbols;

/// A table of an image.
#[derive(Debug)]
pub struct Listed {
    /// Its description.
    pub table: &'static Table,
    /// Its addresses.
    pub range: Range<u64>,
    /// Its entries in the order of the image.
    pub entries: Entries,
}

/// The entries of a table, as far as the image tells of them.
#[derive(Debug)]
pub enum Entries {
    /// Each was declared.
    Declared(Vec<Row>),
    /// Each is a place in the code and what belongs to it.
    Places(Vec<(String, String)>),
    /// Each is the slot of an entry of another table.
    SlotsOf(&'static str, u64),
}

impl Listed {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.entries {
            Entries::Declared(rows) => rows.len() as u64,
            Entries::Places(places) => places.len() as u64,
            Entries::SlotsOf(_, count) => *count,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The tables in `placed` with what is in them.
pub fn listed(image: &Image, placed: &[Placed]) -> Result<Vec<Listed>> {
    let symbols = Symbols::of(image);
    let mut rows = list::rows(image, None)?;
    placed
        .iter()
        .map(|placed| {
            let table = placed.table;
            let entries = match table.sort {
                Sort::WithCompanion => Entries::SlotsOf(owner(table), placed.entries()),
                Sort::ExceptionTable => Entries::Places(exceptions(image, placed, &symbols)?),
                Sort::RelativeCode => Entries::Places(code_pairs(image, placed, &symbols)?),
                Sort::None => Entries::Places(pointers(image, placed, &symbols)?),
                Sort::RankName | Sort::FoldedName | Sort::Path => {
                    let is_of_table = |row: &mut Row| table.parts.iter().any(|part| part.name == row.part);
                    Entries::Declared(rows.extract_if(.., is_of_table).collect())
                }
            };
            Ok(Listed {
                table,
                range: placed.range(),
                entries,
            })
        })
        .collect()
}

/// The table whose entries point to the slots of `companion`.
fn owner(companion: &Table) -> &'static str {
    let points = |table: &&&Table| table.companion.is_some_and(|link| link.table == companion.name);
    tables::ALL.iter().find(points).map_or("", |table| table.name)
}

/// Each instruction that may fault, and where the kernel goes on.
fn exceptions(image: &Image, placed: &Placed, symbols: &Symbols) -> Result<Vec<(String, String)>> {
    let entries = order::read_exception_table(image, placed)?;
    let named = entries
        .iter()
        .map(|entry| (symbols.name(entry.instruction), symbols.name(entry.fixup)));
    Ok(named.collect())
}

/// Each instruction that can be rewritten, and the code that it leads to or is replaced by.
fn code_pairs(image: &Image, placed: &Placed, symbols: &Symbols) -> Result<Vec<(String, String)>> {
    let pairs = order::read_code_pairs(image, placed)?;
    Ok(pairs
        .iter()
        .map(|&(code, other)| (symbols.name(code), symbols.name(other)))
        .collect())
}

/// Entries that are nothing but the address of a function.
fn pointers(image: &Image, placed: &Placed, symbols: &Symbols) -> Result<Vec<(String, String)>> {
    placed
        .slots()
        .map(|slot| {
            let address = image.u64_at(slot);
            let address = address.with_context(|| format!("{}: the entry at {slot:#x} is not in the file", placed.table.name))?;
            Ok((symbols.name(address), format!("{address:#x}")))
        })
        .collect()
}

//! The keys by which entries are sorted, made of what their records say.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::graph::Graph;
use crate::seal::records::Record;
use crate::table::Sort;

/// What the keys need besides the records: the place of each entry among those that are walked for the same reason.
pub struct Keys<'g> {
    places: HashMap<&'g str, usize>,
}

impl<'g> Keys<'g> {
    /// The keys for the entries of `graphs`, and for those of tables without relations.
    pub fn of(graphs: &[&'g Graph]) -> Self {
        let symbols = |graph: &'g Graph| graph.entries.iter().map(|node| node.record.entry.as_str()).zip(0..);
        Self {
            places: graphs.iter().copied().flat_map(symbols).collect(),
        }
    }

    /// Compares two entries of a part. The symbol of the entry decides last: it is unique, so the order is total and owes nothing to the link.
    pub fn compare(&self, sort: Sort, one: &Record, other: &Record) -> Ordering {
        let place = |record: &Record| self.places.get(record.entry.as_str());
        let by_key = match sort {
            Sort::RankName => place(one).cmp(&place(other)),
            Sort::FoldedName => folded_bytes(&one.name).cmp(folded_bytes(&other.name)),
            Sort::Path => module(&one.path).cmp(module(&other.path)).then_with(|| one.name.cmp(&other.name)),
            Sort::None | Sort::ExceptionTable | Sort::RelativeCode | Sort::WithCompanion => Ordering::Equal,
        };
        by_key
            .then_with(|| one.path.cmp(&other.path))
            .then_with(|| one.entry.cmp(&other.entry))
    }
}

/// `name` with `-` folded to `_`, as the command line compares names.
#[must_use]
pub fn folded(name: &str) -> String {
    name.replace('-', "_")
}

fn folded_bytes(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| if byte == b'-' { b'_' } else { byte })
}

/// The module part of `path`, so that the entries of one module stand together even where another module's path is between theirs.
fn module(path: &str) -> &str {
    path.rsplit_once("::").map_or("", |(module, _)| module)
}

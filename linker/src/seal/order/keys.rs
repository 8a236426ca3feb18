//! The keys by which entries are sorted, made of what their records say.

use std::cmp::Ordering;

use crate::seal::records::Record;
use crate::table::Sort;

/// Compares two entries of a part. The symbol of the entry decides last: it is unique, so the order is total and owes nothing to the link.
pub fn compare(sort: Sort, one: &Record, other: &Record) -> Ordering {
    let by_key = match sort {
        Sort::RankName => (one.rank, &one.name).cmp(&(other.rank, &other.name)),
        Sort::FoldedName => folded_bytes(&one.name).cmp(folded_bytes(&other.name)),
        Sort::Path => module(&one.path).cmp(module(&other.path)).then_with(|| one.name.cmp(&other.name)),
        Sort::None | Sort::ExceptionTable | Sort::WithCompanion => Ordering::Equal,
    };
    by_key
        .then_with(|| one.path.cmp(&other.path))
        .then_with(|| one.entry.cmp(&other.entry))
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

//! What `-v` says of a sealed image: a line per table, and one per exception from the rules of init memory.

use super::placed::Placed;
use super::records::Record;
use crate::record::key;
use crate::table::{Lifetime, Sort};

/// The line of a table: name, range, entries, entry size, order, lifetime.
#[must_use]
pub fn line(placed: &Placed) -> String {
    let (table, range) = (placed.table, placed.range());
    let order = match table.sort {
        Sort::None | Sort::RelativeCode => "as linked",
        Sort::RankName => "by rank, name, path",
        Sort::FoldedName => "by name",
        Sort::Path => "by path",
        Sort::ExceptionTable => "by address",
        Sort::WithCompanion => "with its table",
    };
    let lifetime = match table.lifetime {
        Lifetime::Init => "freed",
        Lifetime::Kept => "kept",
    };
    format!(
        "{:<17} {:#018x}..{:#018x} {:5} entries of {:2} bytes, {order}, {lifetime}",
        table.name,
        range.start,
        range.end,
        placed.entries(),
        table.entry_size
    )
}

/// The line of what stays and may refer to init memory: the attribute, the item, its place, the reason.
#[must_use]
pub fn exception(record: &Record) -> String {
    let reason = record.get(key::REASON).unwrap_or_default();
    format!("init_ref          {} ({}): {reason}", record.path, record.place())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::placed;
    use crate::seal::problem::Problems;
    use crate::seal::testing::Kernel;

    #[test]
    fn a_table_takes_a_line() {
        let mut kernel = Kernel::new();
        kernel.entry("ktest", "a");
        let image = kernel.image();
        let placed = placed::find(&image, &mut Problems::default());
        let ktest = placed.iter().find(|placed| placed.table.name == "ktest").unwrap();
        let start = image.address_of("__kunit_suites_start").unwrap();
        assert_eq!(
            line(ktest),
            format!(
                "ktest             {start:#x}..{:#x}     1 entries of 16 bytes, by path, freed",
                start + 16
            )
        );
    }
}

//! Where each described table is in an image.

use std::ops::Range;

use super::image::Image;
use super::problem::Problems;
use crate::table::{Part, Table};
use crate::tables;

/// A table of an image.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Its description.
    pub table: &'static Table,
    /// Its parts, each with the addresses of its entries.
    pub parts: Vec<(&'static Part, Range<u64>)>,
}

impl Placed {
    /// From the first to behind the last entry.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = self.parts.first().map_or(0, |(_, range)| range.start);
        start..self.parts.last().map_or(start, |(_, range)| range.end)
    }

    /// How many entries it has.
    #[must_use]
    pub fn entries(&self) -> u64 {
        let range = self.range();
        (range.end - range.start) / self.table.entry_size
    }

    /// The addresses of its entries, in the order of the image.
    pub fn slots(&self) -> impl Iterator<Item = u64> + use<> {
        self.range().step_by(self.table.entry_size as usize)
    }
}

/// Whether `image` has `table`: one that depends on the configuration is there when any of its symbols is.
#[must_use]
pub fn is_included(image: &Image, table: &Table) -> bool {
    table.config.is_none() || boundaries(table).any(|symbol| image.symbol(symbol).is_some())
}

/// Finds every table that `image` has. One that cannot be walked, because a symbol is missing or the entries do not fill the space between two of
/// them, is noted in `problems` and left out.
pub fn find(image: &Image, problems: &mut Problems) -> Vec<Placed> {
    let included = tables::ALL.iter().filter(|table| is_included(image, table));
    included.filter_map(|table| find_table(image, table, problems)).collect()
}

fn find_table(image: &Image, table: &'static Table, problems: &mut Problems) -> Option<Placed> {
    let missing: Vec<_> = boundaries(table).filter(|symbol| image.symbol(symbol).is_none()).collect();
    if !missing.is_empty() {
        problems.add(
            table.name,
            format!("no symbol {}: the linker script must define it", missing.join(", ")),
        );
        return None;
    }
    let address = |symbol: &str| image.address_of(symbol).unwrap_or_default();
    let mut whole = true;
    let mut parts = Vec::with_capacity(table.parts.len());
    for (index, part) in table.parts.iter().enumerate() {
        let end_symbol = table.part_end(index);
        let (start, end) = (address(part.start), address(end_symbol));
        if start > end {
            problems.add(
                table.name,
                format!("{} ({start:#x}) is above {end_symbol} ({end:#x}): it must come first", part.start),
            );
            whole = false;
        } else if !(end - start).is_multiple_of(table.entry_size) {
            let message = format!(
                "{} bytes between {} ({start:#x}) and {end_symbol}: not a whole number of entries of {} bytes",
                end - start,
                part.start,
                table.entry_size
            );
            problems.add(table.name, message);
            whole = false;
        }
        parts.push((part, start..end));
    }
    whole.then_some(Placed { table, parts })
}

/// The symbols before, between and behind the parts of `table`.
pub fn boundaries(table: &Table) -> impl Iterator<Item = &'static str> + use<> {
    table.parts.iter().map(|part| part.start).chain([table.end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::testing::Kernel;

    fn problems_of(kernel: &Kernel) -> Vec<String> {
        let mut problems = Problems::default();
        find(&kernel.image(), &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_table_of_a_good_image_is_found() {
        let mut problems = Problems::default();
        let mut kernel = Kernel::new();
        kernel.entry("initcall6", "a");
        kernel.entry("initcall6", "b");
        let placed = find(&kernel.image(), &mut problems);
        assert_eq!(placed.len(), tables::ALL.len());
        let initcall = placed.iter().find(|placed| placed.table.name == "initcall").unwrap();
        assert_eq!((initcall.entries(), initcall.slots().count()), (2, 2));
        assert!(problems.is_empty());
    }

    #[test]
    fn a_table_that_is_configured_out_is_no_problem() {
        let mut kernel = Kernel::new();
        kernel.without_symbol("__kunit_suites_start");
        assert_eq!(problems_of(&kernel).len(), 1, "half of it is there");
        kernel.without_symbol("__kunit_suites_end");
        assert_eq!(problems_of(&kernel), [] as [String; 0]);
    }

    #[test]
    fn a_missing_symbol_is_named() {
        let mut kernel = Kernel::new();
        kernel.without_symbol("__setup_end");
        assert_eq!(
            problems_of(&kernel),
            ["setup: no symbol __setup_end: the linker script must define it"]
        );
    }

    #[test]
    fn a_table_with_a_broken_stride_is_named() {
        let mut kernel = Kernel::new();
        kernel.raw_entry("initcall6", &[0; 20]);
        let problems = problems_of(&kernel);
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].starts_with("initcall: 20 bytes between __initcall6_start"),
            "{}",
            problems[0]
        );
    }
}

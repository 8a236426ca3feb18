//! Search in tables sorted by name.
//!
//! The build sorts `__param` and `.init.setup` by [`param_cmp`](super::param_cmp); these functions
//! find entries in them without a copy and without walking the whole table. Entries of one name
//! stand together, so a result is a range.

use super::{common_prefix, fold, parameq};
use core::cmp::Ordering;
use core::ops::Range;

/// The first of the entries `0..end` that `goes_before` does not hold for, told how its name compares with `name`.
///
/// Whatever lies between two entries shares with `name` what both of them do, so those bytes are not compared again: in all a search looks at
/// little more than each byte of `name` once, however many entries it passes.
fn bound<'n>(end: usize, name_at: impl Fn(usize) -> &'n [u8], name: &[u8], goes_before: impl Fn(Ordering) -> bool) -> usize {
    let Range { mut start, mut end } = 0..end;
    let (mut below, mut above) = (0, 0);
    while start < end {
        let middle = (start + end) / 2;
        let (order, common) = compare_behind(name_at(middle), name, below.min(above));
        if goes_before(order) {
            (start, below) = (middle + 1, common);
        } else {
            (end, above) = (middle, common);
        }
    }
    start
}

/// How two names compare that share their first `common` bytes, and how many bytes they share in all.
#[inline]
fn compare_behind(a: &[u8], b: &[u8], mut common: usize) -> (Ordering, usize) {
    loop {
        // Bytes are mostly the same to the letter; a name that ends goes before one that does not.
        match (a.get(common), b.get(common)) {
            (Some(a), Some(b)) if a == b || fold(*a) == fold(*b) => common += 1,
            (a, b) => return (a.copied().map(fold).cmp(&b.copied().map(fold)), common),
        }
    }
}

/// The entries whose name equals `name`; an empty range (at the place where it would stand) when
/// there are none.
///
/// `name_at` names entry `0..len`, sorted by [`param_cmp`](super::param_cmp). A table that is not sorted gives a
/// wrong answer, never a panic or an endless search.
pub fn find_exact<'n>(len: usize, name_at: impl Fn(usize) -> &'n [u8], name: &[u8]) -> Range<usize> {
    let start = bound(len, &name_at, name, |order| order == Ordering::Less);
    let count = (start..len).take_while(|at| parameq(name_at(*at), name)).count();
    start..start + count
}

/// The first of the entries whose name equals `name`, for tables in which no name stands twice.
///
/// `name_at` and `len` are as for [`find_exact`].
pub fn find_one<'n>(len: usize, name_at: impl Fn(usize) -> &'n [u8], name: &[u8]) -> Option<usize> {
    let at = bound(len, &name_at, name, |order| order == Ordering::Less);
    (at < len && parameq(name_at(at), name)).then_some(at)
}

/// All entries whose name is a prefix of `text`, longest name first; each item is the range of
/// entries that share one name.
///
/// `name_at` names entry `0..len`, sorted by [`param_cmp`](super::param_cmp). Each step is one binary search, and
/// there are at most as many steps as `text` has bytes.
pub fn find_prefixes<'n, F>(len: usize, name_at: F, text: &[u8]) -> Prefixes<'_, F>
where
    F: Fn(usize) -> &'n [u8],
{
    Prefixes {
        name_at,
        text,
        end: len,
        done: false,
    }
}

/// Iterator of [`find_prefixes`].
#[derive(Clone, Debug)]
pub struct Prefixes<'t, F> {
    name_at: F,
    text: &'t [u8],
    /// Entries from here on are ruled out.
    end: usize,
    done: bool,
}

impl<'n, F: Fn(usize) -> &'n [u8]> Iterator for Prefixes<'_, F> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while !self.done {
            let name_at = &self.name_at;
            let end = bound(self.end, name_at, self.text, |order| order != Ordering::Greater);
            self.end = end;
            let Some(last) = end.checked_sub(1) else {
                break;
            };
            // The greatest name that is not after the text. Every prefix of the text that is in
            // the table and not this name is also a prefix of what the two have in common.
            let name = name_at(last);
            let common = common_prefix(name, self.text);
            if common < name.len() {
                self.text = &self.text[..common];
                continue;
            }
            let start = bound(end, name_at, name, |order| order == Ordering::Less);
            self.end = start;
            match name.len().checked_sub(1) {
                Some(shorter) => self.text = &self.text[..shorter],
                None => self.done = true,
            }
            return Some(start..end);
        }
        self.done = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmdline::{param_cmp, parameqn};
    use proptest::prelude::*;
    use std::{string::String, vec, vec::Vec};

    const TABLE: [&[u8]; 8] = [
        b"a",
        b"con",
        b"console",
        b"console=",
        b"console=",
        b"consoleblank=",
        b"log_buf_len",
        b"ro",
    ];

    fn prefixes(text: &[u8]) -> Vec<Range<usize>> {
        find_prefixes(TABLE.len(), |at| TABLE[at], text).collect()
    }

    #[test]
    fn an_exact_search_finds_every_entry_of_the_name() {
        let find = |name: &[u8]| find_exact(TABLE.len(), |at| TABLE[at], name);
        assert_eq!(find(b"console="), 3..5);
        assert_eq!(find(b"log-buf-len"), 6..7);
        assert_eq!(find(b"ro"), 7..8);
        assert!(find(b"root").is_empty());
        assert!(find(b"").is_empty());
    }

    #[test]
    fn a_prefix_search_yields_the_longest_name_first() {
        assert_eq!(prefixes(b"console=ttyS0"), [3..5, 2..3, 1..2]);
        assert_eq!(prefixes(b"consoleblank=0"), [5..6, 2..3, 1..2]);
        assert_eq!(prefixes(b"root=/dev/sda"), vec![7..8; 1]);
    }

    #[test]
    fn a_prefix_search_without_a_match_ends() {
        assert!(prefixes(b"b").is_empty());
        assert!(prefixes(b"").is_empty());
        assert!(prefixes(b"zzz").is_empty());
        assert_eq!(find_prefixes(0, |_| &b"a"[..], b"a").count(), 0);
    }

    #[test]
    fn an_entry_with_an_empty_name_matches_everything() {
        let table: [&[u8]; 2] = [b"", b"a"];
        let found: Vec<_> = find_prefixes(2, |at| table[at], b"ab").collect();
        assert_eq!(found, [1..2, 0..1]);
    }

    #[test]
    fn a_search_looks_at_few_entries_of_a_large_table() {
        let names: Vec<String> = (0..1 << 14).map(|n| std::format!("p{n:05}x")).collect();
        let looks = core::cell::Cell::new(0);
        let name_at = |at: usize| {
            looks.set(looks.get() + 1);
            names[at].as_bytes()
        };
        assert_eq!(find_prefixes(names.len(), name_at, b"p07777x=1").count(), 1);
        // 9 bytes of text, at most 15 looks for each search and one more for each comparison.
        assert!(looks.get() <= 10 * 32, "{}", looks.get());
    }

    proptest! {
        #[test]
        fn searches_find_what_a_scan_finds(
            mut names in proptest::collection::vec("(long-common_stem)?[ab_-]{0,4}", 0..24),
            text in "(long[-_]common[-_]stem)?[ab_-]{0,6}",
        ) {
            names.sort_by(|a, b| param_cmp(a.as_bytes(), b.as_bytes()));
            let name_at = |at: usize| names[at].as_bytes();
            let text = text.as_bytes();

            let found: Vec<usize> = find_exact(names.len(), name_at, text).collect();
            let scanned: Vec<usize> =
                (0..names.len()).filter(|at| parameq(name_at(*at), text)).collect();
            prop_assert_eq!(find_one(names.len(), name_at, text), scanned.first().copied());
            prop_assert_eq!(found, scanned);

            let mut lengths = Vec::new();
            let mut found: Vec<usize> = Vec::new();
            for range in find_prefixes(names.len(), name_at, text) {
                lengths.push(name_at(range.start).len());
                found.extend(range);
            }
            prop_assert!(lengths.windows(2).all(|pair| pair[0] > pair[1]));
            found.sort_unstable();
            let scanned: Vec<usize> = (0..names.len())
                .filter(|at| parameqn(name_at(*at), text, name_at(*at).len()))
                .collect();
            prop_assert_eq!(found, scanned);
        }

        #[test]
        fn an_unsorted_table_never_hangs_a_search(
            names in proptest::collection::vec("[ab]{0,3}", 0..16),
            text in "[ab]{0,6}",
        ) {
            let name_at = |at: usize| names[at].as_bytes();
            find_exact(names.len(), name_at, text.as_bytes());
            find_one(names.len(), name_at, text.as_bytes());
            prop_assert!(
                find_prefixes(names.len(), name_at, text.as_bytes()).count() <= text.len() + 1
            );
        }
    }
}

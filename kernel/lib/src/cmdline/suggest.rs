//! "Did you mean": the known name that a misspelled one is closest to.

use super::fold;

/// Names longer than this are not compared; no parameter of the kernel comes near.
const MAX_NAME: usize = 64;

/// The candidate within two slips of `name`, if any. A slip is one byte inserted, left out,
/// replaced, or swapped with its neighbour, no byte being touched twice (the restricted
/// Damerau-Levenshtein distance); `-` and `_` do not differ.
///
/// Short names get less leeway, or everything would resemble everything: two slips from six bytes
/// on, one from three bytes on. Among equally close candidates the first wins, so the answer
/// depends on nothing but the arguments. An equal name is no suggestion.
pub fn suggest<'c>(name: &[u8], candidates: impl IntoIterator<Item = &'c [u8]>) -> Option<&'c [u8]> {
    let mut limit = match name.len() {
        0..3 => return None,
        3..6 => 1,
        _ => 2,
    };
    let mut best = None;
    for candidate in candidates {
        match distance(name, candidate, limit) {
            Some(0) | None => {}
            Some(found) => {
                best = Some(candidate);
                limit = found - 1;
                if limit == 0 {
                    break;
                }
            }
        }
    }
    best
}

/// The restricted edit distance if it is at most `limit`.
fn distance(a: &[u8], b: &[u8], limit: usize) -> Option<usize> {
    if a.len() > MAX_NAME || b.len() > MAX_NAME || a.len().abs_diff(b.len()) > limit {
        return None;
    }
    // Rows of the usual matrix: two before, one before, this one.
    let mut older = [0_usize; MAX_NAME + 1];
    let mut old: [usize; MAX_NAME + 1] = core::array::from_fn(|column| column);
    let mut row = [0_usize; MAX_NAME + 1];
    for i in 1..=a.len() {
        row[0] = i;
        let mut smallest = i;
        for j in 1..=b.len() {
            let differs = fold(a[i - 1]) != fold(b[j - 1]);
            let mut best = (old[j - 1] + usize::from(differs)).min(old[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
            if swapped {
                best = best.min(older[j - 2] + 1);
            }
            row[j] = best;
            smallest = smallest.min(best);
        }
        // A swap reaches back two rows, so one bad row alone does not decide.
        if smallest > limit + 1 {
            return None;
        }
        (older, old) = (old, row);
    }
    Some(old[b.len()]).filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    fn among<'c>(name: &str, candidates: &[&'c str]) -> Option<&'c str> {
        let found = suggest(name.as_bytes(), candidates.iter().map(|name| name.as_bytes()))?;
        core::str::from_utf8(found).ok()
    }

    #[test]
    fn each_kind_of_slip_is_recognised() {
        let known = ["loglevel", "quiet", "initcall_debug"];
        assert_eq!(among("logleve", &known), Some("loglevel"));
        assert_eq!(among("logllevel", &known), Some("loglevel"));
        assert_eq!(among("loglewel", &known), Some("loglevel"));
        assert_eq!(among("quite", &known), Some("quiet"));
        assert_eq!(among("initcal-debg", &known), Some("initcall_debug"));
    }

    #[test]
    fn the_closest_wins_and_the_first_among_equals() {
        assert_eq!(among("consolf", &["consul", "consola", "console"]), Some("consola"));
        assert_eq!(among("abcdef", &["abcdxy", "abcdex"]), Some("abcdex"));
    }

    #[test]
    fn a_short_name_gets_less_leeway() {
        assert_eq!(among("ro", &["rw", "r"]), None);
        assert_eq!(among("nosmt", &["noapt"]), None);
        assert_eq!(among("nosmp", &["nosmt"]), Some("nosmt"));
    }

    #[test]
    fn the_same_name_and_far_names_are_no_suggestion() {
        assert_eq!(among("loglevel", &["loglevel", "log-level-max", ""]), None);
        assert_eq!(among("log-level", &["log_level"]), None);
    }

    #[test]
    fn very_long_names_are_left_alone() {
        let long = "x".repeat(10_000);
        assert_eq!(among(&long, &[&long[1..], "y"]), None);
    }

    /// The distance by its recursive definition.
    fn naive(a: &[u8], b: &[u8]) -> usize {
        let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                d[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let replace = d[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut best = replace.min(d[i - 1][j] + 1).min(d[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(d[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        d[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn the_bounded_distance_is_the_whole_one_cut_off(
            a in "[abc]{0,9}",
            b in "[abc]{0,9}",
            limit in 0_usize..4,
        ) {
            let full = naive(a.as_bytes(), b.as_bytes());
            let expected = Some(full).filter(|full| *full <= limit);
            prop_assert_eq!(distance(a.as_bytes(), b.as_bytes(), limit), expected);
        }
    }
}

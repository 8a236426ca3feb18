//! The kernel command line: words, names, and how a word finds the entry it is meant for.
//!
//! The rules are Linux's (`lib/cmdline.c` `next_arg`, `kernel/params.c` `parameq`), over bytes: a
//! boot loader may pass anything. What a value means, and which words go to init, is decided
//! elsewhere.
//!
//! Tables of names are searched where they lie, through an accessor `Fn(usize) -> &[u8]`: see
//! [`lookup`].

pub mod lookup;
mod suggest;
mod tokens;

pub use suggest::suggest;
pub use tokens::{Arg, Args, Token, Tokens, is_space};

use core::cmp::Ordering;

/// The byte as name comparison sees it: `-` and `_` are one.
pub const fn fold(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
}

/// Whether two parameter names are the same, `-` being equal to `_`.
pub fn parameq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && common_prefix(a, b) == a.len()
}

/// Whether the first `len` bytes of two parameter names are the same, `-` being equal to `_`.
/// `false` when either is shorter.
pub fn parameqn(a: &[u8], b: &[u8], len: usize) -> bool {
    match (a.get(..len), b.get(..len)) {
        (Some(a), Some(b)) => parameq(a, b),
        _ => false,
    }
}

/// The order of tables sorted by name: bytewise, `-` counted as `_`.
pub fn param_cmp(a: &[u8], b: &[u8]) -> Ordering {
    a.iter().copied().map(fold).cmp(b.iter().copied().map(fold))
}

/// How many leading bytes two names share, `-` being equal to `_`.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    // Most of what is the same is so to the letter: that is passed by the word.
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let same = 8 * words.take_while(|(a, b)| a == b).count();
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| fold(**a) == fold(**b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_equals_an_underscore_in_names() {
        assert!(parameq(b"log-buf_len", b"log_buf-len"));
        assert!(!parameq(b"log-buf", b"log-buf-len"));
        assert!(!parameq(b"log-buf-len", b"log-buf"));
        assert!(parameq(b"", b""));
        assert!(!parameq(b"Quiet", b"quiet"));
    }

    #[test]
    fn a_bounded_comparison_never_reaches_past_either_name() {
        assert!(parameqn(b"console=ttyS0", b"console=", 8));
        assert!(!parameqn(b"console", b"console=", 8));
        assert!(parameqn(b"a-b", b"a_c", 2));
        assert!(!parameqn(b"a-b", b"a_c", 3));
    }

    #[test]
    fn long_names_are_compared_past_their_first_words() {
        assert!(parameq(b"0123456789abcdef-x", b"0123456789abcdef_x"));
        assert!(parameq(b"0-23456789abcdef", b"0_23456789abcdef"));
        assert!(!parameq(b"0123456789abcdef", b"0123456789abcdeF"));
        assert!(!parameq(b"0123456789abcdef", b"012345678 abcdef"));
    }

    #[test]
    fn the_order_ignores_the_difference_between_dash_and_underscore() {
        assert_eq!(param_cmp(b"a-b", b"a_b"), Ordering::Equal);
        assert_eq!(param_cmp(b"a-b", b"a_c"), Ordering::Less);
        // Unfolded, '-' (0x2d) would come before 'Z' (0x5a).
        assert_eq!(param_cmp(b"a-", b"aZ"), Ordering::Greater);
        assert_eq!(param_cmp(b"a", b"a_"), Ordering::Less);
    }
}

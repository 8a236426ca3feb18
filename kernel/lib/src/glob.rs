//! Shell patterns: `*` is any text, `?` any byte. Linux's `glob_match`, without its character classes.

/// Whether `text` as a whole matches `pattern`. Takes time proportional to the product of the two lengths at the worst, and no memory.
pub fn matches<T>(pattern: &[u8], text: T) -> bool
where
    T: Iterator<Item = u8> + Clone,
{
    let (mut text, mut at) = (text, 0);
    // Where to go on after a mismatch: behind the last `*`, with one more byte of text swallowed by it.
    let mut retry: Option<(usize, T)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            retry = Some((at, text.clone()));
            continue;
        }
        let fits = match (pattern.get(at), text.next()) {
            (None, None) => return true,
            (Some(b'?'), Some(_)) => true,
            (Some(wanted), Some(byte)) => *wanted == byte,
            (Some(_), None) => return false,
            (None, Some(_)) => false,
        };
        if fits {
            at += 1;
            continue;
        }
        match retry.as_mut() {
            None => return false,
            Some((behind, rest)) => {
                rest.next();
                (at, text) = (*behind, rest.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.bytes())
    }

    #[test]
    fn stars_and_question_marks_stand_for_what_they_should() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "abc"),
            ("a?c", "abc"),
            ("*::b*", "a::bc"),
            ("a*b*c", "aXbXbXc"),
            ("**", "x"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("?", ""),
            ("a", "ab"),
            ("ab", "a"),
            ("a*c", "ab"),
            ("*b", "abc"),
            ("a?c", "ac"),
        ] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    /// The pattern by its definition.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some((b'*', rest)), _) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
            (Some((b'?', rest)), Some((_, tail))) => naive(rest, tail),
            (Some((byte, rest)), Some((first, tail))) => byte == first && naive(rest, tail),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(glob(&pattern, &text), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}

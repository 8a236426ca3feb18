//! What the command line leaves for init: an argument list and an environment, with Linux's limits (`init/main.c`).
//!
//! Words are borrowed, nothing is allocated. A word too many is not taken; the first such word is remembered, because Linux panics over it as soon as there is
//! a console to do so on.

use crate::text::Lossy;
use core::fmt;

/// Arguments for init besides its name, and variables besides the two that are always there: Linux's `CONFIG_INIT_ENV_ARG_LIMIT`, and one less.
const MOST_ARGUMENTS: usize = 32;
const MOST_VARIABLES: usize = 31;

/// What init gets.
#[derive(Debug)]
pub struct InitArgs<'a> {
    arguments: List<'a, MOST_ARGUMENTS>,
    /// `HOME` and `TERM`, which are there even if nobody sets them.
    always: [&'a [u8]; 2],
    variables: List<'a, MOST_VARIABLES>,
    overflow: Option<Overflow<'a>>,
}

#[derive(Debug)]
struct List<'a, const N: usize> {
    words: [&'a [u8]; N],
    len: usize,
}

/// The first word for which there was no room. Displays as Linux's panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow<'a> {
    kind: &'static str,
    word: &'a [u8],
}

impl fmt::Display for Overflow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Too many boot {} vars at `{}'", self.kind, Lossy(self.word))
    }
}

impl<'a, const N: usize> List<'a, N> {
    const fn new() -> Self {
        Self { words: [b""; N], len: 0 }
    }

    fn as_slice(&self) -> &[&'a [u8]] {
        &self.words[..self.len]
    }

    /// Adds `word`; `false` if there is no room.
    fn push(&mut self, word: &'a [u8]) -> bool {
        let Some(slot) = self.words.get_mut(self.len) else { return false };
        *slot = word;
        self.len += 1;
        true
    }
}

impl<'a> InitArgs<'a> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            arguments: List::new(),
            always: [b"HOME=/", b"TERM=linux"],
            variables: List::new(),
            overflow: None,
        }
    }

    /// Adds an argument.
    pub fn add_argument(&mut self, word: &'a [u8]) {
        if !self.arguments.push(word) {
            self.overflow.get_or_insert(Overflow { kind: "init", word });
        }
    }

    /// Sets a variable from `name=value`, in the place of one with the same name.
    pub fn add_variable(&mut self, word: &'a [u8]) {
        let end = word.iter().position(|byte| *byte == b'=').map_or(word.len(), |at| at + 1);
        let len = self.variables.len;
        let mut known = self.always.iter_mut().chain(&mut self.variables.words[..len]);
        if let Some(same) = known.find(|other| other.starts_with(&word[..end])) {
            *same = word;
        } else if !self.variables.push(word) {
            self.overflow.get_or_insert(Overflow { kind: "env", word });
        }
    }

    /// Forgets the arguments so far: what `init=` and `rdinit=` do.
    pub fn clear_arguments(&mut self) {
        self.arguments.len = 0;
    }

    /// The arguments in order.
    pub fn arguments(&self) -> &[&'a [u8]] {
        self.arguments.as_slice()
    }

    /// The whole environment: `HOME` and `TERM`, then the [`variables`](Self::variables).
    pub fn environment(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.always.iter().chain(self.variables()).copied()
    }

    /// The variables besides `HOME` and `TERM`, in the order in which their names came first.
    pub fn variables(&self) -> &[&'a [u8]] {
        self.variables.as_slice()
    }

    /// The first word for which there was no room, if there was one.
    pub fn overflow(&self) -> Option<Overflow<'a>> {
        self.overflow
    }

    /// All words with blanks between them, arguments first, as Linux lists what it does not know; nothing if there are none.
    pub fn unknown(&self) -> Option<Unknown<'_>> {
        let unknown = Unknown {
            arguments: self.arguments(),
            variables: self.variables(),
        };
        unknown.words().next().is_some().then_some(unknown)
    }
}

/// Displays the words that [`InitArgs::unknown`] found.
#[derive(Debug, Clone, Copy)]
pub struct Unknown<'s> {
    arguments: &'s [&'s [u8]],
    variables: &'s [&'s [u8]],
}

impl Unknown<'_> {
    fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.arguments.iter().chain(self.variables).copied()
    }
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words().enumerate() {
            if index != 0 {
                f.write_str(" ")?;
            }
            Lossy(word).fmt(f)?;
        }
        Ok(())
    }
}

impl Default for InitArgs<'_> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    #[test]
    fn the_last_value_of_a_variable_stands_in_the_first_one_s_place() {
        let mut args = InitArgs::new();
        for word in ["a=1", "b=2", "a=3", "ab=4"] {
            args.add_variable(word.as_bytes());
        }
        assert_eq!(args.variables(), [&b"a=3"[..], b"b=2", b"ab=4"]);
    }

    #[test]
    fn the_33rd_argument_is_the_one_too_many() {
        let words: Vec<String> = (1..=40).map(|number| format!("a{number}")).collect();
        let mut args = InitArgs::new();
        for word in &words {
            args.add_argument(word.as_bytes());
        }
        assert_eq!(args.arguments().len(), 32);
        assert_eq!(args.overflow().unwrap().to_string(), "Too many boot init vars at `a33'");
    }

    #[test]
    fn the_32nd_variable_is_the_one_too_many() {
        let words: Vec<String> = (0..40).map(|number| format!("e{number}=1")).collect();
        let mut args = InitArgs::new();
        for word in &words {
            args.add_variable(word.as_bytes());
        }
        // As Linux 6.1 says of `e0=1 … e31=1`.
        assert_eq!(args.overflow().unwrap().to_string(), "Too many boot env vars at `e31=1'");
    }

    #[test]
    fn home_and_term_are_always_there_and_can_be_set() {
        let mut args = InitArgs::new();
        assert!(args.environment().eq([&b"HOME=/"[..], b"TERM=linux"]));
        for word in ["TERM=vt220", "HOMES=1", "x=1"] {
            args.add_variable(word.as_bytes());
        }
        assert!(args.environment().eq([&b"HOME=/"[..], b"TERM=vt220", b"HOMES=1", b"x=1"]));
        assert_eq!(args.unknown().map(|unknown| unknown.to_string()).as_deref(), Some("HOMES=1 x=1"));
    }

    #[test]
    fn unknown_words_are_listed_arguments_first() {
        let mut args = InitArgs::new();
        assert!(args.unknown().is_none());
        args.add_variable(b"x=1");
        args.add_argument(b"single");
        assert_eq!(args.unknown().unwrap().to_string(), "single x=1");
    }

    #[test]
    fn init_clears_the_arguments_and_not_the_variables() {
        let mut args = InitArgs::new();
        args.add_argument(b"old");
        args.add_variable(b"x=1");
        args.clear_arguments();
        args.add_argument(b"new");
        assert_eq!((args.arguments(), args.variables()), (&[&b"new"[..]][..], &[&b"x=1"[..]][..]));
    }

    proptest! {
        #[test]
        fn each_name_has_one_variable_with_its_last_value(words in proptest::collection::vec("[a-c]{1,2}=[0-9]", 0..60)) {
            let mut args = InitArgs::new();
            let mut model: Vec<(&str, &str)> = Vec::new();
            for word in &words {
                args.add_variable(word.as_bytes());
                let name = word.split('=').next().unwrap_or_default();
                match model.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, value)) => *value = word,
                    None => model.push((name, word)),
                }
            }
            prop_assert!(args.variables().iter().copied().eq(model.iter().map(|(_, word)| word.as_bytes())));
            prop_assert_eq!(args.overflow(), None);
        }
    }
}

//! The features of x86 processors, under the numbers and names that Linux 6.1 gives them.
//!
//! A feature is a bit of a [`Word`]. Most words are registers that CPUID returns, a few hold what is concluded. Nothing here executes CPUID: whoever does
//! fills a [`FeatureSet`].

mod depends;
mod names;
#[cfg(test)]
mod tests;

use core::fmt;

pub use names::Word;

/// How many words there are: Linux's `NCAPINTS`.
pub const WORDS: usize = 20;

/// How many bits a word has.
const BITS: u16 = 32;

/// A feature, by its number: word times 32, plus bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Feature(u16);

impl Feature {
    /// The feature that `/proc/cpuinfo` shows as `name`. Meant for constants: a name that there is not ends the compilation.
    ///
    /// # Panics
    ///
    /// If no feature has the name.
    #[must_use]
    pub const fn named(name: &str) -> Self {
        match names::position(name) {
            Some(number) => Feature(number),
            None => panic!("no feature has this name"),
        }
    }

    /// A bit of a word, for features that have no name. Only the lower five bits of `bit` count.
    #[must_use]
    pub const fn at(word: Word, bit: u8) -> Self {
        Feature(word as u16 * BITS + bit as u16 % BITS)
    }

    /// The feature that `/proc/cpuinfo` shows as `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        names::position(name).map(Feature)
    }

    /// The feature of a number; `None` behind the last word.
    #[must_use]
    pub fn by_number(number: u32) -> Option<Self> {
        u16::try_from(number)
            .ok()
            .filter(|&number| number < WORDS as u16 * BITS)
            .map(Feature)
    }

    /// What `/proc/cpuinfo` shows; `None` if it does not show the feature.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        names::name(self.word(), self.0 % BITS)
    }

    /// Word and bit, as Linux shows what has no name.
    pub fn number(self) -> impl fmt::Display {
        fmt::from_fn(move |f| write!(f, "{}:{}", self.word(), self.0 % BITS))
    }

    /// Its number: what [`Feature::by_number`] takes.
    #[must_use]
    pub const fn index(self) -> u16 {
        self.0
    }

    /// The index of its word.
    #[must_use]
    pub const fn word(self) -> usize {
        (self.0 / BITS) as usize
    }

    /// Its bit, as a mask within the word.
    #[must_use]
    pub const fn mask(self) -> u32 {
        1 << (self.0 % BITS)
    }
}

impl fmt::Display for Feature {
    /// The name, or the number of what has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => self.number().fmt(f),
        }
    }
}

/// A set of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeatureSet([u32; WORDS]);

impl FeatureSet {
    /// None.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Sets all of a word, as a register has it.
    pub fn set_word(&mut self, word: Word, value: u32) {
        self.0[word as usize] = value;
    }

    /// All words.
    #[must_use]
    pub fn words(&self) -> &[u32; WORDS] {
        &self.0
    }

    /// Puts a feature in.
    pub fn insert(&mut self, feature: Feature) {
        self.0[feature.word()] |= feature.mask();
    }

    /// Puts a feature in if `present`.
    pub fn insert_if(&mut self, feature: Feature, present: bool) {
        if present {
            self.insert(feature);
        }
    }

    /// Takes a feature out, and those that cannot be used without it.
    pub fn clear(&mut self, feature: Feature) {
        let gone = Self::with_dependents(feature);
        for (word, gone) in self.0.iter_mut().zip(gone.0) {
            *word &= !gone;
        }
    }

    /// Whether a feature is in.
    #[must_use]
    pub fn contains(&self, feature: Feature) -> bool {
        self.0[feature.word()] & feature.mask() != 0
    }

    /// The features that are in, by number.
    pub fn iter(&self) -> impl Iterator<Item = Feature> {
        (0..WORDS as u16 * BITS).map(Feature).filter(|&feature| self.contains(feature))
    }

    /// `feature` and all that cannot be used without it.
    #[must_use]
    pub fn with_dependents(feature: Feature) -> Self {
        let mut set = Self::EMPTY;
        set.insert(feature);
        loop {
            let before = set;
            for (dependent, on) in depends::DEPENDENCIES {
                set.insert_if(*dependent, set.contains(*on));
            }
            if set == before {
                return set;
            }
        }
    }
}

/// The words of `clearcpuid=`: features by number, or by what `by_name` knows, with commas between them. What is neither comes back as it is.
pub fn parse_list(value: &str, by_name: fn(&str) -> Option<Feature>) -> impl Iterator<Item = Result<Feature, &str>> {
    value.split(',').map(move |word| {
        let by_number = || word.parse().ok().and_then(Feature::by_number);
        // No name consists of digits only.
        by_number().or_else(|| by_name(word)).ok_or(word)
    })
}

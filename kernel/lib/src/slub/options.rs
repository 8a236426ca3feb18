//! `slub_debug=`: which caches are debugged, and how.
//!
//! The value is blocks with `;` between them, each letters and, behind a comma, the names of caches, which may end with `*`. A block without names is about all that no other
//! block names; one without letters asks for the usual checks; `-` is for none.

use super::geometry::SlabFlags;

/// What is checked if no letters say: Linux's `DEBUG_DEFAULT_FLAGS`.
pub const DEFAULT: SlabFlags = SlabFlags::CONSISTENCY_CHECKS
    .union(SlabFlags::RED_ZONE)
    .union(SlabFlags::POISON)
    .union(SlabFlags::STORE_USER);

/// The option's value, and what holds without it.
#[derive(Debug, Clone, Copy)]
pub struct DebugOptions<'a> {
    /// What stands behind the `=`; empty if there is nothing, or no `=`. `None` without the option.
    pub value: Option<&'a str>,
    /// What holds for caches that nothing is said of.
    pub default: SlabFlags,
}

/// A block of the value.
struct Block<'a> {
    letters: &'a str,
    names: Option<&'a str>,
}

fn blocks(value: &str) -> impl Iterator<Item = Block<'_>> {
    value.split(';').map(|block| match block.split_once(',') {
        Some((letters, names)) => Block {
            letters,
            names: Some(names),
        },
        None => Block {
            letters: block,
            names: None,
        },
    })
}

/// The flag of a letter, none for a letter that changes something else.
fn flag(letter: char) -> Option<SlabFlags> {
    Some(match letter.to_ascii_lowercase() {
        'f' => SlabFlags::CONSISTENCY_CHECKS,
        'z' => SlabFlags::RED_ZONE,
        'p' => SlabFlags::POISON,
        'u' => SlabFlags::STORE_USER,
        't' => SlabFlags::TRACE,
        'a' => SlabFlags::FAILSLAB,
        'o' | '-' => SlabFlags::empty(),
        _ => return None,
    })
}

impl Block<'_> {
    fn flags(&self) -> SlabFlags {
        if self.letters.is_empty() {
            return DEFAULT;
        }
        self.letters.chars().filter_map(flag).collect()
    }

    fn names(&self, cache: &str) -> bool {
        self.names.is_some_and(|names| {
            names.split(',').any(|name| match name.strip_suffix('*') {
                Some(start) => cache.starts_with(start),
                None => name == cache,
            })
        })
    }
}

impl<'a> DebugOptions<'a> {
    /// What is checked of a cache.
    #[must_use]
    pub fn flags_for(&self, cache: &str) -> SlabFlags {
        let Some(value) = self.value else { return self.default };
        let named = blocks(value).find(|block| block.names(cache));
        let all = || blocks(value).filter(|block| block.names.is_none()).last();
        named.or_else(all).map_or(self.default, |block| block.flags())
    }

    /// Whether a cache's objects may not be so large with what is kept beside them that its slabs have another order: the letter `O`.
    #[must_use]
    pub fn disables_higher_order(&self) -> bool {
        blocks(self.value.unwrap_or_default()).any(|block| block.letters.contains(['o', 'O']))
    }

    /// The letters that say nothing.
    pub fn unknown(&self) -> impl Iterator<Item = char> + 'a {
        blocks(self.value.unwrap_or_default())
            .flat_map(|block| block.letters.chars())
            .filter(|&letter| flag(letter).is_none())
    }
}

//! Handlers of the command line that are functions: `#[early_param]`, `#[setup]`, `obsolete_setup!`.
//!
//! The table is sorted by name at build time: an early option is found by binary search, and so are the handlers whose name is a prefix of a word.

use incipit_lib::cmdline::lookup;
use incipit_lib::errno::Errno;

use crate::prelude::*;
use crate::table;

/// An entry of `.init.setup`.
#[repr(C, align(16))]
pub struct SetupEntry {
    name: &'static str,
    handler: Handler,
}

/// What an entry does with its option.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Called by `parse_early_param`, with the value.
    Early(fn(Option<&'static str>) -> Result<(), Errno>),
    /// Called by `parse_args`, with what follows the name.
    Setup(fn(&'static str) -> SetupResult),
    /// Only told that it is ignored.
    Obsolete,
}

/// What a `#[setup]` handler says of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupResult {
    /// The option was the handler's and is done with.
    Consumed,
    /// The option is somebody else's: others are asked, and at last init gets it.
    NotMine,
}

#[doc(hidden)]
impl SetupEntry {
    #[must_use]
    pub const fn early(name: &'static str, handler: fn(Option<&'static str>) -> Result<(), Errno>) -> Self {
        Self {
            name,
            handler: Handler::Early(handler),
        }
    }

    #[must_use]
    pub const fn setup(name: &'static str, handler: fn(&'static str) -> SetupResult) -> Self {
        Self {
            name,
            handler: Handler::Setup(handler),
        }
    }

    #[must_use]
    pub const fn obsolete(name: &'static str, (): ()) -> Self {
        Self {
            name,
            handler: Handler::Obsolete,
        }
    }
}

/// Calls every early handler of the option `name`; `handle` is told of each error.
#[init]
pub(super) fn call_early(init: InitMemory<'_>, name: &[u8], value: Option<&'static str>, mut handle: impl FnMut(Errno)) {
    for index in lookup::find_exact(table::SETUP.len(), |index| name_at(init, index), name) {
        if let Some(SetupEntry {
            handler: Handler::Early(handler),
            ..
        }) = table::SETUP.get(init, index)
            && let Err(error) = handler(value)
        {
            handle(error);
        }
    }
}

/// Whether an early handler has the name `name`.
#[init]
pub(super) fn is_early(init: InitMemory<'_>, name: &[u8]) -> bool {
    lookup::find_exact(table::SETUP.len(), |index| name_at(init, index), name)
        .filter_map(|index| table::SETUP.get(init, index))
        .any(|entry| matches!(entry.handler, Handler::Early(_)))
}

/// Lets the setup handlers whose name begins the word `text` have it, the longest name first. `true` if one took it, or if the word was an early option and so
/// is done with.
#[init]
pub(super) fn obsolete_checksetup(init: InitMemory<'_>, text: &'static str) -> bool {
    let mut was_early = false;
    for range in lookup::find_prefixes(table::SETUP.len(), |index| name_at(init, index), text.as_bytes()) {
        for entry in range.filter_map(|index| table::SETUP.get(init, index)) {
            // The match folds `-` and `_`, which are one byte each, so the prefix ends at a character's border.
            let rest = &text[entry.name.len()..];
            match entry.handler {
                Handler::Early(_) => was_early |= rest.is_empty() || rest.starts_with('='),
                Handler::Setup(handler) if handler(rest) == SetupResult::Consumed => return true,
                Handler::Setup(_) => {}
                Handler::Obsolete => {
                    pr_warn!("Parameter {} is obsolete, ignored", entry.name);
                    return true;
                }
            }
        }
    }
    was_early
}

/// The names of all handlers, for suggestions.
#[init]
pub(super) fn names(init: InitMemory<'_>) -> impl Iterator<Item = &'static str> {
    table::SETUP.iter(init).map(|entry| entry.name.trim_end_matches('='))
}

#[init]
#[inline]
fn name_at(init: InitMemory<'_>, index: usize) -> &'static [u8] {
    table::SETUP.get(init, index).map_or(b"", |entry| entry.name.as_bytes())
}

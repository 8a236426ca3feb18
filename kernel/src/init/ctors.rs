//! Constructors: what `.init_array` holds. They run once, before the initcall levels, so that crates which register before `main` (`inventory`) work.

use crate::prelude::*;
use crate::table;

/// A constructor, as the C world calls it.
pub type Constructor = extern "C" fn();

/// Runs the constructors, those with a priority first.
#[init]
pub(super) fn do_ctors(init: InitMemory<'_>) {
    for constructor in table::CTORS.iter(init) {
        constructor();
    }
}

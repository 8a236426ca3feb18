//! What the command line says of debugging caches.

use incipit_lib::slub::geometry::SlabFlags;
use incipit_lib::slub::options::{DEFAULT, DebugOptions};
use spin::Once;

use crate::prelude::*;

/// What stands behind `slub_debug`.
static VALUE: Once<&'static str> = Once::new();

fn options() -> DebugOptions<'static> {
    DebugOptions {
        value: VALUE.get().copied(),
        default: if cfg!(CONFIG_SLUB_DEBUG_ON) { DEFAULT } else { SlabFlags::empty() },
    }
}

/// What is checked of a cache of this name.
pub fn flags_for(name: &str) -> SlabFlags {
    options().flags_for(name)
}

/// The flags without those that would make the slabs of objects of `size` bytes larger, if the command line forbids that and they do.
pub fn allowed(flags: SlabFlags, grows: bool) -> SlabFlags {
    if grows && options().disables_higher_order() {
        flags.difference(SlabFlags::DEBUG_METADATA)
    } else {
        flags
    }
}

/// `slub_debug[=FZPUTAO[,cache…][;…]]`: which caches are debugged, and how: F consistency, Z red zones, P poison, U users, T trace, A failslab, O not where slabs would get larger; `-` none.
#[setup("slub_debug")]
#[init]
fn setup_slub_debug(value: &'static str) -> SetupResult {
    let value = match value.strip_prefix('=') {
        Some(value) => value,
        None if value.is_empty() => value,
        None => return SetupResult::NotMine,
    };
    VALUE.call_once(|| value);
    for letter in options().unknown() {
        pr_err!("slub_debug option '{letter}' unknown. skipped");
    }
    SetupResult::Consumed
}

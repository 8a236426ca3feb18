//! What the command line says of debugging caches.

use incipit_lib::slub::geometry::SlabFlags;
use incipit_lib::slub::options::{DEFAULT, DebugOptions};
use spin::Once;

use crate::mm::page_debug;
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

/// When objects are cleared, as the command line has it of all memory. A constructor's work is not cleared away, nor what readers may still look at, and poison is more.
pub fn clearing(flags: SlabFlags, constructed: bool) -> SlabFlags {
    if constructed || flags.intersects(SlabFlags::TYPESAFE_BY_RCU | SlabFlags::POISON) {
        return SlabFlags::empty();
    }
    let mut clearing = SlabFlags::empty();
    clearing.set(SlabFlags::CLEAR_ON_ALLOC, page_debug::want_init_on_alloc());
    clearing.set(SlabFlags::CLEAR_ON_FREE, page_debug::want_init_on_free());
    clearing
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

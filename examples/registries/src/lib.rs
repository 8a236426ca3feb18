//! Registries that know nothing of kernels: the crates `inventory`, whose entries register in constructors, and `linkme`, whose slices the linker gathers.
//! Both are used here as on any system: `make run SUBSYS=examples/registries APPEND=kunit.enable=1`.
#![no_std]

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use incipit::prelude::*;
use linkme::distributed_slice;

struct Flavour(&'static str);

inventory::collect!(Flavour);

inventory::submit! { Flavour("sweet") }
inventory::submit! { Flavour("sour") }
inventory::submit! { Flavour("bitter") }

#[distributed_slice]
static COLOURS: [fn() -> &'static str];

#[distributed_slice(COLOURS)]
fn red() -> &'static str {
    "red"
}

#[distributed_slice(COLOURS)]
fn green() -> &'static str {
    "green"
}

#[distributed_slice]
static COUNTERS: [AtomicUsize];

#[distributed_slice(COUNTERS)]
static CALLS: AtomicUsize = AtomicUsize::new(7);

/// How many flavours there were at the first level.
static FLAVOURS_AT_FIRST: AtomicUsize = AtomicUsize::new(0);

#[initcall(pure)]
fn count_flavours() -> Result<(), Errno> {
    FLAVOURS_AT_FIRST.store(inventory::iter::<Flavour>().count(), Relaxed);
    Ok(())
}

#[ktest]
fn constructors_have_run_before_the_first_level() {
    assert_eq!(FLAVOURS_AT_FIRST.load(Relaxed), 3);
}

#[ktest]
fn inventory_has_what_was_submitted() {
    for flavour in ["sweet", "sour", "bitter"] {
        assert_eq!(
            inventory::iter::<Flavour>().filter(|other| other.0 == flavour).count(),
            1,
            "{flavour}"
        );
    }
}

#[ktest]
fn a_slice_has_its_elements() {
    assert_eq!(COLOURS.len(), 2);
    for colour in ["red", "green"] {
        assert!(COLOURS.iter().any(|other| other() == colour), "{colour}");
    }
}

#[ktest]
fn an_element_of_a_slice_can_change_if_its_type_allows_that() {
    COUNTERS[0].fetch_add(1, Relaxed);
    assert_eq!(CALLS.load(Relaxed), 8);
}

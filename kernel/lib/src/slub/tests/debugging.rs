//! What is found of what was done to an object, and whose objects are looked at.

use crate::slub::debug::{DumpLine, POISON_END, POISON_FREE, POISON_INUSE, RED_ACTIVE};
use crate::slub::geometry::{Geometry, Orders, SlabFlags, Wish};
use crate::slub::options::{DEFAULT, DebugOptions};
use proptest::prelude::*;
use std::string::{String, ToString};
use std::{vec, vec::Vec};

const ALL: SlabFlags = DEFAULT.union(SlabFlags::OBJECT_POISON);

fn cut(size: usize) -> Geometry {
    let wish = Wish {
        size,
        align: 8,
        flags: ALL,
        constructed: false,
        track_size: 24,
    };
    Geometry::new(&wish, &Orders::new(1)).expect("a slab")
}

/// A slot as a new slab has it, prepared.
fn slot(cut: &Geometry, active: bool) -> Vec<u8> {
    let mut slot = vec![POISON_INUSE; cut.size as usize];
    cut.prepare(ALL, active, &mut slot);
    slot
}

fn found(cut: &Geometry, active: bool, slot: &[u8]) -> Vec<(&'static str, core::ops::Range<usize>)> {
    cut.parts(ALL, active)
        .filter_map(|part| part.wrong(slot).map(|range| (part.what, range)))
        .collect()
}

#[test]
fn each_kind_of_overwriting_has_its_name() {
    let cut = cut(60);
    let user = cut.red_left as usize;
    let one = |active, at: usize| {
        let mut slot = slot(&cut, active);
        slot[at] ^= 0xff;
        found(&cut, active, &slot)
    };
    assert_eq!(one(true, user - 1), [("Left Redzone", user - 1..user)]);
    assert_eq!(one(true, user + 60), [("Right Redzone", user + 60..user + 61)]);
    assert_eq!(one(true, user), []);
    assert_eq!(one(false, user), [("Poison", user..user + 1)]);
    assert_eq!(one(false, user + 59), [("End Poison", user + 59..user + 60)]);
    assert_eq!(
        one(true, cut.size as usize - 1),
        [("Object padding", cut.size as usize - 1..cut.size as usize)]
    );
}

#[test]
fn a_new_object_holds_poison_and_its_zones_say_that_it_is_in_use() {
    let cut = cut(16);
    let slot = slot(&cut, true);
    let user = cut.red_left as usize;
    assert_eq!(slot[..user], vec![RED_ACTIVE; user]);
    assert_eq!(slot[user..user + 15], [POISON_FREE; 15]);
    assert_eq!(slot[user + 15], POISON_END);
    assert_eq!(slot[user + 16..user + 24], [RED_ACTIVE; 8]);
}

proptest! {
    #[test]
    fn what_was_prepared_is_right_and_any_change_outside_of_the_object_is_found(size in 1..300_usize, at: prop::sample::Index, active: bool) {
        let cut = cut(size);
        let mut slot = slot(&cut, active);
        prop_assert_eq!(found(&cut, active, &slot), []);
        let at = at.index(slot.len());
        slot[at] ^= 1;
        let user = cut.red_left as usize;
        let users = active && (user..user + size).contains(&at);
        // The link and the records of users change by themselves.
        let changes = (user + cut.link as usize..user + cut.padding as usize).contains(&at);
        let expected = usize::from(!users && !changes);
        prop_assert_eq!(found(&cut, active, &slot).len(), expected);
    }

    #[test]
    fn any_value_is_read(value: String, cache in "[a-z0-9-]{0,12}") {
        let options = DebugOptions { value: Some(&value), default: SlabFlags::empty() };
        prop_assert!(SlabFlags::DEBUG.union(SlabFlags::FAILSLAB).contains(options.flags_for(&cache)));
        prop_assert!(options.unknown().all(|letter| value.contains(letter)));
    }
}

#[test]
fn the_option_names_flags_and_caches() {
    let flags = |value, cache| {
        DebugOptions {
            value,
            default: SlabFlags::empty(),
        }
        .flags_for(cache)
    };
    let (zones, poison) = (SlabFlags::RED_ZONE, SlabFlags::POISON);
    assert_eq!(flags(None, "kmalloc-64"), SlabFlags::empty());
    assert_eq!(flags(Some(""), "kmalloc-64"), DEFAULT);
    assert_eq!(flags(Some("-"), "kmalloc-64"), SlabFlags::empty());
    assert_eq!(flags(Some("FZPU"), "kmalloc-64"), DEFAULT);
    assert_eq!(flags(Some("zp"), "kmalloc-64"), zones | poison);
    assert_eq!(flags(Some("Z,kmalloc-64"), "kmalloc-64"), zones);
    assert_eq!(flags(Some("Z,kmalloc-64"), "kmalloc-640"), SlabFlags::empty());
    assert_eq!(flags(Some("Z,dentry,kmalloc-*"), "kmalloc-640"), zones);
    assert_eq!(flags(Some(",kmalloc-64"), "kmalloc-64"), DEFAULT);
    assert_eq!(flags(Some("Z,a;P,b;F"), "b"), poison);
    assert_eq!(flags(Some("Z,a;P,b;F"), "c"), SlabFlags::CONSISTENCY_CHECKS);
}

#[test]
fn letters_that_mean_nothing_are_named() {
    let options = DebugOptions {
        value: Some("FXO,a;?"),
        default: SlabFlags::empty(),
    };
    assert!(options.unknown().eq(['X', '?']));
    assert!(options.disables_higher_order());
}

#[test]
fn a_line_of_a_dump_is_as_wide_as_a_full_one() {
    let full = DumpLine(&[0x6b; 16]).to_string();
    assert_eq!(full, std::format!("{} kkkkkkkkkkkkkkkk", "6b ".repeat(16)));
    let short = DumpLine(b"A\0~").to_string();
    assert_eq!(short, std::format!("41 00 7e {} A.~", " ".repeat(39)));
}

//! Branches on keys, turned while they are run.

use super::{JUMP_TABLE, StaticKeyFalse, StaticKeyTrue};
use crate::mm::sections;
use crate::prelude::*;

static OFF: StaticKeyFalse = StaticKeyFalse::new();
static ON: StaticKeyTrue = StaticKeyTrue::new();

/// What each kind of branch says of the two keys.
#[inline(never)]
fn branches() -> [bool; 4] {
    [
        static_branch_unlikely!(OFF),
        static_branch_likely!(OFF),
        static_branch_unlikely!(ON),
        static_branch_likely!(ON),
    ]
}

#[ktest]
fn every_kind_of_branch_follows_its_key() {
    assert_eq!(branches(), [false, false, true, true]);
    OFF.enable();
    assert_eq!(branches(), [true; 4]);
    OFF.enable();
    ON.disable();
    assert_eq!(
        (branches(), OFF.is_enabled(), ON.is_enabled()),
        ([true, true, false, false], true, false)
    );
    OFF.disable();
    assert_eq!(branches(), [false; 4]);
    ON.enable();
    assert_eq!(branches(), [false, false, true, true]);
}

#[ktest]
fn a_branch_can_be_turned_a_thousand_times() {
    for _ in 0..1000 {
        OFF.enable();
        assert!(static_branch_unlikely!(OFF));
        OFF.disable();
        assert!(!static_branch_unlikely!(OFF));
    }
}

#[ktest]
fn every_branch_is_what_its_key_says() {
    for entry in JUMP_TABLE.iter().filter(|entry| sections::is_text(entry.code())) {
        assert_eq!(entry.present(), Some(entry.wanted()), "{}", crate::panic::Symbol(entry.code()));
        assert!(sections::is_text(entry.target()));
    }
}

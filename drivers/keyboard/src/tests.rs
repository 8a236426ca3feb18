//! Tests of what a terminal gets for codes of the first PC's keyboard: a key's number when it is pressed, with the highest bit when it is let go.

use incipit::prelude::*;

use crate::keys::Keys;

/// Checks what a terminal gets for these codes.
fn check(codes: &[u8], expected: &[u8]) {
    let mut keys = Keys::new();
    keys.begin();
    let mut codes = codes.iter().copied();
    for (at, &byte) in expected.iter().enumerate() {
        assert_eq!(keys.next(|| codes.next()), Some(byte), "byte {at} of {expected:?}");
    }
    assert_eq!(keys.next(|| codes.next()), None, "behind {expected:?}");
}

#[ktest]
fn letters_are_small_or_with_shift_large() {
    // h, e, left shift with l, l, right shift with 1.
    check(
        &[0x23, 0xa3, 0x12, 0x92, 0x2a, 0x26, 0xa6, 0xaa, 0x26, 0xa6, 0x36, 0x02, 0x82, 0xb6],
        b"heLl!",
    );
}

#[ktest]
fn enter_backspace_tabulator_and_control_c_are_control_characters() {
    check(&[0x1c, 0x9c, 0x0e, 0x8e, 0x0f, 0x8f, 0x1d, 0x2e, 0xae, 0x9d], b"\n\x08\t\x03");
}

#[ktest]
fn arrows_are_sequences() {
    check(&[0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x4b, 0xe0, 0xcb], b"\x1b[A\x1b[D");
}

#[ktest]
fn what_is_no_code_changes_nothing() {
    check(&[0xfa, 0xee, 0xff, 0x00, 0x1e, 0x9e], b"a");
    check(&[0xe0, 0xff, 0x1e, 0x9e], b"a");
    // Every byte there is, and then a key: nothing of it is stuck but for the modifiers that were never let go.
    let mut keys = Keys::new();
    keys.begin();
    let mut all = (0..=255_u8).chain(0..=255).collect::<Bytes>().0.into_iter();
    while keys.next(|| all.next()).is_some() {}
}

/// Codes in a row.
struct Bytes([u8; 512]);

impl FromIterator<u8> for Bytes {
    fn from_iter<T: IntoIterator<Item = u8>>(bytes: T) -> Self {
        let mut all = [0; 512];
        all.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        Self(all)
    }
}

#[ktest]
fn nothing_is_asked_before_the_keyboard_is_there() {
    assert_eq!(Keys::new().next(|| unreachable!("nobody may ask")), None);
}

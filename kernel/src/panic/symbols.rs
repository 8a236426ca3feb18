//! Names of addresses, from the symbol table that the build leaves behind the image. Without one, addresses are shown as numbers.

use core::fmt;

use incipit_lib::kallsyms::{self, Kallsyms};

use crate::mm::sections;
use crate::prelude::*;

/// The kernel's symbol table, if the image was sealed.
#[must_use]
pub fn table() -> Option<Kallsyms<'static>> {
    if !cfg!(CONFIG_KALLSYMS) {
        return None;
    }
    let section = sections::kallsyms();
    // SAFETY: the section is part of the image, mapped, and never written.
    Kallsyms::new(unsafe { core::slice::from_raw_parts(section.as_ptr(), section.len()) })
}

/// The symbol that `address` lies in, if it is one of the image's.
#[must_use]
pub fn lookup(address: usize) -> Option<kallsyms::Symbol<'static>> {
    table()?.lookup(address as u64)
}

/// Bytes of the function at `address`, 0 if that is not known.
#[must_use]
pub fn size_of_function(address: usize) -> u64 {
    lookup(address)
        .filter(|symbol| symbol.address == address as u64)
        .map_or(0, |symbol| symbol.size)
}

/// Whether a symbol begins at `address`.
#[must_use]
pub fn is_function(address: usize) -> bool {
    lookup(address).is_some_and(|symbol| symbol.address == address as u64)
}

/// An address as `name+0x1/0x2`: Linux's `%pS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol(pub usize);

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0, 0)
    }
}

/// A return address as `name+0x1/0x2`: Linux's `%pB`. The name is the caller's even if its last instruction is the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnAddress(pub usize);

impl fmt::Display for ReturnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.0, 1)
    }
}

/// Shows `address` by the symbol that the byte `before` it lies in.
fn show(f: &mut fmt::Formatter<'_>, address: usize, before: usize) -> fmt::Result {
    match lookup(address.wrapping_sub(before)) {
        Some(symbol) => write!(
            f,
            "{}+{:#x}/{:#x}",
            symbol.name,
            (address as u64).wrapping_sub(symbol.address),
            symbol.size
        ),
        None => write!(f, "{address:#x}"),
    }
}

#[cfg(CONFIG_KALLSYMS)]
#[ktest]
fn a_function_has_its_name_and_one_behind_its_end_the_next() {
    use core::fmt::Write;

    let start = size_of_function as *const () as usize;
    let symbol = lookup(start).expect("the image has symbols");
    assert!(symbol.name.contains("size_of_function"), "{}", symbol.name);
    assert_eq!(size_of_function(start), symbol.size);
    assert_eq!(size_of_function(start + 1), 0);
    let end = start + symbol.size as usize;

    let (mut name, mut shown) = (Line::<512>::new(), Line::<512>::new());
    write!(name, "{}+{1:#x}/{1:#x}", symbol.name, symbol.size).expect("room for a symbol");
    write!(shown, "{}", ReturnAddress(end)).expect("room for a symbol");
    assert_eq!(shown.as_str(), name.as_str());
}

#[ktest]
fn an_address_outside_the_image_is_a_number() {
    use core::fmt::Write;

    for (address, expected) in [(0, "0x0"), (0xdead_beef, "0xdeadbeef"), (usize::MAX, "0xffffffffffffffff")] {
        let mut shown = Line::<32>::new();
        write!(shown, "{}", Symbol(address)).expect("room for a number");
        assert_eq!(shown.as_str(), expected);
    }
}

use super::Line;

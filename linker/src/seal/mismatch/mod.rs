//! Holds what stays against what is given back after the boot: nothing that stays refers to init memory.
//!
//! The references are the relocations that the linker leaves in its output, so they are those of the image itself, after inlining and garbage collection. The image is
//! divided into `items`:
//!
//! - what lies in init memory may refer to anything;
//! - what the source names (a function, a method of a plain type, a static) and lies elsewhere stays, and must not refer to init memory;
//! - what the compiler derived (closures, generic code, glue, constants without a name) lies where the compiler puts it. It is as good as init memory as long as
//!   only init memory refers to it (`reach`).
//!
//! A bound of init memory, such as `__init_begin`, is a place and no thing; a bound of a table in it is the table. The address of a per-CPU variable stands for
//! its copies. `#[init_ref("reason")]` makes an exception, which `seal -v` lists.
//!
//! What init code writes at run time into what stays, no relocation tells.

mod items;
mod name;
mod place;
mod reach;
mod references;
mod tell;

use anyhow::Result;

use super::image::Image;
use super::problem::Problems;
use super::records::Record;
use items::Items;
use references::{Places, References, Target};
use tell::Teller;

/// Subject of the problems.
const SUBJECT: &str = "section mismatch";

/// Notes every reference from what stays to init memory, once for each pair.
///
/// # Errors
///
/// If the relocations of `image` cannot be understood.
pub fn check(image: &Image, records: &[Record], problems: &mut Problems) -> Result<()> {
    let places = Places::new();
    let references = References::read(image, &places)?;
    let targets = references.plain.iter().filter_map(|reference| match reference.to {
        Target::Address(address) => Some(address),
        Target::Table(_) => None,
    });
    let items = Items::of(image, |symbol| places.contains(symbol), targets);
    let references = references.resolved(&items);
    let mismatches = reach::mismatches(&items, &references);
    if mismatches.is_empty() {
        return Ok(());
    }
    let teller = Teller::new(image, &items, records);
    let mut messages: Vec<_> = mismatches.iter().map(|mismatch| teller.tell(mismatch)).collect();
    messages.sort_unstable();
    for message in messages {
        problems.add(SUBJECT, message);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

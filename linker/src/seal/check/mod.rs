//! Checks that the image is what the descriptions say, whoever linked it.
//!
//! The linker script asserts some of this already. It is checked again here on the bytes that will be booted, because another linker, another script or an
//! earlier step may be wrong, and because here a problem has names.

mod code;
mod edges;
mod whole;

use super::image::Image;
use super::placed::Placed;
use super::problem::Problems;

/// Notes everything that is wrong with `image`.
pub fn check(image: &Image, placed: &[Placed], problems: &mut Problems) {
    whole::check(image, problems);
    for table in placed {
        edges::check(image, table, problems);
        code::check(image, table, problems);
    }
}

#[cfg(test)]
mod tests;

//! Tables whose entries begin with two addresses of code, each 32 bits and relative to itself: those of instructions that the kernel rewrites.

use anyhow::{Context, Result};

use crate::seal::image::Image;
use crate::seal::placed::Placed;

/// Bytes of one address.
const FIELD: u64 = 4;

/// The two addresses of each entry of `placed`, as `image` has them.
///
/// # Errors
///
/// If the file does not hold the table.
pub fn read(image: &Image, placed: &Placed) -> Result<Vec<(u64, u64)>> {
    let pair = |slot| Some((target(image, slot)?, target(image, slot + FIELD)?));
    let pairs = placed
        .slots()
        .map(|slot| pair(slot).with_context(|| format!("the entry at {slot:#x} is not in the file")));
    pairs.collect()
}

/// What the field at `address` leads to.
fn target(image: &Image, address: u64) -> Option<u64> {
    let bytes = image.at(address..address + FIELD)?;
    let distance = i32::from_le_bytes(bytes.try_into().ok()?);
    Some(address.wrapping_add_signed(distance.into()))
}

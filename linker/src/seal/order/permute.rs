//! Moves the entries of a table, and the symbols that stand on them.

use anyhow::{Context, Result};
use object::elf::STT_OBJECT;

use crate::seal::image::Image;

/// Reorders the entries of `size` bytes at `start`: the one that is at place `order[n]` goes to place `n`.
///
/// # Errors
///
/// If the file does not hold the entries.
pub fn apply(image: &mut Image, start: u64, size: u64, order: &[usize]) -> Result<()> {
    if order.iter().enumerate().all(|(new, &old)| new == old) {
        return Ok(());
    }
    let end = start + order.len() as u64 * size;
    let old = image
        .at(start..end)
        .with_context(|| format!("the table at {start:#x} is not in the file"))?;
    let mut new = Vec::with_capacity(old.len());
    for &slot in order {
        let at = slot * size as usize;
        new.extend_from_slice(&old[at..at + size as usize]);
    }
    image.patch(start, &new)?;
    move_symbols(image, start..end, size, order);
    Ok(())
}

/// Only objects move: the symbols that bound a table are the linker script's, without a type, and stay.
fn move_symbols(image: &mut Image, range: std::ops::Range<u64>, size: u64, order: &[usize]) {
    let mut new_place = vec![0; order.len()];
    for (new, &old) in order.iter().enumerate() {
        new_place[old] = new as u64;
    }
    let on_entry =
        |symbol: &&mut crate::seal::image::Symbol| symbol.kind == STT_OBJECT.0 && symbol.is_defined() && range.contains(&symbol.value);
    for symbol in image.symbols_mut().iter_mut().filter(on_entry) {
        let offset = symbol.value - range.start;
        symbol.value = range.start + new_place[(offset / size) as usize] * size + offset % size;
    }
}

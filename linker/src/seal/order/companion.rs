//! Puts the slots of a companion table into the order of the table that points to them.
//!
//! An initcall's entry is freed after the boot while what is known of it is kept, so the two are in different tables. The kernel walks both by index,
//! which holds only if slot *n* of one belongs to slot *n* of the other.

use anyhow::{Context, Result};

use super::permute;
use crate::seal::image::Image;
use crate::seal::placed::Placed;
use crate::seal::problem::Problems;

/// Orders the companion of `placed`, if it has one, and rewrites the pointers to it. Pointers that do not hit each slot once are noted in `problems`.
///
/// # Errors
///
/// If the file does not hold one of the two tables.
pub fn align(image: &mut Image, placed: &Placed, all: &[Placed], problems: &mut Problems) -> Result<()> {
    let Some(link) = placed.table.companion else { return Ok(()) };
    // One that is not placed has its own problem noted already.
    let Some(companion) = all.iter().find(|candidate| candidate.table.name == link.table) else {
        return Ok(());
    };
    let Some(order) = order_of(image, placed, link.pointer_offset, companion, problems)? else {
        return Ok(());
    };
    let (start, size) = (companion.range().start, companion.table.entry_size);
    permute::apply(image, start, size, &order)?;
    for (index, slot) in placed.slots().enumerate() {
        image.patch(slot + link.pointer_offset, &(start + index as u64 * size).to_le_bytes())?;
    }
    Ok(())
}

/// The slots of `companion` in the order in which `placed` points to them.
fn order_of(image: &Image, placed: &Placed, pointer: u64, companion: &Placed, problems: &mut Problems) -> Result<Option<Vec<usize>>> {
    let (table, name) = (placed.table.name, companion.table.name);
    if placed.entries() != companion.entries() {
        problems.add(
            table,
            format!(
                "has {} entries, but {name} has {} slots: each entry must have one",
                placed.entries(),
                companion.entries()
            ),
        );
        return Ok(None);
    }
    let (range, size) = (companion.range(), companion.table.entry_size);
    let mut order = Vec::with_capacity(placed.entries() as usize);
    let mut owner = vec![None; placed.entries() as usize];
    let mut good = true;
    for slot in placed.slots() {
        let target = image
            .u64_at(slot + pointer)
            .with_context(|| format!("{table}: the entry at {slot:#x} is not in the file"))?;
        if !range.contains(&target) || !(target - range.start).is_multiple_of(size) {
            problems.add(
                table,
                format!(
                    "the entry at {slot:#x} points to {target:#x}, which is no slot of {name} ({:#x}..{:#x})",
                    range.start, range.end
                ),
            );
            good = false;
            continue;
        }
        let index = ((target - range.start) / size) as usize;
        if let Some(other) = owner[index].replace(slot) {
            problems.add(
                table,
                format!("the entries at {other:#x} and {slot:#x} both point to {target:#x}: each must have a slot of {name} of its own"),
            );
            good = false;
        }
        order.push(index);
    }
    Ok(good.then_some(order))
}

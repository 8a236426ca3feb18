//! Finds the record of each entry: every slot of a part must have exactly one, and every record a slot.

use std::ops::Range;

use crate::seal::image::Image;
use crate::seal::problem::Problems;
use crate::seal::records::Record;
use crate::table::{Part, Table};

/// The records of the slots of `part`, in the order of the slots; `None`, and a problem noted, if they do not match one to one.
pub fn pair<'r>(
    image: &Image,
    table: &Table,
    part: &Part,
    range: &Range<u64>,
    records: &[&'r Record],
    problems: &mut Problems,
) -> Option<Vec<&'r Record>> {
    let count = ((range.end - range.start) / table.entry_size) as usize;
    let mut slots: Vec<Option<&Record>> = vec![None; count];
    let mut matched = true;
    for &record in records {
        match slot_of(image, table, part, range, record) {
            Ok(slot) => match slots[slot].replace(record) {
                None => {}
                Some(other) => {
                    matched = false;
                    problems.add(table.name, twice(part, record, other));
                }
            },
            Err(message) => {
                matched = false;
                problems.add(table.name, message);
            }
        }
    }
    for (slot, _) in slots.iter().enumerate().filter(|(_, record)| record.is_none()) {
        matched = false;
        let address = range.start + slot as u64 * table.entry_size;
        let message = format!(
            "{}: the entry at {address:#x} has no record: declare it with {}",
            part.section, table.declared_by
        );
        problems.add(table.name, message);
    }
    if matched { slots.into_iter().collect() } else { None }
}

/// Which slot the entry of `record` is in, or what is wrong with it.
fn slot_of(image: &Image, table: &Table, part: &Part, range: &Range<u64>, record: &Record) -> Result<usize, String> {
    let Some(address) = image.address_of(&record.entry) else {
        return Err(format!(
            "{} ({}) is declared, but its entry {} is not in the image",
            record.name,
            record.place(),
            record.entry
        ));
    };
    let offset = address.wrapping_sub(range.start);
    if !range.contains(&address) {
        return Err(format!(
            "the entry of {} ({}) is at {address:#x}, outside {} ({:#x}..{:#x})",
            record.name,
            record.place(),
            part.section,
            range.start,
            range.end
        ));
    }
    if !offset.is_multiple_of(table.entry_size) {
        return Err(format!(
            "the entry of {} ({}) is at {address:#x}, in the middle of a slot of {} bytes",
            record.name,
            record.place(),
            table.entry_size
        ));
    }
    Ok((offset / table.entry_size) as usize)
}

fn twice(part: &Part, record: &Record, other: &Record) -> String {
    format!(
        "{}: {} ({}) and {} ({}) have one entry between them",
        part.section,
        other.name,
        other.place(),
        record.name,
        record.place()
    )
}

//! A table begins and ends where its section does, in memory with the permissions and the lifetime that its description gives it.

use crate::seal::image::Image;
use crate::seal::placed::Placed;
use crate::seal::problem::Problems;
use crate::table::{Access, Lifetime, Table};

/// Notes what is wrong with the place of a table.
pub fn check(image: &Image, placed: &Placed, problems: &mut Problems) {
    let table = placed.table;
    check_section(image, placed, problems);
    if placed.entries() > 0 {
        check_access(image, placed, problems);
    }
    check_lifetime(image, placed, problems);
    let range = placed.range();
    problems.require(range.start.is_multiple_of(table.entry_align), table.name, || {
        format!(
            "{} is at {:#x}: must be a multiple of {}",
            table.start(),
            range.start,
            table.entry_align
        )
    });
}

/// A symbol before the section's alignment, or an entry that no symbol encloses, would go unnoticed by who walks the table.
fn check_section(image: &Image, placed: &Placed, problems: &mut Problems) {
    let (table, range) = (placed.table, placed.range());
    match image.section(table.output_section) {
        Some(section) if section.range() != range => {
            let message = format!(
                "{}..{} is {:#x}..{:#x}, but the section {} is {:#x}..{:#x}: the symbols must stand at its edges",
                table.start(),
                table.end,
                range.start,
                range.end,
                section.name,
                section.address,
                section.range().end
            );
            problems.add(table.name, message);
        }
        Some(_) => {}
        // A linker may drop an empty section.
        None => problems.require(range.is_empty(), table.name, || {
            format!("has entries, but no section {}", table.output_section)
        }),
    }
}

fn check_access(image: &Image, placed: &Placed, problems: &mut Problems) {
    let (table, range) = (placed.table, placed.range());
    let holds = |segment: &&crate::seal::image::Segment| {
        segment.is_loaded() && segment.range().start <= range.start && range.end <= segment.range().end
    };
    match image.segments().iter().find(holds) {
        None => problems.add(
            table.name,
            format!("{:#x}..{:#x} is not loaded: no PT_LOAD has it", range.start, range.end),
        ),
        Some(segment) => {
            let writable = table.access == Access::Writable;
            problems.require(segment.is_writable() == writable, table.name, || {
                let (is, must) = if writable {
                    ("read-only", "writable")
                } else {
                    ("writable", "read-only")
                };
                format!("{} is in {is} memory: it must be in a {must} PT_LOAD", table.output_section)
            });
        }
    }
}

fn check_lifetime(image: &Image, placed: &Placed, problems: &mut Problems) {
    // If they are missing, that is noted once, for the whole image.
    let (Some(begin), Some(end)) = (image.address_of("__init_begin"), image.address_of("__init_end")) else {
        return;
    };
    let (table, range) = (placed.table, placed.range());
    let inside = begin <= range.start && range.end <= end;
    let outside = range.end <= begin || end <= range.start;
    match table.lifetime {
        Lifetime::Init => problems.require(inside, table.name, || misplaced(table, "outside", "is never given back")),
        Lifetime::Kept => problems.require(outside, table.name, || misplaced(table, "inside", "is gone after the boot")),
    }
}

fn misplaced(table: &Table, where_it_is: &str, consequence: &str) -> String {
    format!(
        "{} is {where_it_is} __init_begin..__init_end and {consequence}: move it in the linker script",
        table.output_section
    )
}

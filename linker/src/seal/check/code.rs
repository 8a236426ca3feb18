//! What a table says is code is code.

use std::ops::Range;

use crate::seal::image::{Image, Section};
use crate::seal::order::{read_code_pairs, read_exception_table};
use crate::seal::placed::Placed;
use crate::seal::problem::Problems;
use crate::table::Sort;

/// Notes entries that lead elsewhere than into code.
pub fn check(image: &Image, placed: &Placed, problems: &mut Problems) {
    let code = code_ranges(image);
    if placed.table.sort == Sort::ExceptionTable {
        check_exceptions(image, placed, &code, problems);
    } else if placed.table.sort == Sort::RelativeCode {
        check_code_pairs(image, placed, &code, problems);
    } else if placed.table.begins_with_function {
        check_functions(image, placed, &code, problems);
    }
}

fn code_ranges(image: &Image) -> Vec<Range<u64>> {
    image
        .sections()
        .iter()
        .filter(|section| section.is_code())
        .map(Section::range)
        .collect()
}

fn is_code(code: &[Range<u64>], address: u64) -> bool {
    code.iter().any(|range| range.contains(&address))
}

fn check_functions(image: &Image, placed: &Placed, code: &[Range<u64>], problems: &mut Problems) {
    for slot in placed.slots() {
        let target = image.u64_at(slot);
        problems.require(target.is_some_and(|target| is_code(code, target)), placed.table.name, || {
            let target = target.map_or_else(|| "nothing".to_owned(), |target| format!("{target:#x}"));
            format!("the entry at {slot:#x} begins with {target}: it must be the address of a function")
        });
    }
}

/// The kernel searches the table by halves: the addresses must go up, and a second entry for an instruction would never be found.
fn check_exceptions(image: &Image, placed: &Placed, code: &[Range<u64>], problems: &mut Problems) {
    let name = placed.table.name;
    let Ok(entries) = read_exception_table(image, placed) else {
        problems.add(name, "is not in the file");
        return;
    };
    for (entry, slot) in entries.iter().zip(placed.slots()) {
        for (what, target) in [("instruction", entry.instruction), ("fixup", entry.fixup)] {
            problems.require(is_code(code, target), name, || {
                format!("the {what} of the entry at {slot:#x} is {target:#x}: it must be code")
            });
        }
    }
    for pair in entries.windows(2) {
        let (one, next) = (pair[0].instruction, pair[1].instruction);
        problems.require(one != next, name, || {
            format!("has two entries for the instruction at {one:#x}: there can be one fixup")
        });
        problems.require(one <= next, name, || format!("has {one:#x} before {next:#x}: it must be sorted"));
    }
}

/// The kernel writes to the first address and jumps to the second, or copies from there.
fn check_code_pairs(image: &Image, placed: &Placed, code: &[Range<u64>], problems: &mut Problems) {
    let name = placed.table.name;
    let Ok(pairs) = read_code_pairs(image, placed) else {
        problems.add(name, "is not in the file");
        return;
    };
    for ((one, other), slot) in pairs.into_iter().zip(placed.slots()) {
        for (what, target) in [("first", one), ("second", other)] {
            problems.require(is_code(code, target), name, || {
                format!("the {what} address of the entry at {slot:#x} is {target:#x}: it must be code")
            });
        }
    }
}

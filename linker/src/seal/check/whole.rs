//! What holds for the image as a whole: its segments, its entry points, its size, and what must not be in it.

use std::collections::HashSet;

use object::elf::{PT_DYNAMIC, PT_INTERP, STB_WEAK};

use crate::layout::{KERNEL_MAP, PHYSICAL_START};
use crate::record;
use crate::script;
use crate::seal::image::{Image, Section, Segment};
use crate::seal::problem::Problems;

/// Subject of problems that no table has.
const IMAGE: &str = "image";

/// The mapping at [`KERNEL_MAP`] that every way into the kernel relies on: Linux's `KERNEL_IMAGE_SIZE`.
const LARGEST_IMAGE: u64 = 512 << 20;

/// Linux's bound: the per-CPU template is smaller than the memory below the image.
const LARGEST_PERCPU: u64 = PHYSICAL_START;

/// Sections of position-independent or dynamic programs. Nobody relocates the kernel, so what they ask for would not be done.
const MUST_BE_EMPTY: &[&str] = &[".got", ".plt", ".rela.dyn", ".rel.dyn", ".dynamic", ".dynsym", ".interp"];

/// Words that GNU ld reserves in `.got.plt` even if nothing uses them.
const RESERVED_GOT_PLT: u64 = 24;

/// Symbols that the kernel and the tools rely on.
const REQUIRED: &[&str] = &[
    "_text",
    "_stext",
    "_etext",
    "__start_rodata",
    "__end_rodata",
    "__init_begin",
    "__init_end",
    "_sinittext",
    "_einittext",
    "__per_cpu_start",
    "__per_cpu_end",
    "_sdata",
    "_edata",
    "__image_trailer",
    "__bss_start",
    "__bss_stop",
    "__brk_base",
    "__brk_limit",
    "_end",
];

/// Notes what is wrong with the image as a whole.
pub fn check(image: &Image, problems: &mut Problems) {
    for symbol in REQUIRED {
        problems.require(image.symbol(symbol).is_some(), IMAGE, || {
            format!("no symbol {symbol}: the linker script must define it")
        });
    }
    check_segments(image, problems);
    check_entry_points(image, problems);
    check_bounds(image, problems);
    check_sections(image, problems);
    check_undefined(image, problems);
}

fn check_segments(image: &Image, problems: &mut Problems) {
    for segment in image.segments() {
        problems.require(
            !(segment.is_loaded() && segment.is_writable() && segment.is_executable()),
            IMAGE,
            || {
                format!(
                    "the segment at {:#x} is writable and executable: it must be one or the other",
                    segment.address
                )
            },
        );
        problems.require(segment.kind != PT_DYNAMIC.0 && segment.kind != PT_INTERP.0, IMAGE, || {
            "has a segment for a dynamic linker: it must be linked statically".to_owned()
        });
    }
    let mut loaded: Vec<_> = image
        .segments()
        .iter()
        .filter(|segment| segment.is_loaded())
        .map(Segment::range)
        .collect();
    loaded.sort_by_key(|range| range.start);
    for pair in loaded.windows(2) {
        problems.require(pair[0].end <= pair[1].start, IMAGE, || {
            format!("the segments at {:#x} and {:#x} overlap", pair[0].start, pair[1].start)
        });
    }
}

/// Boot loaders jump to fixed distances from the start of the image, without looking at symbols.
fn check_entry_points(image: &Image, problems: &mut Problems) {
    let start = KERNEL_MAP + PHYSICAL_START;
    for (symbol, offset) in [("_text", 0), ("startup_32", 0), ("startup_64", 0x200)] {
        let found = image.address_of(symbol);
        problems.require(found == Some(start + offset), IMAGE, || {
            let found = found.map_or_else(|| "missing".to_owned(), |address| format!("at {address:#x}"));
            format!(
                "{symbol} is {found}: it must be at {:#x}, {offset:#x} behind the start",
                start + offset
            )
        });
    }
}

fn check_bounds(image: &Image, problems: &mut Problems) {
    let bounds = [
        ("the image", KERNEL_MAP, highest_address(image), LARGEST_IMAGE),
        (
            "the per-CPU template",
            image.address_of("__per_cpu_start").unwrap_or(0),
            image.address_of("__per_cpu_end").unwrap_or(0),
            LARGEST_PERCPU,
        ),
    ];
    for (what, start, end, most) in bounds {
        let size = end.saturating_sub(start);
        problems.require(size <= most, IMAGE, || {
            format!("{what} takes {size} bytes from {start:#x}: it can have {most} at most")
        });
    }
    let trailer = image
        .address_of("__image_trailer")
        .and_then(|address| image.at(address..address + 16));
    problems.require(trailer.is_some(), IMAGE, || {
        "__image_trailer has no 16 bytes in the file: the section .trailer must hold them".to_owned()
    });
}

fn highest_address(image: &Image) -> u64 {
    image
        .segments()
        .iter()
        .filter(|segment| segment.is_loaded())
        .map(|segment| segment.range().end)
        .max()
        .unwrap_or(KERNEL_MAP)
}

fn check_sections(image: &Image, problems: &mut Problems) {
    let known = described_sections();
    for section in image
        .sections()
        .iter()
        .filter(|section| !section.name.is_empty() && !section.is_relocations())
    {
        let most = if section.name == ".got.plt" { RESERVED_GOT_PLT } else { 0 };
        if MUST_BE_EMPTY.contains(&&*section.name) || section.name == ".got.plt" || section.name.starts_with(".rela") {
            problems.require(section.size <= most, &section.name, || {
                format!(
                    "{} bytes at {:#x}, in an image that nobody relocates: it must be empty",
                    section.size, section.address
                )
            });
        } else {
            problems.require(known.contains(&*section.name) || is_slice(section), &section.name, || {
                format!(
                    "is a section that nobody described ({} bytes at {:#x}): describe it as a table or correct its name",
                    section.size, section.address
                )
            });
        }
    }
}

/// A registry of the crate `linkme`: its users name it, so its sections are described by their prefix.
fn is_slice(section: &Section) -> bool {
    section.name.starts_with("linkme_") || section.name.starts_with("linkm2_")
}

/// The names of the output sections of the linker script, whatever the configuration.
fn described_sections() -> HashSet<String> {
    let script = script::generate(&script::Options::everything());
    let statements = script.lines().filter(|line| line.contains(" : "));
    let mut names: HashSet<_> = statements
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    names.insert(record::SECTION.to_owned());
    names
}

/// A weak symbol that nothing defines is 0, and what calls it jumps there.
fn check_undefined(image: &Image, problems: &mut Problems) {
    for symbol in image
        .symbols()
        .iter()
        .filter(|symbol| !symbol.is_defined() && !symbol.name.is_empty())
    {
        let weak = if symbol.binding == STB_WEAK.0 { "weak and " } else { "" };
        problems.add(
            IMAGE,
            format!(
                "{} is {weak}undefined, so it has the address 0: something must define it",
                symbol.name
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_describes_the_sections_of_tables_and_of_none() {
        let known = described_sections();
        for name in [
            ".head.text",
            ".text",
            ".rodata",
            ".initcall.init",
            ".kunit_test_suites",
            ".trailer",
            ".bss",
            ".kallsyms",
            ".symtab",
            ".debug_line",
            record::SECTION,
        ] {
            assert!(known.contains(name), "{name}");
        }
        for name in [".initcall6.init", "linkme_X", ".tdata", "/DISCARD/"] {
            assert!(!known.contains(name) || name == "/DISCARD/", "{name}");
        }
    }
}

//! The memory map: what the firmware told, and what of it the kernel has taken.

use std::ops::Range;

use incipit_linker::layout::{KERNEL_MAP, PHYSICAL_START};
use maud::{Markup, html};

use crate::boot::memory::Memory;
use crate::contents::Contents;
use crate::figures::bytes;

const COLUMNS: [&str; 4] = ["Addresses", "Size", "Firmware", "Kernel"];

/// A range of physical memory that is the same throughout.
#[derive(Debug, PartialEq, Eq)]
struct Piece<'a> {
    range: Range<u64>,
    /// What the firmware says of it; nothing for a hole.
    kind: Option<&'a str>,
    use_: Use,
}

/// What the kernel does with memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It does not touch it.
    None,
    /// It can hand it out.
    Free,
    /// It has taken it.
    Taken,
    /// It is the image itself.
    Image,
}

impl Use {
    const fn words(self) -> &'static str {
        match self {
            Self::None => "–",
            Self::Free => "free",
            Self::Taken => "reserved",
            Self::Image => "the image",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::None => "other",
            Self::Free => "free",
            Self::Taken => "taken",
            Self::Image => "image",
        }
    }
}

/// Shows `memory`, in which the image that `contents` are lies.
pub fn show(memory: &Memory, contents: &Contents) -> Markup {
    let image = PHYSICAL_START..contents.range().end.saturating_sub(KERNEL_MAP);
    let pieces = pieces(memory, &image);
    let size = |ranges: &[Range<u64>]| ranges.iter().map(|range| range.end - range.start).sum();
    html! {
        p { (bytes(size(&memory.memory))) " of memory, of which " (bytes(size(&memory.reserved))) " are reserved at the end of the boot. The widths are logarithms of the sizes." }
        div.strip aria-hidden="true" {
            @for piece in &pieces {
                span.(class(piece)) style=(format!("flex-grow:{:.2}", weight(&piece.range))) title=(title(piece)) {}
            }
        }
        (key())
        table.stacked {
            thead { tr { @for column in COLUMNS { th scope="col" { (column) } } } }
            tbody {
                @for piece in pieces.iter().filter(|piece| piece.kind.is_some()) {
                    tr {
                        th scope="row" data-label=(COLUMNS[0]) {
                            span.swatch.(class(piece)) {}
                            code.address { (format!("{:#x}", piece.range.start)) "–" wbr; (format!("{:#x}", piece.range.end - 1)) }
                        }
                        td.figure data-label=(COLUMNS[1]) { (bytes(piece.range.end - piece.range.start)) }
                        td data-label=(COLUMNS[2]) { (piece.kind.unwrap_or_default()) }
                        td data-label=(COLUMNS[3]) { (piece.use_.words()) }
                    }
                }
            }
        }
    }
}

fn key() -> Markup {
    html! {
        ul.key aria-hidden="true" {
            @for used in [Use::Free, Use::Taken, Use::Image] { li { span.swatch.(used.class()) {} (used.words()) } }
            li { span.swatch.other {} "not the kernel's" }
            li { span.swatch.hole {} "nothing there" }
        }
    }
}

fn class(piece: &Piece) -> &'static str {
    if piece.kind.is_some() { piece.use_.class() } else { "hole" }
}

fn title(piece: &Piece) -> String {
    let range = &piece.range;
    let words = piece
        .kind
        .map_or_else(|| "nothing there".to_owned(), |kind| format!("{kind}, {}", piece.use_.words()));
    format!(
        "{:#x}–{:#x}: {} {words}",
        range.start,
        range.end - 1,
        bytes(range.end - range.start)
    )
}

/// How wide a piece is drawn, in relation to others.
fn weight(range: &Range<u64>) -> f64 {
    ((range.end - range.start) as f64 / 256.0).ln_1p()
}

/// Cuts memory where anything changes, and joins neighbours that are the same.
fn pieces<'a>(memory: &'a Memory, image: &Range<u64>) -> Vec<Piece<'a>> {
    let firmware = memory.firmware.iter().map(|entry| &entry.range);
    let all = firmware.chain(&memory.memory).chain(&memory.reserved).chain([image]);
    let mut borders: Vec<u64> = all.flat_map(|range| [range.start, range.end]).chain([0]).collect();
    borders.sort_unstable();
    borders.dedup();
    let is_in = |ranges: &[Range<u64>], address: u64| ranges.iter().any(|range| range.contains(&address));
    let mut pieces: Vec<Piece> = Vec::new();
    for pair in borders.windows(2) {
        let start = pair[0];
        let entry = memory.firmware.iter().find(|entry| entry.range.contains(&start));
        let use_ = match (image.contains(&start), is_in(&memory.reserved, start), is_in(&memory.memory, start)) {
            (true, ..) => Use::Image,
            (_, true, _) => Use::Taken,
            (_, _, true) => Use::Free,
            _ => Use::None,
        };
        // A machine whose firmware has no map has memory all the same.
        let kind = entry.map(|entry| entry.kind.as_str()).or((use_ != Use::None).then_some("–"));
        match pieces.last_mut().filter(|last| last.kind == kind && last.use_ == use_) {
            Some(last) => last.range.end = pair[1],
            None => pieces.push(Piece {
                range: start..pair[1],
                kind,
                use_,
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::memory::Firmware;

    fn memory() -> Memory {
        let entry = |range, kind: &str| Firmware { range, kind: kind.into() };
        Memory {
            firmware: vec![
                entry(0..0x8000, "usable"),
                entry(0x8000..0xa000, "reserved"),
                entry(0x10_0000..0x80_0000, "usable"),
            ],
            memory: vec![0x1000..0x8000, 0x10_0000..0x80_0000],
            reserved: vec![0..0x2000, 0x10_0000..0x20_0000],
        }
    }

    #[test]
    fn memory_is_cut_where_something_changes() {
        let memory = memory();
        let found: Vec<_> = pieces(&memory, &(0x10_0000..0x18_0000))
            .into_iter()
            .map(|piece| (piece.range.end, piece.kind.unwrap_or("hole"), piece.use_))
            .collect();
        assert_eq!(
            found,
            [
                (0x2000, "usable", Use::Taken),
                (0x8000, "usable", Use::Free),
                (0xa000, "reserved", Use::None),
                (0x10_0000, "hole", Use::None),
                (0x18_0000, "usable", Use::Image),
                (0x20_0000, "usable", Use::Taken),
                (0x80_0000, "usable", Use::Free),
            ]
        );
    }

    #[test]
    fn pieces_cover_everything_once() {
        let memory = memory();
        let pieces = pieces(&memory, &(0x10_0000..0x18_0000));
        assert_eq!((pieces[0].range.start, pieces.last().unwrap().range.end), (0, 0x80_0000));
        assert!(pieces.windows(2).all(|pair| pair[0].range.end == pair[1].range.start));
    }
}

//! The protected-mode part: the memory of the image, from its load address to its end.

use object::endian::LittleEndian;
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use crate::{Elf, Error, LOAD_ADDRESS, PARAGRAPH};

/// The most that the kernel's part of the address space holds, Linux's `KERNEL_IMAGE_SIZE`.
const IMAGE_SIZE_MAX: u64 = 512 << 20;

/// Where in the image the head keeps the address of the trailer, and the mark that says so.
const TRAILER_FIELD: usize = 0x08;
const MARK_FIELD: usize = 0x0c;

/// Where it keeps the address from which on it clears memory itself; zero if it clears none.
const CLEARS_FIELD: usize = 0x18;

const MARK: &[u8] = b"Incipit\0";

/// The last 16 bytes of a complete image: what the head looks for.
const TRAILER: &[u8; 16] = b"Incipit complete";

/// A `PT_LOAD` header, checked on its own.
struct Segment<'data> {
    start: u64,
    end: u64,
    bytes: &'data [u8],
}

/// The protected-mode part of the file, and the memory that it comes to need from its load address on, in bytes.
pub(crate) struct Flat {
    pub bytes: Vec<u8>,
    pub memory: usize,
}

/// Lays out the segments by physical address, and ends in the trailer whose address the head is told.
pub(crate) fn flatten(elf: &Elf, endian: LittleEndian, data: &[u8]) -> Result<Flat, Error> {
    let segments = segments(elf, endian, data)?;
    let Some(last) = segments.last() else {
        return Err(Error::NoSegments);
    };
    // The trailer and a checksum end in a whole paragraph: nothing but the checksum can be lost unnoticed.
    let end = TRAILER.len() + size_of::<u32>();
    let memory = offset(last.end);
    let stored = if clears(&segments) {
        offset(last.start) + last.bytes.len()
    } else {
        memory
    };
    let mut flat = vec![0; (stored + end).next_multiple_of(PARAGRAPH) - end];
    for segment in &segments {
        flat[offset(segment.start)..][..segment.bytes.len()].copy_from_slice(segment.bytes);
    }
    if flat.get(MARK_FIELD..MARK_FIELD + MARK.len()) != Some(MARK) {
        return Err(Error::NotIncipit);
    }
    let trailer = u32::try_from(LOAD_ADDRESS).expect("1 MiB") + u32::try_from(flat.len()).expect("at most IMAGE_SIZE_MAX");
    flat[TRAILER_FIELD..MARK_FIELD].copy_from_slice(&trailer.to_le_bytes());
    flat.extend(TRAILER);
    Ok(Flat { bytes: flat, memory })
}

/// Whether the head clears the zeros that the last segment ends in.
fn clears(segments: &[Segment<'_>]) -> bool {
    let field = |segment: &Segment<'_>| {
        Some(u32::from_le_bytes(
            segment.bytes.get(CLEARS_FIELD..CLEARS_FIELD + 4)?.try_into().ok()?,
        ))
    };
    let from = segments.first().and_then(field).unwrap_or(0);
    from != 0
        && segments
            .last()
            .is_some_and(|last| last.start + last.bytes.len() as u64 <= u64::from(from))
}

/// Where in the flat image a checked physical address is.
fn offset(address: u64) -> usize {
    usize::try_from(address - LOAD_ADDRESS).expect("at most IMAGE_SIZE_MAX")
}

/// The segments that take up memory, by physical address, none overlapping.
fn segments<'data>(elf: &Elf, endian: LittleEndian, data: &'data [u8]) -> Result<Vec<Segment<'data>>, Error> {
    let headers = elf.program_headers(endian, data).map_err(|_| Error::Headers)?;
    let mut segments = Vec::new();
    for header in headers
        .iter()
        .filter(|header| header.p_type(endian) == object::elf::PT_LOAD && header.p_memsz(endian) > 0)
    {
        let start = header.p_paddr(endian);
        let bytes = header.data(endian, data).map_err(|()| Error::BadSegment(start))?;
        if bytes.len() as u64 > header.p_memsz(endian) {
            return Err(Error::BadSegment(start));
        }
        let end = start.saturating_add(header.p_memsz(endian));
        if end > LOAD_ADDRESS + IMAGE_SIZE_MAX {
            return Err(Error::TooLarge(end));
        }
        segments.push(Segment { start, end, bytes });
    }
    segments.sort_by_key(|segment| segment.start);
    match segments.first() {
        Some(first) if first.start != LOAD_ADDRESS => return Err(Error::WrongAddress(first.start)),
        _ => {}
    }
    for pair in segments.windows(2) {
        if pair[0].end > pair[1].start {
            return Err(Error::Overlap(pair[0].end, pair[1].start));
        }
    }
    Ok(segments)
}

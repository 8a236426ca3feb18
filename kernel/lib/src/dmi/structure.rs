//! The table: structures one behind the other, each with its strings.

use core::fmt;

use crate::wire::Wire;

/// Bytes that every structure begins with: type, length, handle.
const HEADER: usize = 4;
/// The type of the structure behind which there is no other.
const END_OF_TABLE: u8 = 127;

/// A structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Structure<'a> {
    /// What it describes.
    pub kind: u8,
    /// Its number among all.
    pub handle: u16,
    /// Its fields, the header included.
    bytes: &'a [u8],
    /// What follows, its strings at first.
    strings: &'a [u8],
}

impl<'a> Structure<'a> {
    /// The field at `offset`; `None` if the structure ends before.
    #[must_use]
    pub fn field<T: Wire>(&self, offset: usize) -> Option<T> {
        self.bytes.get(offset..).and_then(T::read)
    }

    /// The string whose number is the byte at `offset`, without the spaces at its end. `None` if there is no such field or string, and for one that is blank.
    #[must_use]
    pub fn string(&self, offset: usize) -> Option<&'a [u8]> {
        let number = usize::from(self.field::<u8>(offset)?);
        let index = number.checked_sub(1)?;
        let mut strings = self.strings.split(|byte| *byte == 0);
        // An empty one ends the set, and the last one of all has no end: it is cut short.
        let mut position = 0;
        let found = strings.by_ref().take_while(|string| !string.is_empty()).find(|_| {
            position += 1;
            position > index
        })?;
        strings.next()?;
        Some(found.trim_ascii_end()).filter(|string| !string.is_empty())
    }

    /// Bytes of its fields, the header included.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes.len()
    }
}

/// Where the table cannot be followed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The offset of the structure at which it ends.
    pub offset: usize,
    /// How many structures came before.
    pub processed: usize,
}

/// As Linux's log says it.
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, processed } = self;
        write!(f, "Corrupted DMI table, offset {offset} (only {processed} entries processed)")
    }
}

impl core::error::Error for Broken {}

/// Walks the structures of `table`: as many as `count` says, or, if that is 0, up to the one that ends the table, and never further than its bytes.
pub fn structures(table: &[u8], count: u16) -> impl Iterator<Item = Result<Structure<'_>, Broken>> {
    let mut offset = 0;
    let mut processed = 0;
    let mut over = false;
    core::iter::from_fn(move || {
        let rest = table.get(offset..)?;
        if over || rest.len() < HEADER || (count != 0 && processed == usize::from(count)) {
            return None;
        }
        let length = usize::from(rest[1]);
        let Some((bytes, strings)) = rest.split_at_checked(length).filter(|_| length >= HEADER) else {
            over = true;
            return Some(Err(Broken { offset, processed }));
        };
        let kind = bytes[0];
        over = count == 0 && kind == END_OF_TABLE;
        // Two zeros end the strings; without them it is the last structure.
        offset = match strings.windows(2).position(|pair| pair == [0, 0]) {
            Some(end) => offset + length + end + 2,
            None => table.len(),
        };
        processed += 1;
        Some(Ok(Structure {
            kind,
            handle: u16::from_le_bytes([bytes[2], bytes[3]]),
            bytes,
            strings,
        }))
    })
}

/// A processor (type 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor<'a> {
    /// Its socket.
    pub socket: Option<&'a [u8]>,
    /// Its name.
    pub version: Option<&'a [u8]>,
    /// Its highest speed in MHz; 0 if unknown.
    pub max_speed: u16,
    /// Its cores; 0 if unknown.
    pub cores: u8,
}

impl<'a> Processor<'a> {
    /// Takes the structure apart, if it is one.
    #[must_use]
    pub fn of(structure: &Structure<'a>) -> Option<Self> {
        (structure.kind == 4).then(|| Self {
            socket: structure.string(4),
            version: structure.string(16),
            max_speed: structure.field(20).unwrap_or_default(),
            cores: structure.field(35).unwrap_or_default(),
        })
    }
}

/// A case (type 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chassis<'a> {
    /// Its maker.
    pub vendor: Option<&'a [u8]>,
    /// What it looks like: 3 desktop, 9 laptop, 23 rack, …
    pub kind: u8,
}

impl<'a> Chassis<'a> {
    /// Takes the structure apart, if it is one.
    #[must_use]
    pub fn of(structure: &Structure<'a>) -> Option<Self> {
        (structure.kind == 3).then(|| Self {
            vendor: structure.string(4),
            // The upper bit says that there is a lock.
            kind: structure.field::<u8>(5).unwrap_or_default() & 0x7f,
        })
    }
}

/// A module of memory, or a place for one (type 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryDevice<'a> {
    /// Its place.
    pub locator: Option<&'a [u8]>,
    /// Its size in KiB; 0 if the place is empty, none if unknown.
    pub size_kib: Option<u64>,
    /// Its speed in megatransfers per second; 0 if unknown.
    pub speed: u16,
}

impl<'a> MemoryDevice<'a> {
    /// Takes the structure apart, if it is one.
    #[must_use]
    pub fn of(structure: &Structure<'a>) -> Option<Self> {
        const IN_KIB: u16 = 1 << 15;
        (structure.kind == 17).then(|| Self {
            locator: structure.string(16),
            size_kib: match structure.field::<u16>(12).unwrap_or_default() {
                0xffff => None,
                // Too large for the field: in MiB in another one.
                0x7fff => structure.field::<u32>(28).map(|size| u64::from(size & !(1 << 31)) << 10),
                size if size & IN_KIB != 0 => Some(u64::from(size & !IN_KIB)),
                size => Some(u64::from(size) << 10),
            },
            speed: structure.field(21).unwrap_or_default(),
        })
    }
}

//! What the bytes of an object must be, and which of them are not: red zones, poison, padding. The values are Linux's.

use core::fmt;
use core::ops::Range;

use super::geometry::{Geometry, SlabFlags};
use crate::poison::others;

/// Fills what has never been used, and what lies between objects.
pub const POISON_INUSE: u8 = 0x5a;
/// Fills free objects.
pub const POISON_FREE: u8 = 0x6b;
/// Ends free objects.
pub const POISON_END: u8 = 0xa5;
/// Red zones of free objects.
pub const RED_INACTIVE: u8 = 0xbb;
/// Red zones of objects in use.
pub const RED_ACTIVE: u8 = 0xcc;

/// Bytes of an object's slot that must all have one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What a report calls it.
    pub what: &'static str,
    /// Where it is, from the slot's first byte.
    pub bytes: Range<usize>,
    /// The value.
    pub value: u8,
}

impl Geometry {
    /// What must hold of the slot of an object that is in use, or free.
    pub fn parts(&self, flags: SlabFlags, active: bool) -> impl Iterator<Item = Part> {
        let red = if active { RED_ACTIVE } else { RED_INACTIVE };
        let zones = flags.contains(SlabFlags::RED_ZONE);
        let poison = flags.contains(SlabFlags::POISON);
        let content = !active && flags.contains(SlabFlags::OBJECT_POISON);
        let user = self.red_left as usize;
        let end = user + self.object_size as usize;
        let in_use = user + self.in_use as usize;
        [
            (zones, "Left Redzone", 0..user, red),
            (zones, "Right Redzone", end..in_use, red),
            (!zones && poison, "Alignment padding", end..in_use, POISON_INUSE),
            (content, "Poison", user..end - 1, POISON_FREE),
            (content, "End Poison", end - 1..end, POISON_END),
            (
                poison,
                "Object padding",
                user + self.padding as usize..self.size as usize,
                POISON_INUSE,
            ),
        ]
        .into_iter()
        .filter(|(checked, _, bytes, _)| *checked && !bytes.is_empty())
        .map(|(_, what, bytes, value)| Part { what, bytes, value })
    }

    /// Makes the slot of an object what it must be when it is in use, or free.
    pub fn prepare(&self, flags: SlabFlags, active: bool, slot: &mut [u8]) {
        let content = flags.contains(SlabFlags::OBJECT_POISON);
        for part in self.parts(flags, active).filter(|part| part.what != "Object padding") {
            slot[part.bytes].fill(part.value);
        }
        if content && active {
            let user = self.red_left as usize;
            let end = user + self.object_size as usize;
            slot[user..end - 1].fill(POISON_FREE);
            slot[end - 1] = POISON_END;
        }
    }
}

impl Part {
    /// The bytes from the first to the last that are not what they must be, from the slot's first byte.
    #[must_use]
    pub fn wrong(&self, slot: &[u8]) -> Option<Range<usize>> {
        let wrong = others(slot.get(self.bytes.clone())?, self.value)?;
        Some(self.bytes.start + wrong.start..self.bytes.start + wrong.end)
    }
}

/// A line of a dump: up to 16 bytes in hexadecimal, then as characters.
#[derive(Debug, Clone, Copy)]
pub struct DumpLine<'a>(pub &'a [u8]);

impl fmt::Display for DumpLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x} ")?;
        }
        write!(f, "{:pad$} ", "", pad = 3 * 16_usize.saturating_sub(self.0.len()))?;
        for &byte in self.0 {
            let shown = if byte.is_ascii_graphic() || byte == b' ' { byte } else { b'.' };
            write!(f, "{}", char::from(shown))?;
        }
        Ok(())
    }
}

//! Whether the ramdisk that the loader announces can be where it says.
//!
//! The address and size come from outside; a wrong one would have the kernel unpack its own code or
//! thin air. Only numbers are judged here; reserving, moving and unpacking are the kernel's.

use core::fmt;
use core::ops::Range;

/// Why a ramdisk is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitrdError {
    /// It does not end below 2^64.
    WrapsAround {
        /// Its address.
        start: u64,
        /// Its size.
        size: u64,
    },
    /// It shares bytes with something that is needed.
    Overlaps {
        /// Where it is.
        initrd: Range<u64>,
        /// What it overlaps.
        what: &'static str,
        /// Where that is.
        taken: Range<u64>,
    },
    /// Not all of it is memory.
    NotMemory {
        /// Where it is.
        initrd: Range<u64>,
        /// Its first address that is no memory.
        at: u64,
    },
}

/// A range as log lines show it.
struct Mem<'a>(&'a Range<u64>);

impl fmt::Display for Mem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[mem {:#010x}-{:#010x}]", self.0.start, self.0.end.wrapping_sub(1))
    }
}

impl fmt::Display for InitrdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RAMDISK: ")?;
        match self {
            Self::WrapsAround { start, size } => {
                write!(f, "{size:#x} bytes at {start:#x} wrap around the address space")?;
            }
            Self::Overlaps { initrd, what, taken } => {
                write!(f, "{} overlaps {what} {}", Mem(initrd), Mem(taken))?;
            }
            Self::NotMemory { initrd, at } => {
                write!(f, "{} is not all memory, from {at:#010x} on", Mem(initrd))?;
            }
        }
        f.write_str(" - disabling initrd")
    }
}

impl core::error::Error for InitrdError {}

/// Checks a ramdisk of `size` bytes at physical address `start` and returns the range it takes.
/// `Ok(None)` when none is announced: address or size 0.
///
/// `memory` is what the memory map says is RAM, by address, neighbours allowed to touch; `taken`
/// are ranges that must stay as they are, with their names for the error.
///
/// # Errors
///
/// The first rule that the range breaks.
pub fn check(
    start: u64,
    size: u64,
    memory: impl IntoIterator<Item = Range<u64>>,
    taken: impl IntoIterator<Item = (&'static str, Range<u64>)>,
) -> Result<Option<Range<u64>>, InitrdError> {
    if start == 0 || size == 0 {
        return Ok(None);
    }
    let end = start.checked_add(size).ok_or(InitrdError::WrapsAround { start, size })?;
    let initrd = start..end;
    let overlaps = |taken: &Range<u64>| !taken.is_empty() && taken.start < end && start < taken.end;
    if let Some((what, taken)) = taken.into_iter().find(|(_, taken)| overlaps(taken)) {
        return Err(InitrdError::Overlaps { initrd, what, taken });
    }
    let mut at = start;
    for range in memory {
        if range.start > at || at >= end {
            break;
        }
        at = at.max(range.end);
    }
    if at < end {
        return Err(InitrdError::NotMemory { initrd, at });
    }
    Ok(Some(initrd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{string::ToString, vec::Vec};

    const MEMORY: [Range<u64>; 3] = [0..0x9f000, 0x10_0000..0x400_0000, 0x400_0000..0x800_0000];
    const KERNEL: (&str, Range<u64>) = ("the kernel image", 0x10_0000..0x30_0000);

    fn announced(start: u64, size: u64) -> Result<Option<Range<u64>>, InitrdError> {
        check(start, size, MEMORY, [KERNEL])
    }

    #[test]
    fn a_ramdisk_in_memory_is_used() {
        assert_eq!(announced(0x30_0000, 1), Ok(Some(0x30_0000..0x30_0001)));
        assert_eq!(announced(0x7ff_f000, 0x1000), Ok(Some(0x7ff_f000..0x800_0000)));
        assert_eq!(announced(0x1000, 0x9e000), Ok(Some(0x1000..0x9f000)));
    }

    #[test]
    fn a_ramdisk_may_span_ranges_that_touch() {
        assert_eq!(announced(0x3ff_f000, 0x2000), Ok(Some(0x3ff_f000..0x400_1000)));
    }

    #[test]
    fn none_is_announced_by_a_zero() {
        assert_eq!(announced(0, 0x1000), Ok(None));
        assert_eq!(announced(0x1000, 0), Ok(None));
        assert_eq!(announced(0, 0), Ok(None));
    }

    #[test]
    fn a_range_that_wraps_around_is_refused() {
        for (start, size) in [(u64::MAX, 1), (u64::MAX, u64::MAX), (0x1000, u64::MAX)] {
            let error = announced(start, size).expect_err("it wraps");
            assert_eq!(error, InitrdError::WrapsAround { start, size });
        }
        assert_eq!(
            announced(0xffff_ffff_ffff_f000, 0x1000).map_err(|error| error.to_string()),
            Err("RAMDISK: 0x1000 bytes at 0xfffffffffffff000 wrap around the address space \
                 - disabling initrd"
                .into())
        );
    }

    #[test]
    fn a_ramdisk_over_the_kernel_is_refused_to_the_byte() {
        assert!(announced(0x2f_ffff, 1).is_err());
        assert!(announced(0x30_0000, 1).is_ok());
        let error = announced(0x2f_ffff, 0x11).expect_err("it overlaps");
        assert_eq!(
            error.to_string(),
            "RAMDISK: [mem 0x002fffff-0x0030000f] overlaps the kernel image \
             [mem 0x00100000-0x002fffff] - disabling initrd"
        );
        assert!(matches!(announced(0x1000, 0x400_0000), Err(InitrdError::Overlaps { .. })));
    }

    #[test]
    fn an_empty_range_overlaps_nothing() {
        let nothing = ("nothing", 0x40_0000..0x40_0000);
        assert!(check(0x3f_0000, 0x2_0000, MEMORY, [nothing]).is_ok());
    }

    #[test]
    fn a_ramdisk_outside_memory_is_refused_where_memory_ends() {
        let at = |start, size| match check(start, size, MEMORY, []) {
            Err(InitrdError::NotMemory { at, .. }) => Some(at),
            _ => None,
        };
        assert_eq!(at(0x9e000, 0x2000), Some(0x9f000));
        assert_eq!(at(0x9f000, 1), Some(0x9f000));
        assert_eq!(at(0x7ff_f000, 0x1001), Some(0x800_0000));
        assert_eq!(at(0xffff_ffff_0000_0000, 0x1000), Some(0xffff_ffff_0000_0000));
        assert_eq!(
            check(5, 1, [], []).map_err(|error| error.to_string()),
            Err("RAMDISK: [mem 0x00000005-0x00000005] is not all memory, from 0x00000005 on \
                 - disabling initrd"
                .into())
        );
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_look_at_every_byte(
            start in 0..64_u64,
            size in 0..64_u64,
            edges in proptest::collection::btree_set(0..128_u64, 0..8),
            kernel in (0..64_u64, 0..16_u64),
        ) {
            let edges: Vec<u64> = edges.into_iter().collect();
            let memory: Vec<_> = edges.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
            let kernel = kernel.0..kernel.0 + kernel.1;
            let usable = |at| {
                memory.iter().any(|range| range.contains(&at)) && !kernel.contains(&at)
            };
            let result = check(start, size, memory.iter().cloned(), [("kernel", kernel.clone())]);
            let announced = start != 0 && size != 0;
            prop_assert_eq!(result == Ok(None), !announced);
            let good = announced && (start..start + size).all(usable);
            prop_assert_eq!(result == Ok(Some(start..start + size)), good);
        }

        #[test]
        fn any_numbers_are_judged(start: u64, size: u64, a: u64, b: u64) {
            let whole = a.min(b)..a.max(b);
            if let Ok(Some(range)) = check(start, size, [whole.clone()], []) {
                prop_assert!(whole.start <= range.start && range.end <= whole.end);
            }
        }
    }
}

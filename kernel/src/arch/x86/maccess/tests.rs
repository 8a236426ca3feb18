//! Tests with addresses that are there, that are not, and that lie across the border.

use super::*;
use crate::mm::{PAGE_OFFSET, sections};

/// Canonical, in the kernel half, and never mapped: just below the direct map.
const UNMAPPED: usize = PAGE_OFFSET - 0x1000;
/// Not canonical: an access is a general protection fault.
const NOT_CANONICAL: usize = 0x8000_0000_0000_0000;

/// Stands at the border between readable memory and the guard page below the boot stack.
fn above_guard() -> usize {
    sections::boot_stack().start_address()
}

#[ktest]
fn bytes_words_and_odd_lengths_are_copied_whole() {
    let source: [u8; 41] = core::array::from_fn(|index| index as u8 + 1);
    for length in 0..=source.len() {
        let mut destination = [0; 41];
        assert_eq!(copy_from_kernel_nofault(&mut destination[..length], source.as_ptr()), Ok(()));
        assert_eq!(destination[..length], source[..length]);
        assert!(destination[length..].iter().all(|&byte| byte == 0), "{length}");
    }
}

#[ktest]
fn reading_what_is_not_mapped_is_an_error() {
    let mut buffer = [0x55; 16];
    for address in [UNMAPPED, UNMAPPED + 0xff9, NOT_CANONICAL] {
        let error = PartialCopy {
            error: Errno::EFAULT,
            copied: 0,
        };
        assert_eq!(
            copy_from_kernel_nofault(&mut buffer, address as *const u8),
            Err(error),
            "{address:#x}"
        );
        assert_eq!(buffer, [0x55; 16]);
    }
}

#[ktest]
fn integers_of_each_width_are_read_or_refused() {
    let value = 0x8877_6655_4433_2211_u64;
    let at = &raw const value;
    assert_eq!(get_kernel_nofault(at), Ok(value));
    assert_eq!(get_kernel_nofault(at.cast::<u32>()), Ok(0x4433_2211));
    assert_eq!(get_kernel_nofault(at.cast::<u16>()), Ok(0x2211));
    assert_eq!(get_kernel_nofault(at.cast::<u8>().wrapping_add(7)), Ok(0x88));
    assert_eq!(get_kernel_nofault(UNMAPPED as *const u64), Err(Errno::EFAULT));
    assert_eq!(get_kernel_nofault(UNMAPPED as *const u32), Err(Errno::EFAULT));
    assert_eq!(get_kernel_nofault(UNMAPPED as *const u16), Err(Errno::EFAULT));
    assert_eq!(get_kernel_nofault(UNMAPPED as *const u8), Err(Errno::EFAULT));
    assert_eq!(get_kernel_nofault(NOT_CANONICAL as *const u8), Err(Errno::EFAULT));
}

#[ktest]
fn the_user_half_is_refused_without_an_access() {
    for address in [0, 1, 0x1000, USER_END - 1] {
        assert_eq!(get_kernel_nofault(address as *const u8), Err(Errno::ERANGE), "{address:#x}");
        let refused = Err(PartialCopy {
            error: Errno::ERANGE,
            copied: 0,
        });
        assert_eq!(copy_from_kernel_nofault(&mut [0; 4], address as *const u8), refused, "{address:#x}");
    }
}

#[ktest]
fn a_copy_that_begins_in_a_hole_copies_nothing_and_one_that_ends_before_it_all() {
    let mut buffer = [0; 24];
    let border = above_guard();
    assert_eq!(copy_from_kernel_nofault(&mut buffer, border as *const u8), Ok(()));
    for before in [1, 7, 8, 13, 24] {
        let result = copy_from_kernel_nofault(&mut buffer, (border - before) as *const u8);
        assert_eq!(
            result,
            Err(PartialCopy {
                error: Errno::EFAULT,
                copied: 0
            }),
            "{before} bytes before the border"
        );
    }
}

#[ktest]
fn writing_stops_exactly_where_memory_ends() {
    // Writing the text of the image is refused by its last byte's page, reading it is not: data lies behind read-only data on all sides.
    let (rodata_end, buffer) = (sections::rodata().end_address(), [0xaa; 8]);
    // SAFETY: read-only data cannot be written, which is what this shows.
    let result = unsafe { copy_to_kernel_nofault((rodata_end - 8) as *mut u8, &buffer) };
    assert_eq!(
        result,
        Err(PartialCopy {
            error: Errno::EFAULT,
            copied: 0
        })
    );

    let mut own = [0; 8];
    // SAFETY: the destination is this function's own.
    assert_eq!(unsafe { copy_to_kernel_nofault(own.as_mut_ptr(), &buffer) }, Ok(()));
    assert_eq!(own, buffer);
}

//! Changing the protection of pages of the image: Linux's `set_memory_ro` and its family.
//!
//! Only the mapping of the image is made of 4 KiB pages, so only its pages can be changed. The direct map's view of the same bytes stays as it is: writable,
//! never executable. The change holds on this CPU at once; another CPU that has used the pages must be told to flush its TLB.

use super::pgtable::{Entry, Flags, Level, walk};
use super::tlb;
use crate::mm::{PAGE_SIZE, START_KERNEL_MAP};
use crate::prelude::*;

/// Makes `pages` pages from `address` on read-only.
///
/// # Errors
///
/// `EINVAL` if `address` is not a page's or one of the pages is not the image's; nothing has changed then.
pub fn set_memory_ro(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::empty(), Flags::RW)
}

/// Makes pages writable. Errors as for [`set_memory_ro`].
///
/// # Errors
///
/// `EINVAL`.
pub fn set_memory_rw(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::RW, Flags::empty())
}

/// Makes pages not executable.
///
/// # Errors
///
/// `EINVAL`.
pub fn set_memory_nx(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::NX, Flags::empty())
}

/// Makes pages executable.
///
/// # Errors
///
/// `EINVAL`.
pub fn set_memory_x(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::empty(), Flags::NX)
}

/// Makes pages fault on any access; [`set_memory_p`] brings them back as they were.
///
/// # Errors
///
/// `EINVAL`.
pub fn set_memory_np(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::empty(), Flags::PRESENT)
}

/// Undoes [`set_memory_np`].
///
/// # Errors
///
/// `EINVAL`.
pub fn set_memory_p(address: usize, pages: usize) -> Result<(), Errno> {
    change(address, pages, Flags::PRESENT, Flags::empty())
}

fn change(address: usize, pages: usize, set: Flags, clear: Flags) -> Result<(), Errno> {
    let end = pages
        .checked_mul(PAGE_SIZE)
        .and_then(|bytes| address.checked_add(bytes))
        .ok_or(Errno::EINVAL)?;
    if !address.is_multiple_of(PAGE_SIZE) || address < START_KERNEL_MAP {
        return Err(Errno::EINVAL);
    }
    let each_page = || (address..end).step_by(PAGE_SIZE);
    let is_the_images = |page: usize| {
        let (table, index, level) = walk(page);
        level == Level::Pte && table.get(index).phys() != 0
    };
    if !each_page().all(is_the_images) {
        return Err(Errno::EINVAL);
    }
    for page in each_page() {
        let (table, index, _) = walk(page);
        let old = table.get(index);
        let new = Entry::new(old.phys(), (old.flags() | set) & !clear);
        // SAFETY: the entry leads where it led before. What the new protection forbids becomes a fault, which is what the caller asked for.
        unsafe { table.set(index, new) };
        tlb::flush_one(page);
    }
    Ok(())
}

mod tests {
    use core::cell::UnsafeCell;

    use super::*;
    use crate::arch::x86::maccess::{copy_to_kernel_nofault, get_kernel_nofault};
    use crate::mm::PAGE_OFFSET;

    #[repr(C, align(4096))]
    struct Page(UnsafeCell<[u8; PAGE_SIZE]>);

    // SAFETY: only tests use it, one after the other, through the fault-tolerant accessors.
    unsafe impl Sync for Page {}

    static PAGE: Page = Page(UnsafeCell::new([7; PAGE_SIZE]));

    fn page() -> *mut u8 {
        PAGE.0.get().cast()
    }

    fn write(value: u8) -> bool {
        // SAFETY: nobody relies on the page's content.
        unsafe { copy_to_kernel_nofault(page(), &[value]) }.is_ok()
    }

    #[ktest]
    fn a_page_can_be_made_read_only_and_writable_again() {
        assert!(write(1));
        assert_eq!(set_memory_ro(page().addr(), 1), Ok(()));
        assert!(!write(2));
        assert_eq!(get_kernel_nofault(page().cast_const()), Ok(1));
        assert_eq!(set_memory_rw(page().addr(), 1), Ok(()));
        assert!(write(3));
    }

    #[ktest]
    fn a_page_can_be_taken_away_and_brought_back_with_its_content() {
        assert!(write(9));
        assert_eq!(set_memory_np(page().addr(), 1), Ok(()));
        assert_eq!(get_kernel_nofault(page().cast_const()), Err(Errno::EFAULT));
        assert_eq!(set_memory_p(page().addr(), 1), Ok(()));
        assert_eq!(get_kernel_nofault(page().cast_const()), Ok(9));
    }

    #[ktest]
    fn what_is_no_page_of_the_image_cannot_be_changed() {
        for (address, pages) in [
            (page().addr() + 1, 1),
            (PAGE_OFFSET, 1),
            (0, 1),
            (page().addr(), usize::MAX),
            (usize::MAX - 0xfff, 1),
        ] {
            assert_eq!(set_memory_ro(address, pages), Err(Errno::EINVAL), "{address:#x}, {pages} pages");
        }
    }
}

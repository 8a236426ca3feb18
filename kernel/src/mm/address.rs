//! Virtual and physical addresses: Linux's layout of the upper half for four-level page tables.
//!
//! All RAM is mapped at [`PAGE_OFFSET`] (the direct map), the image once more at [`START_KERNEL_MAP`], where it is linked.

use crate::prelude::*;

/// Bytes of a page.
pub const PAGE_SIZE: usize = 1 << PAGE_SHIFT;
/// Bits of an address inside a page.
pub const PAGE_SHIFT: u32 = 12;

/// Where the direct map of physical memory starts.
pub const PAGE_OFFSET: usize = 0xffff_8880_0000_0000;
/// Bytes that the direct map can hold: physical addresses beyond cannot be used (Linux's `MAXMEM`).
pub const DIRECT_MAP_SIZE: u64 = 1 << 46;

/// Where physical address 0 would be in the mapping of the image.
pub const START_KERNEL_MAP: usize = 0xffff_ffff_8000_0000;

/// The address in the direct map of the byte at `phys`.
///
/// It may be used if the byte is RAM, or lies in the first MiB; before `init_mem_mapping`, if it lies in the first 4 GiB.
#[inline]
#[must_use]
pub fn phys_to_virt(phys: u64) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut(PAGE_OFFSET.wrapping_add(phys as usize))
}

/// The physical address of a byte in the direct map or in the image. Meaningless for any other address.
#[inline]
#[must_use]
pub fn virt_to_phys(virt: *const u8) -> u64 {
    let address = virt.expose_provenance();
    let start = if address >= START_KERNEL_MAP {
        START_KERNEL_MAP
    } else {
        PAGE_OFFSET
    };
    address.wrapping_sub(start) as u64
}

#[ktest]
fn the_two_mappings_of_the_image_have_one_physical_address() {
    let linked = core::ptr::from_ref(&PAGE_BYTES).cast::<u8>();
    let phys = virt_to_phys(linked);
    let direct = phys_to_virt(phys);
    assert_ne!(direct.cast_const(), linked);
    assert_eq!(virt_to_phys(direct), phys);
    // SAFETY: both addresses are mapped, to the same bytes, which do not change.
    assert_eq!(unsafe { direct.cast::<u64>().read() }, PAGE_BYTES);
}

static PAGE_BYTES: u64 = 0x1122_3344_5566_7788;

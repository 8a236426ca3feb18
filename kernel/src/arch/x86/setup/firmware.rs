//! Memory in which firmware has left something: its addresses come from firmware, too, and may be wrong.

use crate::arch::x86::mm::ioremap::{Memory, memremap};
use crate::mm::memblock;
use crate::prelude::*;

/// The first MiB is reserved as a whole, with all that firmware has there.
const LOW_MEMORY: u64 = 1 << 20;

/// Maps the `length` bytes at physical address `phys` to be read.
///
/// # Errors
///
/// Those of [`memremap`], and `EBUSY` for memory that the kernel or its loader has in use: nothing of the firmware's is there, and it would change while
/// somebody reads it.
#[init]
pub fn firmware_memory(phys: u64, length: usize) -> Result<Memory, Errno> {
    let end = phys.checked_add(length as u64).ok_or(Errno::EINVAL)?;
    let start = phys.max(LOW_MEMORY);
    if start < end && memblock::reserved().any(|region| region.base < end && start < region.end()) {
        return Err(Errno::EBUSY);
    }
    memremap(phys, length)
}

#[ktest]
fn the_kernel_s_own_memory_is_nobody_else_s() {
    let image = crate::mm::sections::text().phys();
    assert!(matches!(firmware_memory(image, 16), Err(Errno::EBUSY)));
    assert!(matches!(firmware_memory(u64::MAX, 16), Err(Errno::EINVAL)));
    assert!(firmware_memory(0xf_0000, 16).is_ok());
}

//! Memory by physical address, as far as the early page tables map it.

use core::slice;

/// End of the early direct map: what lies above cannot be read yet.
const DIRECT_MAP_END: u64 = 4 << 30;

/// The `len` bytes from physical address `phys` on; `None` for those that are not mapped, and for address 0, which is no pointer. No bytes
/// are no bytes wherever they lie: an empty table may come without an address.
pub fn bytes(phys: u64, len: usize) -> Option<&'static [u8]> {
    if len == 0 {
        return Some(&[]);
    }
    let end = phys.checked_add(len as u64)?;
    if phys == 0 || end > DIRECT_MAP_END {
        return None;
    }
    // SAFETY: the range is mapped, any byte is a valid u8, and this early nothing else runs that could write to what a loader left.
    // Where there is no memory, the read gives all ones or zeros.
    Some(unsafe { slice::from_raw_parts(incipit::mm::phys_to_virt(phys), len) })
}

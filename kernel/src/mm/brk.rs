//! Memory before memblock has any: the image's section `.brk`, which is Linux's boot-time brk.
//!
//! Who needs such memory declares at that place how much it can be ([`reserve_brk!`](crate::reserve_brk)), and the linker adds the sizes up. [`extend_brk`] hands the space
//! out from its start on, until `setup_arch` keeps what was taken ([`reserve_brk`]) and leaves the rest to memblock. There is no way to give anything back before.

use super::memblock;
use super::sections::{self, Section};
use crate::locking::IrqSpinLock;
use crate::prelude::*;

/// Declares that up to `$size` bytes are taken by [`extend_brk`], with what their alignment costs.
#[macro_export]
macro_rules! reserve_brk {
    ($name:ident, $size:expr) => {
        const _: () = {
            #[used]
            #[unsafe(link_section = ".bss..brk")]
            static $name: [::core::sync::atomic::AtomicU8; $size] = [const { ::core::sync::atomic::AtomicU8::new(0) }; $size];
        };
    };
}

static BRK: IrqSpinLock<Brk> = IrqSpinLock::new(Brk::new());

/// How much of the space is taken.
struct Brk {
    taken: usize,
    /// Whether the rest is somebody else's.
    concluded: bool,
}

impl Brk {
    const fn new() -> Brk {
        Brk {
            taken: 0,
            concluded: false,
        }
    }

    /// Takes the next `size` bytes of `space` whose first address is a multiple of `align`.
    fn extend(&mut self, space: Section, size: usize, align: usize) -> Result<Section, Errno> {
        assert!(
            !self.concluded,
            "extend_brk: {size} bytes asked for after reserve_brk gave the rest away"
        );
        if size == 0 || !align.is_power_of_two() {
            return Err(Errno::EINVAL);
        }
        let start = (space.start_address() + self.taken).checked_next_multiple_of(align);
        let start = start.ok_or(Errno::ENOMEM)?;
        let end = start.checked_add(size).filter(|&end| end <= space.end_address());
        let end = end.ok_or(Errno::ENOMEM)?;
        self.taken = end - space.start_address();
        Ok(Section::between(start, end))
    }

    /// Ends it, and returns what of `space` was taken.
    fn conclude(&mut self, space: Section) -> Section {
        self.concluded = true;
        Section::between(space.start_address(), space.start_address() + self.taken)
    }
}

/// `size` bytes of zeros, aligned to `align`, a power of two, for good.
///
/// # Errors
///
/// `ENOMEM` if more is asked for than was declared; `EINVAL` for a size of 0 or an alignment that is no power of two.
///
/// # Panics
///
/// When the rest has been given away: see [`is_available`].
pub fn extend_brk(size: usize, align: usize) -> Result<*mut u8, Errno> {
    let memory = BRK.lock().extend(sections::brk(), size, align)?;
    let first: *mut u8 = core::ptr::with_exposed_provenance_mut(memory.start_address());
    // SAFETY: the bytes are the image's, in a section that holds no variable that anybody uses, and are handed out this once. Not every head clears them.
    unsafe { first.write_bytes(0, size) };
    Ok(first)
}

/// Whether memory can still be taken.
#[must_use]
pub fn is_available() -> bool {
    !BRK.lock().concluded
}

/// What has been taken.
#[must_use]
pub fn taken() -> Section {
    let start = sections::brk().start_address();
    Section::between(start, start + BRK.lock().taken)
}

/// Keeps what was taken from being allocated, and leaves the rest to memblock: Linux's stage of this name in `setup_arch`.
///
/// # Panics
///
/// If memblock cannot remember it.
#[init]
pub fn reserve_brk() {
    let taken = BRK.lock().conclude(sections::brk());
    if let Err(error) = memblock::reserve(taken.phys(), taken.len() as u64) {
        panic!(
            "reserve_brk: {:#x} bytes at {:#x} cannot be reserved ({error})",
            taken.len(),
            taken.phys()
        );
    }
}

#[ktest]
fn space_is_handed_out_in_order_and_never_beyond_its_end() {
    let space = Section::between(0x1000, 0x4000);
    let mut brk = Brk::new();
    assert_eq!(brk.extend(space, 24, 8), Ok(Section::between(0x1000, 0x1018)));
    assert_eq!(brk.extend(space, 0x1000, 0x1000), Ok(Section::between(0x2000, 0x3000)));
    for (size, align, error) in [
        (0x1001, 1, Errno::ENOMEM),
        (usize::MAX, 1, Errno::ENOMEM),
        (1, 1 << 63, Errno::ENOMEM),
        (0, 1, Errno::EINVAL),
        (1, 0, Errno::EINVAL),
        (1, 3, Errno::EINVAL),
    ] {
        assert_eq!(brk.extend(space, size, align), Err(error), "{size:#x} bytes aligned to {align:#x}");
    }
    assert_eq!(
        brk.extend(space, 0x1000, 1),
        Ok(Section::between(0x3000, 0x4000)),
        "what failed has taken nothing"
    );
    assert_eq!(brk.extend(space, 1, 1), Err(Errno::ENOMEM));
    assert_eq!(brk.conclude(space), space);
}

#[ktest]
fn what_was_taken_is_reserved_and_the_rest_is_not_the_image_s() {
    assert!(!is_available());
    let (taken, space) = (taken(), sections::brk());
    assert!(!taken.is_empty() && taken.end_address() <= space.end_address());
    let last = taken.end_address() - 1;
    let phys = taken.phys()..taken.phys() + taken.len() as u64;
    assert!(memblock::reserved().any(|region| region.base <= phys.start && phys.end <= region.end()));
    let mapped = |address| crate::arch::x86::mm::pgtable::lookup(address).is_some_and(|(entry, _)| entry.is_present());
    assert!(mapped(last));
    let rest = taken.end_address().next_multiple_of(super::PAGE_SIZE);
    for page in (rest..space.end_address()).step_by(super::PAGE_SIZE) {
        assert!(!mapped(page), "{page:#x}");
    }
}

//! Looking for references.
//!
//! A scan has the table's lock from its beginning to its end, so that no block that it looks at is given back meanwhile.

use core::arch::asm;
use core::ptr;
use core::sync::atomic::Ordering::Relaxed;

use super::object::{Flags, Object};
use super::table::{TABLE, Table};
use super::{MIN_AGE, is_enabled};
use crate::arch::x86::maccess::get_kernel_nofault;
use crate::arch::x86::stacktrace::stack_of;
use crate::mm::PAGE_SIZE;
use crate::mm::sections;
use crate::prelude::*;
use crate::time::sched_clock;

/// Bytes of a word that may be an address.
const WORD: usize = size_of::<usize>();

/// Gray blocks that have not been looked at yet, in the order in which they were found.
struct Gray {
    first: usize,
    last: Option<&'static Object>,
}

/// Looks for blocks that nobody has a reference to, and says how many there are that were not known before. Linux's `kmemleak_scan`.
#[inline(never)]
pub fn scan() -> usize {
    if !is_enabled() {
        return 0;
    }
    // The stack counts from here up: what the scan itself leaves further down are no references of anybody.
    let registers = callee_saved();
    scan_from(&registers)
}

#[inline(never)]
fn scan_from(registers: &[usize; 5]) -> usize {
    let table = TABLE.lock();
    let mut scan = Scan {
        table: &table,
        gray: Gray { first: 0, last: None },
    };
    scan.start();
    scan.roots(registers.as_ptr().addr());
    scan.gray_blocks();
    scan.color_changed();
    scan.gray_blocks();
    let now = sched_clock();
    let new = table.iter().filter(|object| is_leak(object, now) && !object.has(Flags::REPORTED));
    let new = new.inspect(|object| object.set(Flags::REPORTED)).count();
    drop(table);
    if new != 0 {
        pr_info!("kmemleak: {new} new suspected memory leaks (see kmemleak in the monitor)");
    }
    new
}

/// Whether too few references lead to a block that is old enough to have them.
pub(super) fn is_leak(object: &Object, now_ns: u64) -> bool {
    let min_age = u64::from(MIN_AGE.load(Relaxed)) * 1_000_000;
    object.is_white() && object.facts.get().born_ns.saturating_add(min_age) <= now_ns
}

/// The registers that a function leaves as they are: a caller's reference may be there and nowhere else.
#[inline(never)]
fn callee_saved() -> [usize; 5] {
    let mut registers = [0; 5];
    // SAFETY: writes five words into the array.
    unsafe {
        asm!(
            "mov [{at}], rbx",
            "mov [{at} + 8], r12",
            "mov [{at} + 16], r13",
            "mov [{at} + 24], r14",
            "mov [{at} + 32], r15",
            at = in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags)
        );
    }
    registers
}

/// A scan under way.
struct Scan<'a> {
    table: &'a Table,
    gray: Gray,
}

impl Scan<'_> {
    /// Forgets the references of the last scan; blocks that need none are where this one begins.
    fn start(&mut self) {
        for object in self.table.iter() {
            object.count.set(0);
            if object.is_gray() {
                self.gray.push(object);
            }
        }
    }

    /// Looks at what is always there, but for the CPUs' areas, which are blocks that need no reference.
    fn roots(&mut self, stack_pointer: usize) {
        for section in [sections::data(), sections::bss()] {
            self.block(section.start_address(), section.len(), None);
        }
        if let Some(stack) = stack_of(stack_pointer) {
            self.block(stack_pointer, stack.end - stack_pointer, None);
        }
    }

    /// Looks at gray blocks until there are no more.
    fn gray_blocks(&mut self) {
        while let Some(object) = self.gray.pop() {
            if object.has(Flags::NO_SCAN) {
                continue;
            }
            let areas = object.areas.take();
            if areas.is_empty() || object.has(Flags::FULL_SCAN) {
                self.block(object.pointer(), object.facts.get().size, Some(object));
            } else {
                areas.iter().for_each(|(start, size)| self.block(*start, *size, Some(object)));
            }
            object.areas.set(areas);
        }
    }

    /// Counts the references in a piece of memory, page by page: one may not be there, as guard pages are not. Those of a block to itself are none.
    fn block(&mut self, start: usize, size: usize, of: Option<&Object>) {
        let end = start.saturating_add(size) & !(WORD - 1);
        let mut at = start.next_multiple_of(WORD);
        while at < end {
            let behind = end.min((at & !(PAGE_SIZE - 1)) + PAGE_SIZE);
            if get_kernel_nofault(ptr::with_exposed_provenance::<u64>(at)).is_ok() {
                (at..behind).step_by(WORD).for_each(|at| self.word(at, of));
            }
            at = behind;
        }
    }

    /// Counts a reference if there is one at this address, which can be read.
    #[inline]
    fn word(&mut self, at: usize, of: Option<&Object>) {
        // SAFETY: the page can be read: it is of the image, a CPU's area, a stack, or of a block that is not given back while the table is locked. Others may
        // write to it, so that a word is what it is at some moment.
        let word = unsafe { ptr::with_exposed_provenance::<usize>(at).read_volatile() };
        if let Some(object) = self.table.containing(word)
            && of.is_none_or(|of| !ptr::eq(of, object))
            && object.is_white()
        {
            object.count.set(object.count.get() + 1);
            if object.is_gray() {
                self.gray.push(object);
            }
        }
    }

    /// White blocks that have changed since the last scan are in use, whatever leads to them: they are gray until the next.
    fn color_changed(&mut self) {
        for object in self.table.iter() {
            if object.is_white() && update_checksum(object) {
                object.count.set(object.min_count.get());
                self.gray.push(object);
            }
        }
    }
}

/// Whether the block is another than at the last scan.
fn update_checksum(object: &Object) -> bool {
    let start = object.pointer();
    let words = (start..object.end() & !(WORD - 1)).step_by(WORD);
    let checksum = words.fold(1_u64, |sum, at| {
        // SAFETY: as in `Scan::block`; blocks of allocators begin at multiples of a word.
        let word = unsafe { ptr::with_exposed_provenance::<u64>(at).read_volatile() };
        (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
    });
    object.checksum.replace(checksum) != checksum
}

impl Gray {
    fn push(&mut self, object: &'static Object) {
        let id = object.id().map_or(0, |id| id.get());
        object.next.set(0);
        match self.last.replace(object) {
            Some(last) => last.next.set(id),
            None => self.first = id,
        }
    }

    fn pop(&mut self) -> Option<&'static Object> {
        // SAFETY: numbers on the list are addresses of objects, which are never given back.
        let first: &'static Object = unsafe { ptr::with_exposed_provenance::<Object>(self.first).as_ref() }?;
        self.first = first.next.replace(0);
        if self.first == 0 {
            self.last = None;
        }
        Some(first)
    }
}

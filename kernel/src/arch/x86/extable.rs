//! The exception table: which kernel instructions may fault, and where to go on if they do.
//!
//! `#[exception_entry]` makes the entries, the post-link step sorts them, and every fault in kernel mode looks its instruction up here before anything else
//! is thought of it. The entry's layout and the types are Linux's (`arch/x86/include/asm/extable_fixup_types.h`), so that its tools can read the table.

mod index;

use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use index::Index;
use spin::Once;

use crate::arch::x86::mm::set_memory;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::traps::Vector;
use crate::mm::PAGE_SIZE;
use crate::prelude::*;
use crate::table::EX_TABLE;

/// An instruction that may fault. The first two fields are relative to themselves, so that the table needs no relocation.
#[repr(C)]
#[derive(Debug)]
pub struct ExceptionTableEntry {
    insn: i32,
    fixup: i32,
    data: u32,
}

/// What happens on a fault, in bits 7:0 of the data; all but the numbers that x86-64 code here can meet are left out.
mod kind {
    /// Goes on at the fixup.
    pub const DEFAULT: u32 = 1;
    /// The same, with the vector in RAX.
    pub const FAULT: u32 = 2;
    /// The same, for an access to user memory: a non-canonical address is worth a warning.
    pub const UACCESS: u32 = 3;
    /// A `wrmsr` that ought not to fault: reported once, skipped.
    pub const WRMSR: u32 = 8;
    /// A `rdmsr` that ought not to fault: reported once, reads as 0.
    pub const RDMSR: u32 = 9;
    /// A `wrmsr` with `-EIO` in the given register on a fault.
    pub const WRMSR_SAFE: u32 = 10;
    /// A `rdmsr` with `-EIO` in the given register on a fault.
    pub const RDMSR_SAFE: u32 = 11;
    /// Goes on with the immediate, sign-extended, in the given register.
    pub const IMM_REG: u32 = 17;
}

/// Flags in bits 15:12 of the data.
const FLAG_CLEAR_AX: u32 = 1 << 12;
const FLAG_CLEAR_DX: u32 = 2 << 12;

const ENTRY_SIZE: usize = size_of::<ExceptionTableEntry>();

impl ExceptionTableEntry {
    /// The address of the instruction. Fields are relative: an entry means something only where it lies in its table.
    fn insn_address(&self) -> usize {
        (&raw const self.insn).addr().wrapping_add_signed(self.insn as isize)
    }

    fn fixup_address(&self) -> usize {
        (&raw const self.fixup).addr().wrapping_add_signed(self.fixup as isize)
    }

    fn kind(&self) -> u32 {
        self.data & 0xff
    }

    fn register(&self) -> u8 {
        (self.data >> 8 & 0xf) as u8
    }

    /// The immediate, sign-extended.
    fn immediate(&self) -> u64 {
        i64::from((self.data as i32) >> 16) as u64
    }
}

/// Finds the entry of the instruction at `ip` among `count` entries sorted by address.
///
/// Every access through [`copy_from_kernel_nofault`](super::maccess::copy_from_kernel_nofault) that fails passes here, so the steps have no branch that depends
/// on the data: each halves what remains by a conditional move, towards the last entry whose instruction is not above `ip`.
///
/// # Safety
///
/// `first` must point to `count` entries that stay unchanged as long as the result is used.
unsafe fn search<'a>(first: *const ExceptionTableEntry, count: usize, ip: usize) -> Option<&'a ExceptionTableEntry> {
    let instruction = |entry: usize| {
        // SAFETY: only entries between the first and the last are asked for. The first field is an entry's address to its instruction's.
        let distance = unsafe { core::ptr::with_exposed_provenance::<i32>(entry).read() };
        entry.wrapping_add_signed(distance as isize)
    };
    let not_above = |candidate: usize, entry: usize| core::hint::select_unpredictable(instruction(candidate) <= ip, candidate, entry);
    // The largest power of two not above `count`, once from the front and once from the back, covers all; behind this step that many remain.
    let mut remaining = (1 << count.checked_ilog2()?) * ENTRY_SIZE;
    let mut entry = first.expose_provenance();
    entry = not_above(entry + count * ENTRY_SIZE - remaining, entry);
    while remaining >= 16 * ENTRY_SIZE {
        entry = not_above(entry + remaining / 2, entry);
        entry = not_above(entry + remaining / 4, entry);
        entry = not_above(entry + remaining / 8, entry);
        entry = not_above(entry + remaining / 16, entry);
        remaining /= 16;
    }
    while remaining > ENTRY_SIZE {
        remaining /= 2;
        entry = not_above(entry + remaining, entry);
    }
    // SAFETY: as for the steps.
    (instruction(entry) == ip).then(|| unsafe { &*core::ptr::with_exposed_provenance(entry) })
}

/// Finds what the kernel knows of a fault at `ip`: Linux's `search_exception_tables`. Tables of loadable code would be asked here too.
#[must_use]
pub fn search_exception_tables(ip: usize) -> Option<&'static ExceptionTableEntry> {
    let range = match INDEX.get() {
        Some(index) => index.narrow(ip)?,
        None => 0..EX_TABLE.len(),
    };
    // SAFETY: the entries are the table's. It is kept as long as the kernel, and changes only in `sort_main_extable`.
    unsafe { search(first_entry().wrapping_add(range.start), range.len(), ip) }
}

fn first_entry() -> *const ExceptionTableEntry {
    core::ptr::with_exposed_provenance(EX_TABLE.start_address())
}

/// Lets the interrupted code go on if its instruction is known to fault: Linux's function of the same name.
#[inline]
pub fn fixup_exception(regs: &mut PtRegs, vector: Vector) -> bool {
    match search_exception_tables(regs.ip as usize) {
        Some(entry) => apply(entry, regs, vector),
        None => false,
    }
}

#[inline]
fn apply(entry: &ExceptionTableEntry, regs: &mut PtRegs, vector: Vector) -> bool {
    match entry.kind() {
        kind::IMM_REG => *regs.gp_mut(entry.register()) = entry.immediate(),
        kind::DEFAULT => {}
        kind::FAULT => regs.ax = vector as u64,
        other => return apply_rare(other, entry, regs, vector),
    }
    resume(entry, regs)
}

fn resume(entry: &ExceptionTableEntry, regs: &mut PtRegs) -> bool {
    if entry.data & FLAG_CLEAR_AX != 0 {
        regs.ax = 0;
    }
    if entry.data & FLAG_CLEAR_DX != 0 {
        regs.dx = 0;
    }
    regs.ip = entry.fixup_address() as u64;
    true
}

/// The types that report something, or that no attribute of ours makes.
#[cold]
fn apply_rare(kind: u32, entry: &ExceptionTableEntry, regs: &mut PtRegs, vector: Vector) -> bool {
    let (msr, ip) = (regs.cx as u32, regs.ip);
    match kind {
        kind::UACCESS if vector == Vector::GeneralProtection => {
            crate::warn_once!("General protection fault in user access. Non-canonical address?");
        }
        kind::UACCESS => {}
        kind::WRMSR => pr_warn_once!(
            "unchecked MSR access error: WRMSR to {msr:#x} (tried to write 0x{:08x}{:08x}) at rIP: {ip:#x} ({})",
            regs.dx as u32,
            regs.ax as u32,
            crate::panic::Symbol(ip as usize)
        ),
        kind::RDMSR => pr_warn_once!(
            "unchecked MSR access error: RDMSR from {msr:#x} at rIP: {ip:#x} ({})",
            crate::panic::Symbol(ip as usize)
        ),
        kind::WRMSR_SAFE | kind::RDMSR_SAFE => *regs.gp_mut(entry.register()) = Errno::EIO.to_ret() as u64,
        // A type that the kernel does not know cannot be trusted to mean "go on".
        _ => return false,
    }
    if matches!(kind, kind::RDMSR | kind::RDMSR_SAFE) {
        (regs.ax, regs.dx) = (0, 0);
    }
    resume(entry, regs)
}

/// Where to begin in the table; none before `sort_main_extable`.
static INDEX: Once<Index> = Once::new();

/// Linux's flag of the same name: cleared by the post-link step once it has sorted the table.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "the name is known to tools")]
static main_extable_sort_needed: AtomicU32 = AtomicU32::new(1);

/// Sorts the table unless the build did, which it always does, and indexes it: Linux's stage of the same name.
///
/// The seal of the image says whether the table is sorted. An image that was linked but not sealed boots too, a few hundred microseconds later.
#[stage(after(crate::printk::setup::setup_log_buf))]
#[init]
pub fn sort_main_extable() {
    if main_extable_sort_needed.load(Relaxed) != 0 && !EX_TABLE.is_empty() {
        pr_notice!("Sorting __ex_table...");
        if let Err(error) = sort_main() {
            panic!("__ex_table is not sorted and cannot be made writable ({error})");
        }
        main_extable_sort_needed.store(0, Relaxed);
    }
    let addresses = (0..EX_TABLE.len()).map(|index| EX_TABLE.get(index).map_or(0, ExceptionTableEntry::insn_address));
    if let Some(index) = Index::new(addresses) {
        INDEX.call_once(|| index);
    }
}

/// Sorts the kernel's own table, which is read-only but for this moment.
#[init]
fn sort_main() -> Result<(), Errno> {
    let first_page = EX_TABLE.start_address() & !(PAGE_SIZE - 1);
    let pages = (EX_TABLE.end_address() - first_page).div_ceil(PAGE_SIZE);
    set_memory::set_memory_rw(first_page, pages)?;
    // SAFETY: the table is writable now, nothing else runs, and no fault is being handled.
    unsafe { sort(first_entry().cast_mut(), EX_TABLE.len()) };
    set_memory::set_memory_ro(first_page, pages)
}

/// Sorts `count` entries by the address of their instructions (heap sort: in place, and no input makes it slow).
///
/// # Safety
///
/// `first` must point to `count` writable entries that nothing else uses meanwhile.
#[init]
unsafe fn sort(first: *mut ExceptionTableEntry, count: usize) {
    // SAFETY: the indices below are all less than `count`.
    let key = |index: usize| unsafe { (*first.add(index)).insn_address() };
    let sift_down = |mut parent: usize, end: usize| {
        while let Some(left) = (2 * parent + 1 < end).then_some(2 * parent + 1) {
            let child = if left + 1 < end && key(left + 1) > key(left) {
                left + 1
            } else {
                left
            };
            if key(child) <= key(parent) {
                break;
            }
            // SAFETY: both are entries of the table.
            unsafe { swap(first.add(parent), first.add(child)) };
            parent = child;
        }
    };
    for parent in (0..count / 2).rev() {
        sift_down(parent, count);
    }
    for end in (1..count).rev() {
        // SAFETY: both are entries of the table.
        unsafe { swap(first, first.add(end)) };
        sift_down(0, end);
    }
}

/// Exchanges two entries, keeping what their relative fields point to.
///
/// # Safety
///
/// Both must be writable entries.
#[init]
unsafe fn swap(a: *mut ExceptionTableEntry, b: *mut ExceptionTableEntry) {
    // Entries of one table are within 2 GiB of each other: the linker checks the fields themselves.
    let distance = b.addr().wrapping_sub(a.addr()) as i32;
    let rebased = |entry: &ExceptionTableEntry, by: i32| ExceptionTableEntry {
        insn: entry.insn.wrapping_add(by),
        fixup: entry.fixup.wrapping_add(by),
        data: entry.data,
    };
    // SAFETY: the caller vouches for both.
    unsafe {
        let moved_to_a = rebased(&*b, distance);
        let moved_to_b = rebased(&*a, distance.wrapping_neg());
        a.write(moved_to_a);
        b.write(moved_to_b);
    }
}

const _: () = assert!(ENTRY_SIZE == 12 && offset_of!(ExceptionTableEntry, data) == 8);

mod tests;

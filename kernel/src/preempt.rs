//! The preempt count: why this CPU may not switch tasks now.
//!
//! The word has Linux's fields: bits 0–7 count nested [`disable`]s, 8–15 softirqs, 16–19 hard interrupts, 20–23 non-maskable ones. The boot thread starts
//! with a count of one, as Linux's does: there is nothing to switch to before the scheduler.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use crate::prelude::*;

/// One nested [`disable`].
pub const PREEMPT_OFFSET: u32 = 1;
/// One softirq.
pub const SOFTIRQ_OFFSET: u32 = 1 << 8;
/// One hard interrupt.
pub const HARDIRQ_OFFSET: u32 = 1 << 16;
/// One non-maskable interrupt, or another exception that can come anywhere.
pub const NMI_OFFSET: u32 = 1 << 20;

const PREEMPT_MASK: u32 = 0xff;
const SOFTIRQ_MASK: u32 = 0xff << 8;
const HARDIRQ_MASK: u32 = 0xf << 16;
const NMI_MASK: u32 = 0xf << 20;

/// The count of the boot thread before the scheduler: Linux's `INIT_PREEMPT_COUNT`.
const INIT_PREEMPT_COUNT: u32 = PREEMPT_OFFSET;

#[percpu]
static PREEMPT_COUNT: AtomicU32 = AtomicU32::new(INIT_PREEMPT_COUNT);

/// The whole word.
#[inline]
#[must_use]
pub fn count() -> u32 {
    PREEMPT_COUNT.this_cpu_read()
}

/// Sets the whole word: for the initcall loop, which repairs what an initcall left behind.
#[inline]
pub fn set_count(count: u32) {
    PREEMPT_COUNT.this_cpu_write(count);
}

/// Adds to one of the fields.
#[inline]
pub fn add(offset: u32) {
    PREEMPT_COUNT.this_cpu_add(offset);
    compiler_fence(Ordering::SeqCst);
}

/// Takes from one of the fields what [`add`] added.
#[inline]
pub fn sub(offset: u32) {
    compiler_fence(Ordering::SeqCst);
    PREEMPT_COUNT.this_cpu_add(offset.wrapping_neg());
}

/// Keeps the caller on this CPU until the matching [`enable`].
#[inline]
pub fn disable() {
    add(PREEMPT_OFFSET);
}

/// Undoes one [`disable`].
#[inline]
pub fn enable() {
    sub(PREEMPT_OFFSET);
}

/// Whether an interrupt, a softirq or an exception that can come anywhere is being handled.
#[inline]
#[must_use]
pub fn in_interrupt() -> bool {
    count() & (SOFTIRQ_MASK | HARDIRQ_MASK | NMI_MASK) != 0
}

/// Whether an exception that can come anywhere is being handled: what it has interrupted may be half done.
#[inline]
#[must_use]
pub fn in_nmi() -> bool {
    count() & NMI_MASK != 0
}

/// Whether what this CPU runs, or what an interrupt has interrupted here, holds a lock or keeps itself from being preempted otherwise.
#[inline]
#[must_use]
pub fn is_holding_locks() -> bool {
    count() & PREEMPT_MASK != INIT_PREEMPT_COUNT
}

/// Whether [`might_sleep`] has nothing to say. Before interrupts come for the first time it may have nothing to say all the same.
#[inline]
#[must_use]
pub fn may_sleep() -> bool {
    !cfg!(CONFIG_DEBUG_ATOMIC_SLEEP) || (count() == INIT_PREEMPT_COUNT && !crate::irq::irqs_disabled())
}

/// Says that the caller may be put to sleep, and reports if it must not be: Linux's `might_sleep`. Nothing without `CONFIG_DEBUG_ATOMIC_SLEEP`.
///
/// What forbids it is a lock, a guard of preemption, an interrupt, or that interrupts are off: that does not count before they come for the first time.
#[inline]
#[track_caller]
pub fn might_sleep() {
    if !may_sleep() {
        report_atomic_sleep(core::panic::Location::caller());
    }
}

#[cold]
fn report_atomic_sleep(place: &core::panic::Location<'_>) {
    if count() == INIT_PREEMPT_COUNT && !crate::init::stage::interrupts_have_come() {
        return;
    }
    pr_err!("BUG: sleeping function called from invalid context at {place}");
    pr_err!(
        "in_atomic(): {}, irqs_disabled(): {}, non_block: 0, pid: {}, name: {}",
        u8::from(count() != INIT_PREEMPT_COUNT),
        u8::from(crate::irq::irqs_disabled()),
        crate::panic::task::pid(),
        crate::panic::task::comm()
    );
    pr_err!("preempt_count: {:x}, expected: {INIT_PREEMPT_COUNT:x}", count());
    crate::arch::x86::dumpstack::dump_stack();
    crate::panic::taint::add(crate::panic::taint::Taint::Warn);
}

/// Keeps the caller on this CPU for as long as it lives.
pub struct PreemptGuard(PhantomData<*mut ()>);

impl PreemptGuard {
    /// [`disable`]s preemption until the guard is dropped.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        disable();
        PreemptGuard(PhantomData)
    }
}

impl Default for PreemptGuard {
    fn default() -> Self {
        PreemptGuard::new()
    }
}

impl Drop for PreemptGuard {
    #[inline]
    fn drop(&mut self) {
        enable();
    }
}

#[ktest]
fn guards_nest_and_leave_the_count_as_it_was() {
    let before = count();
    {
        let _outer = PreemptGuard::new();
        let _inner = PreemptGuard::new();
        assert_eq!(count(), before + 2 * PREEMPT_OFFSET);
    }
    assert_eq!(count(), before);
}

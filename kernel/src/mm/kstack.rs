//! Kernel stacks: each with unmapped pages below and above, so that who runs over one faults at once, and the report says whose stack it was.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::page_alloc::Gfp;
use super::sections::Section;
use super::vmalloc;
use crate::prelude::*;

/// Bytes of a kernel stack, and what its address is a multiple of: Linux's `THREAD_SIZE`.
pub const THREAD_SIZE: usize = 16 << 10;

/// Stacks that there are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Bytes of all kernel stacks: Linux's `KernelStack` of `/proc/meminfo`.
#[must_use]
pub fn stack_bytes() -> usize {
    COUNT.load(Relaxed) * THREAD_SIZE
}

/// A stack that nobody runs on. Dropping it gives it back.
pub struct KernelStack {
    memory: NonNull<u8>,
}

// SAFETY: owning the stack is owning its memory, which every CPU reaches by the same addresses.
unsafe impl Send for KernelStack {}

impl KernelStack {
    /// An empty stack.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    #[inline(never)]
    pub fn new() -> Result<KernelStack, Errno> {
        let memory = vmalloc::vmalloc_aligned(THREAD_SIZE, THREAD_SIZE, Gfp::KERNEL | Gfp::ZERO);
        let memory = memory.ok_or(Errno::ENOMEM)?;
        COUNT.fetch_add(1, Relaxed);
        Ok(KernelStack { memory })
    }

    /// Its addresses.
    #[must_use]
    pub fn section(&self) -> Section {
        let start = self.memory.as_ptr().expose_provenance();
        Section::between(start, start + THREAD_SIZE)
    }

    /// Its addresses, for who runs on it and never comes back.
    #[must_use]
    pub fn leak(self) -> Section {
        core::mem::ManuallyDrop::new(self).section()
    }
}

impl Drop for KernelStack {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Relaxed);
        // SAFETY: whoever ran on the stack would own it.
        unsafe { vmalloc::vfree(self.memory) };
    }
}

#[ktest]
fn a_stack_has_a_guard_page_on_either_side() {
    use crate::arch::x86::mm::pgtable::lookup;
    let stack = KernelStack::new().expect("memory").section();
    let (begin, end) = (stack.start_address(), stack.end_address());
    assert!(begin.is_multiple_of(THREAD_SIZE) && stack.len() == THREAD_SIZE);
    assert!([begin - 1, end].map(lookup).iter().flatten().all(|(entry, _)| !entry.is_present()));
}

#[ktest]
fn init_runs_on_a_stack_of_its_own() {
    let here = 0_u8;
    let stack = crate::arch::x86::process::task_stack();
    assert!(stack.contains((&raw const here).addr()));
    assert!(vmalloc::is_vmalloc_addr(stack.start_address()));
}

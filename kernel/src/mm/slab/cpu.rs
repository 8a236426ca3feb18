//! A CPU's part of a cache: a list of free objects, and the slab that they are of.

use core::arch::asm;
use core::ptr;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use incipit_lib::slub::{CpuWord, Link};

use super::pages::Slab;
use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::percpu::{self, PerCpuBox};
use crate::prelude::*;

const _: () = assert!(NR_CPUS <= incipit_lib::slub::word::MAX_CPUS);

/// What a CPU has of a cache.
#[repr(C, align(16))]
pub struct CpuSlab {
    /// The free objects.
    word: AtomicU64,
    /// The slab, as [`Slab::raw`] has it.
    slab: AtomicUsize,
}

/// The parts of all CPUs, as the address that a CPU's GS base is added to.
#[derive(Debug, Clone, Copy)]
pub struct CpuSlabs(*mut CpuSlab);

impl CpuSlabs {
    /// None: for a cache that is not open yet.
    pub const NONE: CpuSlabs = CpuSlabs(ptr::null_mut());

    /// Allocates them.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<CpuSlabs, Errno> {
        let parts = percpu::alloc_percpu_with(|cpu| CpuSlab {
            word: AtomicU64::new(CpuWord::new(cpu).bits()),
            slab: AtomicUsize::new(Slab::NONE.raw()),
        })?;
        Ok(CpuSlabs(parts.into_raw().as_ptr()))
    }

    /// Gives them back.
    ///
    /// # Safety
    ///
    /// Nobody may use the cache any more.
    pub unsafe fn free(self) {
        if let Some(parts) = ptr::NonNull::new(self.0) {
            // SAFETY: they came from `into_raw` in `new`, and the caller gives them up.
            drop(unsafe { PerCpuBox::from_raw(parts) });
        }
    }

    /// This CPU's part.
    #[inline]
    pub fn this_cpu(self) -> &'static CpuSlab {
        // SAFETY: what was allocated for a cache lives as long as the cache, which the caller uses; all its fields are atomics.
        unsafe { &*percpu::this_cpu_ptr_of(self.0) }
    }

    /// Sets this CPU's word to `new` if it is `old`: one instruction, atomic towards what else happens on the CPU.
    #[inline]
    pub fn exchange_word(self, old: CpuWord, new: CpuWord) -> bool {
        // SAFETY: GS base and address add up to this CPU's part, whose first field is the word; other CPUs only read it, so no lock prefix is needed.
        unsafe {
            asm!("cmpxchg qword ptr gs:[{part}], {new}", "jne {changed}",
                part = in(reg) self.0, new = in(reg) new.bits(), inout("rax") old.bits() => _, changed = label { return false }, options(nostack));
        }
        true
    }
}

impl CpuSlab {
    /// The word.
    #[inline]
    pub fn word(&self) -> CpuWord {
        CpuWord::from_bits(self.word.load(Relaxed))
    }

    /// The slab.
    #[inline]
    pub fn slab(&self) -> Slab {
        Slab::from_raw(self.slab.load(Relaxed))
    }

    /// Changes both. Only for the CPU's own part, with interrupts off.
    pub fn set(&self, word: CpuWord, slab: Slab) {
        self.word.store(word.bits(), Relaxed);
        self.slab.store(slab.raw(), Relaxed);
    }
}

/// The link that a free object holds `place` bytes behind its start; any, if there is no memory there any more.
///
/// A caller that was interrupted between finding the object and looking at it may look at memory that has been given back meanwhile; its exchange fails then.
#[exception_entry]
#[inline]
pub fn read_link(object: usize, place: usize) -> Link {
    let link: usize;
    // SAFETY: reads memory of the kernel, or faults and ends behind the instruction.
    unsafe {
        asm!(
            may_fault!("mov edx, dword ptr [{object} + rdx]"),
            object = in(reg) object,
            error = inout("rdx") place => link,
            options(nostack, readonly, preserves_flags),
        );
    }
    Link::from_raw(link as u32)
}

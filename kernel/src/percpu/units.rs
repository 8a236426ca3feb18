//! The units of a chunk that is not the first: memory for each possible CPU, as far from each other as the template's copies are.

use arrayvec::ArrayVec;

use super::PER_CPU_OFFSET;
use crate::arch::x86::cpu::masks::{self, NR_CPUS};
use crate::mm::{numa, sections, vmalloc};
use crate::prelude::*;
use core::sync::atomic::Ordering::Relaxed;

/// Units, mapped for as long as this lives.
pub(super) struct Units {
    /// Where the lowest is.
    base: usize,
}

/// Where the template's copies are: the lowest one, and how far that of each possible CPU, with the node of the CPU, is from there.
fn places() -> (usize, ArrayVec<(usize, usize), NR_CPUS>) {
    let template = sections::percpu().start_address();
    let copy = |cpu: usize| template.wrapping_add(PER_CPU_OFFSET[cpu].load(Relaxed));
    let lowest = masks::POSSIBLE.iter().map(copy).min().unwrap_or(template);
    let place = |cpu| (copy(cpu) - lowest, numa::cpu_to_node(cpu));
    (lowest, masks::POSSIBLE.iter().map(place).collect())
}

impl Units {
    /// Units of `size` bytes, a multiple of a page, that hold zeros.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(size: usize) -> Result<Units, Errno> {
        let (_, places) = places();
        vmalloc::get_vm_areas(&places, size).map(|base| Units { base })
    }

    /// Their address in the template's terms: a CPU's offset leads from here to its unit.
    pub(super) fn template(&self) -> usize {
        let (lowest, _) = places();
        self.base.wrapping_sub(lowest).wrapping_add(sections::percpu().start_address())
    }
}

impl Drop for Units {
    fn drop(&mut self) {
        let (_, places) = places();
        // SAFETY: what was allocated in the units kept the chunk alive that owns them.
        unsafe { vmalloc::free_vm_areas(self.base, &places) };
    }
}

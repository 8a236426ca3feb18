//! Room for per-CPU data that is allocated at run time: Linux's chunks.
//!
//! A chunk is a unit for each possible CPU, in which the same place is free or taken for all of them. Addresses are those of the template: what has address `a`
//! has its copies where the offsets of the CPUs lead from `a`.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use incipit_lib::percpu::layout::MIN_UNIT_SIZE;
use incipit_lib::percpu::map::{Map, words_for};

use super::PER_CPU_OFFSET;
use crate::irq::IrqMutex;
use crate::mm::{PAGE_SIZE, memblock, virt_to_phys};
use crate::prelude::*;

/// The bitmaps of a chunk.
pub(super) enum Words {
    /// In whole pages from memblock, as those of the first chunk are at the beginning.
    Boot(&'static mut [u64]),
    /// On the heap.
    Heap(Vec<u64>),
}

impl Deref for Words {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        match self {
            Words::Boot(words) => words,
            Words::Heap(words) => words,
        }
    }
}

impl DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u64] {
        match self {
            Words::Boot(words) => words,
            Words::Heap(words) => words,
        }
    }
}

/// Units of all CPUs.
struct Chunk {
    /// The address, in the template's terms, of the units' first byte.
    base: usize,
    /// What of a unit is taken.
    map: Map<Words>,
}

/// All chunks; the first one has the template's copies.
static CHUNKS: IrqMutex<Vec<Chunk>> = IrqMutex::new(Vec::new());

/// Adds the first chunk, whose units begin where the template's copies do, with what the map says is free.
#[init]
pub(super) fn add_first(base: usize, map: Map<Words>) -> Result<(), Errno> {
    let mut chunks = CHUNKS.lock();
    chunks.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    chunks.push(Chunk { base, map });
    Ok(())
}

/// Moves the first chunk's map to the heap, and gives memblock's pages back. Without memory it stays where it is.
#[init]
pub(super) fn move_first_map() {
    let mut chunks = CHUNKS.lock();
    let Some(first) = chunks.first_mut() else { return };
    let mut words = Vec::new();
    let len = words_for(first.map.used_bytes() + first.map.free_bytes());
    if words.try_reserve_exact(len).is_err() {
        return;
    }
    words.resize(len, 0);
    if let Words::Boot(pages) = first.map.move_to(Words::Heap(words)) {
        let phys = virt_to_phys(pages.as_ptr().cast());
        let given_back = memblock::free(phys, size_of_val(pages).next_multiple_of(PAGE_SIZE) as u64);
        debug_assert!(given_back.is_ok(), "the pages are a reservation of their own");
    }
}

/// Bytes of a unit that are taken by allocations, the sum over all chunks.
#[must_use]
pub fn used_bytes() -> usize {
    CHUNKS.lock().iter().map(|chunk| chunk.map.used_bytes()).sum()
}

/// Where the copy of `cpu` is of what [`alloc`] gave the address `address`.
pub(super) fn copy_at(address: usize, cpu: usize) -> *mut u8 {
    let offset = PER_CPU_OFFSET
        .get(cpu)
        .map_or(0, |offset| offset.load(core::sync::atomic::Ordering::Relaxed));
    core::ptr::with_exposed_provenance_mut(address.wrapping_add(offset))
}

/// Takes `size` bytes aligned to `align` for each possible CPU. They hold whatever they held.
///
/// # Errors
///
/// `EINVAL` for no bytes, for more than [`MIN_UNIT_SIZE`], and for an alignment beyond a page, all with a warning; `ENOMEM`.
pub(super) fn alloc(size: usize, align: usize) -> Result<usize, Errno> {
    if size == 0 || size > MIN_UNIT_SIZE || align > PAGE_SIZE {
        warn!("illegal size ({size}) or align ({align}) for percpu allocation");
        return Err(Errno::EINVAL);
    }
    let place = |chunk: &mut Chunk| chunk.map.alloc(size, align).map(|place| chunk.base.wrapping_add(place));
    let address = CHUNKS.lock().iter_mut().find_map(place);
    if address.is_none() {
        pr_warn!("percpu: allocation failed, size={size} align={align} atomic=0, failed to allocate new chunk");
    }
    address.ok_or(Errno::ENOMEM)
}

/// Gives back what [`alloc`] gave.
///
/// # Safety
///
/// Nobody may use the copies any more.
pub(super) unsafe fn free(address: usize) {
    let mut chunks = CHUNKS.lock();
    let freed = chunks.iter_mut().find_map(|chunk| chunk.map.free(address.wrapping_sub(chunk.base)));
    warn_on!(freed.is_none(), "free_percpu: {address:#x} was not allocated");
}

//! Room for per-CPU data that is allocated at run time: Linux's chunks.
//!
//! A chunk is a unit for each possible CPU, in which the same place is free or taken for all of them. Addresses are those of the template: what has address `a`
//! has its copies where the offsets of the CPUs lead from `a`. The first chunk is the template's own; others get addresses among those of `vmalloc`, as far from
//! each other as the first one's units are, and pages of the CPUs' nodes. They go when they are empty, but for one.

use core::ops::{Deref, DerefMut};

use incipit_lib::percpu::layout::MIN_UNIT_SIZE;
use incipit_lib::percpu::map::{Map, words_for};

use super::copy_of;
use super::units::Units;
use crate::arch::x86::cpu::masks::POSSIBLE;
use crate::locking::IrqSpinLock;
use crate::mm::slab::KVec;
use crate::mm::{PAGE_SIZE, memblock, virt_to_phys};
use crate::prelude::*;

/// The bitmaps of a chunk.
pub(super) enum Words {
    /// In whole pages from memblock, as those of the first chunk are at the beginning.
    Boot(&'static mut [u64]),
    /// On the heap.
    Heap(KVec<u64>),
}

impl Words {
    /// As many on the heap.
    fn on_heap(len: usize) -> Result<Words, Errno> {
        let mut words = KVec::new();
        words.resize_with(len, || 0)?;
        Ok(Words::Heap(words))
    }
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
    /// What keeps the units mapped; the first chunk's are for good.
    units: Option<Units>,
}

/// All chunks; the first one has the template's copies.
static CHUNKS: IrqSpinLock<KVec<Chunk>> = IrqSpinLock::new(KVec::new());

impl Chunk {
    /// A chunk of its own, with units of [`MIN_UNIT_SIZE`] bytes: what the largest allocation takes.
    fn new() -> Result<Chunk, Errno> {
        let units = Units::new(MIN_UNIT_SIZE)?;
        Ok(Chunk {
            base: units.template(),
            map: Map::new(Words::on_heap(words_for(MIN_UNIT_SIZE))?, 0..MIN_UNIT_SIZE),
            units: Some(units),
        })
    }

    /// Whether it can go.
    fn is_idle(&self) -> bool {
        self.units.is_some() && self.map.used_bytes() == 0
    }
}

/// Adds a chunk. Memory for a longer list is taken while nobody waits for the lock.
fn push(chunk: Chunk) -> Result<(), Errno> {
    let mut longer = KVec::new();
    loop {
        let wanted = {
            let mut chunks = CHUNKS.lock();
            if longer.capacity() > chunks.len() {
                longer.append(&mut chunks)?;
                core::mem::swap(&mut *chunks, &mut longer);
            }
            if chunks.capacity() > chunks.len() {
                return chunks.push(chunk);
            }
            2 * chunks.len() + 4
        };
        // The last one is either empty, or too short by now.
        longer = KVec::with_capacity(wanted)?;
    }
}

/// Adds the first chunk, whose units begin where the template's copies do, with what the map says is free.
#[init]
pub(super) fn add_first(base: usize, map: Map<Words>) -> Result<(), Errno> {
    push(Chunk { base, map, units: None })
}

/// Moves the first chunk's map to the heap, and gives memblock's pages back. Without memory it stays where it is.
#[init]
pub(super) fn move_first_map() {
    let len = CHUNKS
        .lock()
        .first()
        .map(|first| words_for(first.map.used_bytes() + first.map.free_bytes()));
    let Some(Ok(words)) = len.map(Words::on_heap) else { return };
    let replaced = CHUNKS.lock().first_mut().map(|first| first.map.move_to(words));
    if let Some(Words::Boot(pages)) = replaced {
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

/// Bytes of all copies of all chunks: Linux's `Percpu` of `/proc/meminfo`.
#[must_use]
pub fn bytes() -> usize {
    let unit: usize = CHUNKS
        .lock()
        .iter()
        .map(|chunk| chunk.map.used_bytes() + chunk.map.free_bytes())
        .sum();
    unit * POSSIBLE.weight()
}

/// How many chunks there are.
#[must_use]
pub fn count() -> usize {
    CHUNKS.lock().len()
}

/// Where the copy of `cpu` is of what [`alloc()`] gave the address `address`.
pub(super) fn copy_at(address: usize, cpu: usize) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut(copy_of(core::ptr::without_provenance::<u8>(address), cpu).addr())
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
    loop {
        let place = |chunk: &mut Chunk| chunk.map.alloc(size, align).map(|place| chunk.base.wrapping_add(place));
        if let Some(address) = CHUNKS.lock().iter_mut().find_map(place) {
            return Ok(address);
        }
        if let Err(error) = Chunk::new().and_then(push) {
            pr_warn_ratelimited!("percpu: allocation failed, size={size} align={align} atomic=0, failed to allocate new chunk");
            return Err(error);
        }
    }
}

/// Gives back what [`alloc()`] gave.
///
/// # Safety
///
/// Nobody may use the copies any more.
pub(super) unsafe fn free(address: usize) {
    let mut chunks = CHUNKS.lock();
    let freed = chunks.iter_mut().find_map(|chunk| chunk.map.free(address.wrapping_sub(chunk.base)));
    // One that is idle stays, for the next allocation.
    let is_spare = chunks.iter().filter(|chunk| chunk.is_idle()).count() > 1;
    let spare = is_spare.then(|| chunks.iter().rposition(Chunk::is_idle)).flatten();
    let removed = spare.map(|spare| chunks.remove(spare));
    drop(chunks);
    // Its pages go when nobody waits for the lock.
    drop(removed);
    warn_on!(freed.is_none(), "free_percpu: {address:#x} was not allocated");
}

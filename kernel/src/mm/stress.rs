//! Everything that gives memory, used by turns in an order that nobody would write down, and nothing lost at the end.
//!
//! Four users take and free by turns, each what any of them took. Every block is marked at both ends with what it is, and looked at before it is freed: a block
//! that was given out twice, or whose end is another's beginning, has a wrong mark.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::page_alloc::{alloc_pages, drain_all_pages, free_pages, free_pages_and_traces};
use super::slab::{KVec, kfree, kmalloc, shrink_all};
use super::vmalloc::{vfree, vm_unmap_aliases, vmalloc};
use super::{Gfp, PAGE_SIZE, page};
use crate::prelude::*;

/// How many operations the test makes; with every checker on, each takes ten times as long as without.
#[param(name = "operations", module = "mm_stress")]
static OPERATIONS: AtomicU64 = AtomicU64::new(10_000_000);
/// How many blocks may live at once.
const SLOTS: usize = 1024;
/// Users that take turns, as CPUs would.
const USERS: u64 = 4;

/// The generator of the sequence: xorshift, from a seed of its own, so that a failure comes again.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Where a block is from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Pages(u32),
    Slab,
    Vmalloc,
    Heap,
}

/// A block, and the mark that it must have.
struct Block {
    source: Source,
    address: NonNull<u8>,
    size: usize,
    mark: u64,
}

impl Block {
    fn take(sequence: &mut Sequence, mark: u64) -> Option<Block> {
        let (source, size) = match sequence.below(16) {
            0..3 => {
                let order = sequence.below(5) as u32;
                (Source::Pages(order), PAGE_SIZE << order)
            }
            3 => (Source::Vmalloc, 16 + sequence.below(8 * PAGE_SIZE as u64) as usize),
            4..7 => (Source::Heap, 16 + sequence.below(4096) as usize),
            _ => {
                let limit = 1 << (4 + sequence.below(11));
                (Source::Slab, 16 + sequence.below(limit) as usize)
            }
        };
        let address = match source {
            Source::Pages(order) => NonNull::new(page::page_address(alloc_pages(Gfp::NOWAIT | Gfp::NOWARN, order)?)),
            Source::Slab => kmalloc(size, Gfp::NOWAIT | Gfp::NOWARN),
            Source::Vmalloc => vmalloc(size),
            // SAFETY: the size is not 0.
            Source::Heap => NonNull::new(unsafe { alloc::alloc::alloc(layout(size)) }),
        }?;
        let block = Block {
            source,
            address,
            size,
            mark,
        };
        for place in block.ends() {
            // SAFETY: both words lie in the block, which is ours.
            unsafe { place.write_unaligned(mark) };
        }
        Some(block)
    }

    /// The first and the last word.
    fn ends(&self) -> [NonNull<u64>; 2] {
        // SAFETY: no block is shorter than two words.
        let last = unsafe { self.address.add(self.size - size_of::<u64>()) };
        [self.address.cast(), last.cast()]
    }

    /// Looks at the marks, and gives the block back.
    fn free(self) {
        for place in self.ends() {
            // SAFETY: as in `take`.
            let found = unsafe { place.read_unaligned() };
            assert_eq!(
                found, self.mark,
                "{:?}, {} bytes at {:p}, belongs to another",
                self.source, self.size, self.address
            );
        }
        // SAFETY: the block is from this source, of this size, and nobody else knows of it.
        unsafe {
            match self.source {
                Source::Pages(order) => free_pages(page::virt_to_page(self.address.as_ptr()), order),
                Source::Slab => kfree(self.address),
                Source::Vmalloc => vfree(self.address),
                Source::Heap => alloc::alloc::dealloc(self.address.as_ptr(), layout(self.size)),
            }
        }
    }
}

fn layout(size: usize) -> core::alloc::Layout {
    core::alloc::Layout::from_size_align(size, 8).expect("a small size")
}

/// Pages that are free when what is kept back for later is given back, too.
fn free_for_good() -> u64 {
    shrink_all();
    vm_unmap_aliases();
    drain_all_pages();
    free_pages_and_traces()
}

/// The users take and free by turns, and in the end free all. Says how often there was no memory.
fn run(operations: u64) -> u64 {
    let mut slots: [KVec<Option<Block>>; USERS as usize] =
        core::array::from_fn(|_| KVec::collect((0..SLOTS / USERS as usize).map(|_| None)).expect("memory"));
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    let mut failures = 0;
    for operation in 0..operations {
        let user = sequence.below(USERS) as usize;
        let slot = sequence.below(slots[user].len() as u64) as usize;
        if let Some(block) = slots[user][slot].take() {
            block.free();
            continue;
        }
        let block = Block::take(&mut sequence, operation | (user as u64) << 56);
        failures += u64::from(block.is_none());
        // Half of the blocks are freed by another user than took them.
        let owner = if operation % 2 == 0 { user } else { (user + 1) % USERS as usize };
        if let Some(old) = core::mem::replace(&mut slots[owner][slot], block) {
            old.free();
        }
    }
    slots
        .iter_mut()
        .flat_map(|slots| slots.iter_mut())
        .filter_map(Option::take)
        .for_each(Block::free);
    failures
}

#[ktest]
fn ten_million_operations_lose_nothing() {
    // What grows with use and stays, page tables and nodes of trees, has grown when the first half is done; the second is the same again.
    let operations = OPERATIONS.load(Relaxed);
    let failures = run(operations / 2);
    let before = free_for_good();
    assert_eq!(run(operations / 2), failures);
    assert_eq!(free_for_good(), before);
    assert!(
        failures <= operations / 100,
        "{failures} of {operations} operations found no memory"
    );
}

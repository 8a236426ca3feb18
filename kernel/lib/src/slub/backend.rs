//! What a cache stands on: memory, CPUs and locks, as the paths see them.

use super::{CpuWord, Link, Node, SlabWord};

/// A cache and the machine below it. Every method is about that cache.
///
/// "The CPU's" means the CPU that runs the caller at that moment. Outside of [`Backend::with_interrupts_off`] it can be another one from one call to the next.
pub trait Backend: Copy {
    /// A slab: the same value means the same slab.
    type Slab: Copy + PartialEq;
    /// A CPU's part of the cache.
    type Cpu: Copy;
    /// What is asked of memory for a new slab, and which node it is to be from.
    type Request: Copy;

    /// No slab.
    const NO_SLAB: Self::Slab;

    /// Empty slabs that a node keeps.
    fn min_partial(self) -> usize;

    /// The CPU's part.
    fn cpu(self) -> Self::Cpu;
    /// The word of a CPU's part.
    fn cpu_word(self, cpu: Self::Cpu) -> CpuWord;
    /// The slab of a CPU's part. Read after the word: if the CPU's word is still the same afterwards, the two belong together.
    fn cpu_slab(self, cpu: Self::Cpu) -> Self::Slab;
    /// Changes a CPU's part, its own, with interrupts off; the word must be one that it never had.
    fn set_cpu(self, cpu: Self::Cpu, word: CpuWord, slab: Self::Slab);
    /// Sets the CPU's word to `new` if it is `old`. Neither an interrupt nor a move to another CPU comes between; other CPUs never write the word.
    fn exchange_cpu_word(self, old: CpuWord, new: CpuWord) -> bool;
    /// Calls `f` while nothing else happens on the CPU.
    fn with_interrupts_off<R>(self, f: impl FnOnce() -> R) -> R;

    /// The word of a slab.
    fn slab_word(self, slab: Self::Slab) -> SlabWord;
    /// Sets a slab's word to `new` if it is `old`, atomically and ordered towards all CPUs: what was written to objects before is seen by who reads `new`.
    fn exchange_slab_word(self, slab: Self::Slab, old: SlabWord, new: SlabWord) -> bool;
    /// The link in the object at `offset` of a slab. A caller of the fast path may ask about a slab that is no longer the cache's, or about [`Backend::NO_SLAB`], and
    /// must get any answer instead of a fault.
    fn link(self, slab: Self::Slab, offset: usize) -> Link;
    /// Writes the link of the object at `offset`, which the caller owns.
    fn set_link(self, slab: Self::Slab, offset: usize, link: Link);

    /// The node that a slab's memory is of.
    fn node_of(self, slab: Self::Slab) -> usize;
    /// Whether a request can be met from memory of this slab's node.
    fn fits(self, request: Self::Request, slab: Self::Slab) -> bool;
    /// Calls `f` with the nodes that a request may be met from, nearest first, until it finds something.
    fn find_node<R>(self, request: Self::Request, f: impl FnMut(usize) -> Option<R>) -> Option<R>;
    /// Calls `f` with the lists of a node, whose lock is held meanwhile, with interrupts off.
    fn with_node<R>(self, node: usize, f: impl FnOnce(&mut Node<Self::Slab>) -> R) -> R;
    /// The slabs before and behind one that is on a list.
    fn neighbours(self, slab: Self::Slab) -> (Self::Slab, Self::Slab);
    /// Changes them.
    fn set_neighbours(self, slab: Self::Slab, previous: Self::Slab, next: Self::Slab);

    /// A slab of new memory, all its objects free and on its list, or nothing if there is no memory. May let interrupts in meanwhile.
    fn new_slab(self, request: Self::Request) -> Option<Self::Slab>;
    /// Gives the memory of a slab back that has no object in use and that nobody knows of any more.
    fn discard_slab(self, slab: Self::Slab);
}

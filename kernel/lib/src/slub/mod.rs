//! The slab allocator: objects of one size, cut from slabs of 2^n pages. Linux's SLUB.
//!
//! A slab belongs to one CPU at a time (it is *frozen*: only that CPU takes objects from it), or waits on its node's partial list, or is full and on no list.
//! The CPU's free objects are a list of their own, whose head is a word of the CPU's: taking one, and giving one back to the same slab, is one compare-and-exchange
//! of that word, without a lock and without the bus. Everybody else gives objects back to the slab's own list by a compare-and-exchange of the slab's word.
//!
//! [`word`] packs these words, [`geometry`] says how a slab is cut, [`alloc`](mod@alloc) and [`free`](mod@free) are the paths, [`list`] a node's lists, [`checked`]
//! the paths of a cache that is being debugged, whose objects all go by the node's lock. [`debug`] finds what was done to an object, [`options`] reads
//! `slub_debug=`. What memory, CPUs and locks are is the [`Backend`]'s.

pub mod alloc;
pub mod backend;
pub mod checked;
pub mod debug;
pub mod free;
pub mod geometry;
pub mod list;
pub mod options;
pub mod word;

pub use backend::Backend;
pub use geometry::{Geometry, Orders};
pub use list::Node;
pub use word::{CpuWord, Link, SlabWord};

#[cfg(test)]
mod tests;

//! The machine below a cache, as the algorithm sees it.

use incipit_lib::slub::{Backend, CpuWord, Link, Node, SlabWord};

use super::cache::KmemCache;
use super::cpu::{CpuSlab, read_link};
use super::pages::{self, Request, Slab};
use crate::irq::IrqGuard;
use crate::mm::{Gfp, numa};

impl Backend for &'static KmemCache {
    type Slab = Slab;
    type Cpu = &'static CpuSlab;
    type Request = Request;

    const NO_SLAB: Slab = Slab::NONE;

    #[inline]
    fn min_partial(self) -> usize {
        self.min_partial
    }

    #[inline]
    fn cpu(self) -> &'static CpuSlab {
        self.cpu.this_cpu()
    }

    #[inline]
    fn cpu_word(self, cpu: &'static CpuSlab) -> CpuWord {
        cpu.word()
    }

    #[inline]
    fn cpu_slab(self, cpu: &'static CpuSlab) -> Slab {
        cpu.slab()
    }

    fn set_cpu(self, cpu: &'static CpuSlab, word: CpuWord, slab: Slab) {
        cpu.set(word, slab);
    }

    #[inline]
    fn exchange_cpu_word(self, old: CpuWord, new: CpuWord) -> bool {
        self.cpu.exchange_word(old, new)
    }

    fn with_interrupts_off<R>(self, f: impl FnOnce() -> R) -> R {
        let _guard = IrqGuard::new();
        f()
    }

    fn slab_word(self, slab: Slab) -> SlabWord {
        slab.word()
    }

    fn exchange_slab_word(self, slab: Slab, old: SlabWord, new: SlabWord) -> bool {
        slab.exchange_word(old, new)
    }

    #[inline]
    fn link(self, slab: Slab, offset: usize) -> Link {
        read_link(slab.base().wrapping_add(offset), self.geometry.link as usize)
    }

    #[inline]
    fn set_link(self, slab: Slab, offset: usize, link: Link) {
        pages::write_link(self, slab, offset, link);
    }

    fn node_of(self, slab: Slab) -> usize {
        slab.page().node()
    }

    fn fits(self, request: Request, slab: Slab) -> bool {
        request.node.is_none_or(|nid| self.node_of(slab) == nid)
    }

    fn find_node<R>(self, request: Request, mut f: impl FnMut(usize) -> Option<R>) -> Option<R> {
        let nearest = request.node.unwrap_or_else(numa::numa_node_id);
        if let Some(found) = f(nearest) {
            return Some(found);
        }
        if request.node.is_some() || request.gfp.contains(Gfp::THISNODE) {
            return None;
        }
        numa::online_nodes().filter(|&nid| nid != nearest).find_map(f)
    }

    fn with_node<R>(self, nid: usize, f: impl FnOnce(&mut Node<Slab>) -> R) -> R {
        match self.node(nid) {
            Some(node) => f(&mut node.lists.lock()),
            // A node without memory of this cache has nothing on its lists.
            None => f(&mut Node::new()),
        }
    }

    fn neighbours(self, slab: Slab) -> (Slab, Slab) {
        (slab.previous(), slab.next())
    }

    fn set_neighbours(self, slab: Slab, previous: Slab, next: Slab) {
        slab.set_neighbours(previous, next);
    }

    fn new_slab(self, request: Request) -> Option<Slab> {
        pages::new_slab(self, request)
    }

    fn discard_slab(self, slab: Slab) {
        pages::discard(self, slab);
    }
}

//! A slab: pages cut into objects.

use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use incipit_lib::slub::{Link, SlabWord};

use super::cache::KmemCache;
#[cfg(CONFIG_SLUB_DEBUG)]
use crate::mm::PAGE_SIZE;
use crate::mm::page::{Page, PageFlags, page_address, page_to_pfn, pfn_to_page};
use crate::mm::{Gfp, PAGE_OFFSET, PAGE_SHIFT, page_alloc};

/// A slab, by the address that the number of a [`Link`] leads on from to an object: one below its first byte. 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slab(usize);

/// What is asked of memory for a slab.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// How.
    pub gfp: Gfp,
    /// On which node, if that matters.
    pub node: Option<usize>,
}

impl Slab {
    /// No slab.
    pub const NONE: Slab = Slab(0);

    /// The slab, or none, whose [`Slab::raw`] this is.
    #[inline]
    pub const fn from_raw(raw: usize) -> Slab {
        Slab(raw)
    }

    /// What words hold that say which slab it is.
    #[inline]
    pub const fn raw(self) -> usize {
        self.0
    }

    /// The slab of a page, the first of its block.
    #[inline]
    pub fn of(page: &'static Page) -> Slab {
        Slab(page_address(page).addr() - 1)
    }

    /// Where it begins.
    #[inline]
    pub const fn base(self) -> usize {
        self.0.wrapping_add(1)
    }

    /// Its first page. Not for [`Slab::NONE`].
    #[inline]
    pub fn page(self) -> &'static Page {
        pfn_to_page(((self.base() - PAGE_OFFSET) >> PAGE_SHIFT) as u64)
    }

    /// The object at an offset.
    #[inline]
    pub fn object(self, offset: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.base().wrapping_add(offset))
    }

    /// Where an object of it is.
    #[inline]
    pub fn offset_of(self, object: NonNull<u8>) -> usize {
        object.addr().get().wrapping_sub(self.base())
    }

    /// Its word.
    #[inline]
    pub fn word(self) -> SlabWord {
        SlabWord::from_bits(self.page().private.load(Acquire))
    }

    /// Sets its word if it is still `old`.
    #[inline]
    pub fn exchange_word(self, old: SlabWord, new: SlabWord) -> bool {
        self.page()
            .private
            .compare_exchange(old.bits(), new.bits(), AcqRel, Acquire)
            .is_ok()
    }

    /// Sets the word of a slab that nobody else uses.
    pub fn set_word(self, word: SlabWord) {
        self.page().private.store(word.bits(), Release);
    }

    /// The next slab of the list that it is on.
    pub fn next(self) -> Slab {
        Slab(self.page().next.load(Relaxed) as usize)
    }

    /// The slab before it.
    pub fn previous(self) -> Slab {
        Slab(self.page().prev.load(Relaxed) as usize)
    }

    /// Changes its neighbours.
    pub fn set_neighbours(self, previous: Slab, next: Slab) {
        let page = self.page();
        page.prev.store(previous.0 as u64, Relaxed);
        page.next.store(next.0 as u64, Relaxed);
    }

    /// Makes it a cache's.
    pub fn set_cache(self, cache: &'static KmemCache) {
        let owner = core::ptr::from_ref(cache).expose_provenance() as u64;
        for page in self.pages(self.page().compound_order()) {
            page.owner.store(owner, Relaxed);
        }
    }

    /// Its pages. Each of them says whose it is, so that an object leads to its cache in two steps.
    fn pages(self, order: u32) -> impl Iterator<Item = &'static Page> {
        let first = page_to_pfn(self.page());
        (first..first + (1 << order)).map(pfn_to_page)
    }
}

/// The slab that a page is of, which has been found to be a slab's.
#[inline]
pub fn slab_of(page: &Page) -> Slab {
    Slab(page.index.load(Relaxed) as usize)
}

/// The cache that a slab's page is of.
#[inline]
pub fn cache_of(page: &Page) -> &'static KmemCache {
    let cache = core::ptr::with_exposed_provenance::<KmemCache>(page.owner.load(Relaxed) as usize);
    // SAFETY: the caller has found the page to be a slab's; then its owner is the cache, which lives at least as long as its slabs.
    unsafe { &*cache }
}

/// Pages of slabs that memory can be had back from when it runs out, and of all others.
static NR_PAGES: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Pages of all slabs of caches that give memory back when asked (Linux's `SReclaimable`), and of all others (`SUnreclaim`).
#[must_use]
pub fn nr_slab_pages() -> [usize; 2] {
    NR_PAGES.each_ref().map(|pages| pages.load(Relaxed))
}

fn nr_pages_like(cache: &KmemCache) -> &'static AtomicUsize {
    &NR_PAGES[usize::from(!cache.gfp.contains(Gfp::RECLAIMABLE))]
}

/// A slab of new pages, cut into free objects.
pub fn new_slab(cache: &'static KmemCache, request: Request) -> Option<Slab> {
    let (page, order) = allocate(cache, request)?;
    let slab = Slab::of(page);
    for page in slab.pages(order) {
        page.index.store(slab.raw() as u64, Relaxed);
        page.set_exclusive(PageFlags::SLAB);
    }
    slab.set_cache(cache);
    slab.set_neighbours(Slab::NONE, Slab::NONE);
    nr_pages_like(cache).fetch_add(1 << order, Relaxed);
    let objects = cache.geometry.objects(order);
    #[cfg(CONFIG_SLUB_DEBUG)]
    super::debug::set_up_slab(cache, slab, PAGE_SIZE << order);
    cut(cache, slab, objects);
    slab.set_word(SlabWord::new(Link::to(cache.geometry.offset_of(0)), objects));
    if let Some(node) = cache.node(page.node()) {
        node.slabs.fetch_add(1, Relaxed);
        node.objects.fetch_add(objects as usize, Relaxed);
    }
    Some(slab)
}

/// Pages of the cache's order, or of the least that holds an object.
fn allocate(cache: &KmemCache, request: Request) -> Option<(&'static Page, u32)> {
    let (order, min_order) = (cache.geometry.order, cache.geometry.min_order);
    let gfp = request.gfp.difference(Gfp::ZERO | Gfp::MOVABLE | Gfp::HIGHMEM | Gfp::COMP) | cache.gfp;
    let take = |gfp: Gfp, order: u32| {
        let gfp = if order == 0 { gfp } else { gfp | Gfp::COMP };
        let page = match request.node {
            Some(nid) => page_alloc::alloc_pages_node(nid, gfp, order),
            None => page_alloc::alloc_pages(gfp, order),
        };
        page.map(|page| (page, order))
    };
    if order == min_order {
        return take(gfp, order);
    }
    // Nobody is to wait, or to hear, of a large block that can be done without.
    let easy = (gfp | Gfp::NOWARN | Gfp::NORETRY | Gfp::NOMEMALLOC).difference(Gfp::NOFAIL | Gfp::DIRECT_RECLAIM);
    take(easy, order).or_else(|| take(gfp, min_order))
}

/// Links the objects of a new slab, and constructs them.
fn cut(cache: &KmemCache, slab: Slab, objects: u32) {
    for index in 0..objects {
        let offset = cache.geometry.offset_of(index);
        #[cfg(CONFIG_SLUB_DEBUG)]
        super::debug::set_up_object(cache, slab, offset);
        if let Some(construct) = cache.ctor {
            construct(slab.object(offset));
        }
        let next = if index + 1 < objects {
            Link::to(cache.geometry.offset_of(index + 1))
        } else {
            Link::NONE
        };
        write_link(cache, slab, offset, next);
    }
}

/// Writes the link of a free object. It fills the word, so that a report shows nothing that was there before.
#[inline]
pub fn write_link(cache: &KmemCache, slab: Slab, offset: usize, link: Link) {
    let place = slab.object(offset).wrapping_add(cache.geometry.link as usize).cast::<u64>();
    // SAFETY: the link of an object of the slab, aligned to a word, lies within the slab; the object is free, or its user is giving it back.
    unsafe { place.write(u64::from(link.raw())) };
}

/// Gives the pages of a slab back that has no object in use.
pub fn discard(cache: &'static KmemCache, slab: Slab) {
    let page = slab.page();
    let objects = slab.word().objects() as usize;
    if let Some(node) = cache.node(page.node()) {
        node.slabs.fetch_sub(1, Relaxed);
        node.objects.fetch_sub(objects, Relaxed);
    }
    let order = page.compound_order();
    nr_pages_like(cache).fetch_sub(1 << order, Relaxed);
    for page in slab.pages(order) {
        page.clear_exclusive(PageFlags::SLAB);
        for word in [&page.owner, &page.index, &page.private, &page.next, &page.prev] {
            word.store(0, Relaxed);
        }
    }
    // SAFETY: the pages came from `allocate`, with this order, and no object of theirs is in use.
    unsafe { page_alloc::free_pages(page, order) };
}

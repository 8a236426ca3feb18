//! The kernel's: the slab allocator on the buddy system, both from `kernel/lib`, on memory of the host. What the kernel adds, locks and per-CPU lists of pages, is not here.

use std::alloc::Layout;
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use incipit_lib::buddy::{self, Buddy, Place};
use incipit_lib::page::{MemMap, Page, PageFlags};
use incipit_lib::slub::alloc::{refill, take};
use incipit_lib::slub::free::{give, give_slow};
use incipit_lib::slub::geometry::{Geometry, SlabFlags, Wish, kmalloc};
use incipit_lib::slub::{Backend, CpuWord, Link, Node, Orders, SlabWord};
use incipit_lib::zone::{MigrateType, ZoneType};

use crate::contender::{ARENA, Arena, Contender};

const PAGE_SIZE: usize = 4096;
const PAGES: usize = ARENA / PAGE_SIZE;

/// What is known of the arena's pages, by number.
#[derive(Debug, Clone, Copy)]
struct Pages(&'static [Page]);

impl MemMap for Pages {
    fn page(self, pfn: u64) -> &'static Page {
        &self.0[pfn as usize]
    }
}

/// One cache of `kmalloc`.
struct KmemCache {
    geometry: Geometry,
    word: Cell<CpuWord>,
    slab: Cell<u32>,
    node: RefCell<Node<u32>>,
}

/// The slab allocator and the pages below it.
pub struct Ours {
    start: NonNull<u8>,
    map: Pages,
    buddy: RefCell<Buddy<Pages>>,
    caches: Vec<KmemCache>,
}

/// A cache and what it stands on.
#[derive(Clone, Copy)]
struct Handle<'a> {
    index: usize,
    cache: &'a KmemCache,
    machine: &'a Ours,
}

impl Ours {
    fn handle(&self, index: usize) -> Handle<'_> {
        Handle {
            index,
            cache: &self.caches[index],
            machine: self,
        }
    }

    fn page(&self, pfn: u32) -> &'static Page {
        self.map.page(pfn.into())
    }

    /// Where a byte of a block of pages is.
    fn at(&self, pfn: u32, offset: usize) -> NonNull<u8> {
        // SAFETY: page numbers are those of the arena's pages, and no offset leaves the block that a page begins.
        unsafe { self.start.add(pfn as usize * PAGE_SIZE + offset) }
    }

    /// A compound page.
    fn take_pages(&self, order: u32) -> Option<u32> {
        let pfn = self.buddy.borrow_mut().alloc(order, MigrateType::Unmovable)?;
        for tail in 1..1 << order {
            self.map.page(pfn + tail).set_tail_of(pfn);
        }
        self.map.page(pfn).set_head(order);
        Some(pfn as u32)
    }

    fn give_pages(&self, pfn: u32, order: u32) {
        for page in 0..1 << order {
            self.page(pfn + page).clear_compound();
        }
        self.buddy.borrow_mut().free(pfn.into(), order, Place::Head);
    }
}

impl Backend for Handle<'_> {
    type Slab = u32;
    type Cpu = ();
    type Request = ();
    const NO_SLAB: u32 = u32::MAX;

    fn min_partial(self) -> usize {
        self.cache.geometry.min_partial()
    }
    fn cpu(self) {}
    #[inline]
    fn cpu_word(self, (): ()) -> CpuWord {
        self.cache.word.get()
    }
    #[inline]
    fn cpu_slab(self, (): ()) -> u32 {
        self.cache.slab.get()
    }
    fn set_cpu(self, (): (), word: CpuWord, slab: u32) {
        self.cache.word.set(word);
        self.cache.slab.set(slab);
    }
    #[inline]
    fn exchange_cpu_word(self, old: CpuWord, new: CpuWord) -> bool {
        let same = self.cache.word.get() == old;
        if same {
            self.cache.word.set(new);
        }
        same
    }
    fn with_interrupts_off<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
    fn slab_word(self, slab: u32) -> SlabWord {
        SlabWord::from_bits(self.machine.page(slab).private.load(Relaxed))
    }
    fn exchange_slab_word(self, slab: u32, old: SlabWord, new: SlabWord) -> bool {
        let word = &self.machine.page(slab).private;
        let same = word.load(Relaxed) == old.bits();
        if same {
            word.store(new.bits(), Relaxed);
        }
        same
    }
    #[inline]
    fn link(self, slab: u32, offset: usize) -> Link {
        let place = self.machine.at(slab, offset + self.cache.geometry.link as usize);
        // SAFETY: the object lies in the slab, and its link in the object; free objects belong to the cache.
        Link::from_raw(unsafe { place.cast::<u32>().read() })
    }
    #[inline]
    fn set_link(self, slab: u32, offset: usize, link: Link) {
        let place = self.machine.at(slab, offset + self.cache.geometry.link as usize);
        // SAFETY: as in `link`.
        unsafe { place.cast::<u32>().write(link.raw()) };
    }
    fn node_of(self, _slab: u32) -> usize {
        0
    }
    fn fits(self, (): (), _slab: u32) -> bool {
        true
    }
    fn find_node<R>(self, (): (), mut f: impl FnMut(usize) -> Option<R>) -> Option<R> {
        f(0)
    }
    fn with_node<R>(self, _node: usize, f: impl FnOnce(&mut Node<u32>) -> R) -> R {
        f(&mut self.cache.node.borrow_mut())
    }
    fn neighbours(self, slab: u32) -> (u32, u32) {
        let page = self.machine.page(slab);
        (page.prev.load(Relaxed) as u32, page.next.load(Relaxed) as u32)
    }
    fn set_neighbours(self, slab: u32, previous: u32, next: u32) {
        let page = self.machine.page(slab);
        page.prev.store(previous.into(), Relaxed);
        page.next.store(next.into(), Relaxed);
    }
    fn new_slab(self, (): ()) -> Option<u32> {
        let geometry = &self.cache.geometry;
        let wanted = self.machine.take_pages(geometry.order);
        let (slab, order) = match wanted {
            Some(slab) => (slab, geometry.order),
            None => (self.machine.take_pages(geometry.min_order)?, geometry.min_order),
        };
        let objects = geometry.objects(order);
        for index in 0..objects {
            let next = if index + 1 < objects {
                Link::to(geometry.offset_of(index + 1))
            } else {
                Link::NONE
            };
            self.set_link(slab, geometry.offset_of(index), next);
        }
        let page = self.machine.page(slab);
        page.set_exclusive(PageFlags::SLAB);
        page.owner.store(self.index as u64, Relaxed);
        let word = SlabWord::new(Link::to(geometry.offset_of(0)), objects);
        page.private.store(word.bits(), Relaxed);
        Some(slab)
    }
    fn discard_slab(self, slab: u32) {
        let page = self.machine.page(slab);
        page.clear_exclusive(PageFlags::SLAB);
        self.machine.give_pages(slab, page.compound_order());
    }
}

impl Contender for Ours {
    const NAME: &'static str = "incipit";

    fn new(arena: &Arena) -> Self {
        let pages = (0..PAGES).map(|_| Page::new(ZoneType::Normal, 0, PageFlags::empty(), 0)).collect();
        // The types of the library are for an array that is there for good, and so is this one: 1 MiB for a pass.
        let map = Pages(Vec::leak(pages));
        let span = 0..PAGES as u64;
        let blocks: Vec<_> = (0..buddy::pageblocks(&span)).map(|_| AtomicU8::new(0)).collect();
        let mut buddy = Buddy::new(map, span.clone(), Vec::leak(blocks));
        buddy.free_range(span);
        let caches = (0..kmalloc::CACHES).map(|index| {
            let wish = Wish {
                size: kmalloc::size(index).max(8),
                align: 8,
                flags: SlabFlags::KMALLOC,
                constructed: false,
                track_size: 0,
            };
            KmemCache {
                geometry: Geometry::new(&wish, &Orders::new(1)).expect("a size of kmalloc's"),
                word: Cell::new(CpuWord::new(0)),
                slab: Cell::new(u32::MAX),
                node: RefCell::new(Node::new()),
            }
        });
        Ours {
            start: arena.start(),
            map,
            buddy: RefCell::new(buddy),
            caches: caches.collect(),
        }
    }

    fn alloc(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        if layout.size() > kmalloc::MAX_CACHE_SIZE {
            let order = layout.size().div_ceil(PAGE_SIZE).next_power_of_two().ilog2();
            return Some(self.at(self.take_pages(order)?, 0));
        }
        let handle = self.handle(kmalloc::index(layout.size()));
        let (slab, offset) = take(handle).or_else(|| refill(handle, ()))?;
        Some(self.at(slab, offset))
    }

    // SAFETY: the trait has the caller promise that the block is one of ours; an address beyond the arena would end in a panic, not in harm.
    unsafe fn free(&mut self, block: NonNull<u8>, _layout: Layout) {
        let offset = block.as_ptr().addr() - self.start.as_ptr().addr();
        let pfn = (offset / PAGE_SIZE) as u64;
        let head = self.map.page(pfn).tail_of().unwrap_or(pfn) as u32;
        let page = self.page(head);
        if !page.has(PageFlags::SLAB) {
            return self.give_pages(head, page.compound_order());
        }
        let handle = self.handle(page.owner.load(Relaxed) as usize);
        let offset = offset - head as usize * PAGE_SIZE;
        assert!(give(handle, head, offset) || give_slow(handle, head, offset).is_ok(), "freed twice");
    }
}

//! What is known of a page of memory: Linux's `struct page`, 64 bytes for each.
//!
//! All fields are atomic, so that reading one is never wrong; who may change which of them is a matter of who owns the page: the page allocator while it is free,
//! the slab allocator while [`PageFlags::SLAB`] is set, else whoever allocated it. A list of pages is made of page frame numbers, so nothing here needs an address.

use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::zone::ZoneType;

bitflags::bitflags! {
    /// What a page is used for and what state it is in: the low bits of [`Page::flags`], in Linux's order.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct PageFlags: u64 {
        /// Locked, for input or output.
        const LOCKED = 1 << 0;
        /// Used lately.
        const REFERENCED = 1 << 1;
        /// Its content is that of what it stands for.
        const UPTODATE = 1 << 2;
        /// Newer than what it stands for.
        const DIRTY = 1 << 3;
        /// On a list of pages by their last use.
        const LRU = 1 << 4;
        /// On the list of those that are used often.
        const ACTIVE = 1 << 5;
        /// Was used often before it was given back.
        const WORKINGSET = 1 << 6;
        /// Somebody waits for it.
        const WAITERS = 1 << 7;
        /// Input or output went wrong.
        const ERROR = 1 << 8;
        /// Cut into objects by the slab allocator.
        const SLAB = 1 << 9;
        /// Its owner's.
        const OWNER_PRIV_1 = 1 << 10;
        /// The processor's.
        const ARCH_1 = 1 << 11;
        /// Not the page allocator's: the image, tables, firmware's, or not there at all.
        const RESERVED = 1 << 12;
        /// [`Page::private`] means something to its owner.
        const PRIVATE = 1 << 13;
        /// More of the same.
        const PRIVATE_2 = 1 << 14;
        /// Being written back.
        const WRITEBACK = 1 << 15;
        /// The first page of a compound page.
        const HEAD = 1 << 16;
        /// Has its place on disk.
        const MAPPEDTODISK = 1 << 17;
        /// To be given back as soon as it is written.
        const RECLAIM = 1 << 18;
        /// Backed by swap.
        const SWAPBACKED = 1 << 19;
        /// Cannot be given back.
        const UNEVICTABLE = 1 << 20;
        /// Locked into memory.
        const MLOCKED = 1 << 21;
        /// Bad memory.
        const HWPOISON = 1 << 22;
    }
}

/// Where the zone's number is in [`Page::flags`].
const ZONE_SHIFT: u32 = 56;
/// Where the node's number is.
const NODE_SHIFT: u32 = 58;
/// The bits that are flags.
const FLAGS_MASK: u64 = PageFlags::all().bits();

/// [`Page::page_type`] of a page that is nothing special.
const PAGE_TYPE_NONE: u32 = u32::MAX;

/// What a page without mapping is: a bit that is *cleared* in the type of a [`Page`], so that a count of mappings is never mistaken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum PageType {
    /// The first page of a free block: Linux's `PG_buddy`.
    Buddy = 0x80,
    /// A page table.
    Table = 0x200,
    /// Made unusable to catch who uses it.
    Guard = 0x400,
}

/// A page frame.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Page {
    flags: AtomicU64,
    /// Link of the list that the page's owner keeps it on.
    pub next: AtomicU64,
    /// The other link.
    pub prev: AtomicU64,
    /// Who uses it; a slab: the address of its cache.
    pub owner: AtomicU64,
    /// A slab: its free objects. A page of something: its place there.
    pub index: AtomicU64,
    /// A free block: its order. A slab: its counters.
    pub private: AtomicU64,
    refcount: AtomicU32,
    page_type: AtomicU32,
    /// A head: the order. A tail: the head's page frame number with [`TAIL`].
    compound: AtomicU64,
}

/// Marks [`Page::compound`] of a tail.
const TAIL: u64 = 1 << 63;

const _: () = assert!(size_of::<Page>() == 64);

/// The map from page frame numbers to what is known of the pages.
pub trait MemMap: Copy {
    /// The page of this number, which must be a valid one.
    fn page(self, pfn: u64) -> &'static Page;
}

impl Page {
    /// A page of a zone and node that nobody has a reference to, with some flags: what a page starts as. All is known here, so filling an array costs only the writes.
    #[inline]
    #[must_use]
    pub const fn new(zone: ZoneType, node: usize, flags: PageFlags, refcount: u32) -> Page {
        Page {
            flags: AtomicU64::new(flags.bits() | Page::plain_word(zone, node)),
            next: AtomicU64::new(0),
            prev: AtomicU64::new(0),
            owner: AtomicU64::new(0),
            index: AtomicU64::new(0),
            private: AtomicU64::new(0),
            refcount: AtomicU32::new(refcount),
            page_type: AtomicU32::new(PAGE_TYPE_NONE),
            compound: AtomicU64::new(0),
        }
    }

    /// The flags, without zone and node.
    #[inline]
    #[must_use]
    pub fn flags(&self) -> PageFlags {
        PageFlags::from_bits_truncate(self.flags.load(Ordering::Relaxed))
    }

    /// Whether it has one of the flags.
    #[inline]
    #[must_use]
    pub fn has(&self, flags: PageFlags) -> bool {
        self.flags.load(Ordering::Relaxed) & flags.bits() != 0
    }

    /// Sets flags, atomically towards other changes of flags.
    #[inline]
    pub fn set(&self, flags: PageFlags) {
        self.flags.fetch_or(flags.bits(), Ordering::Relaxed);
    }

    /// Takes flags away, atomically.
    #[inline]
    pub fn clear(&self, flags: PageFlags) {
        self.flags.fetch_and(!flags.bits(), Ordering::Relaxed);
    }

    /// Sets flags of a page that nobody else can know of: not atomic, and cheaper.
    #[inline]
    pub fn set_exclusive(&self, flags: PageFlags) {
        self.flags
            .store(self.flags.load(Ordering::Relaxed) | flags.bits(), Ordering::Relaxed);
    }

    /// Takes flags away from a page that nobody else can know of.
    #[inline]
    pub fn clear_exclusive(&self, flags: PageFlags) {
        self.flags
            .store(self.flags.load(Ordering::Relaxed) & !flags.bits(), Ordering::Relaxed);
    }

    /// Its zone.
    #[inline]
    #[must_use]
    pub fn zone(&self) -> ZoneType {
        ZoneType::from_bits(self.flags.load(Ordering::Relaxed) >> ZONE_SHIFT)
    }

    /// Its node's number.
    #[inline]
    #[must_use]
    pub fn node(&self) -> usize {
        (self.flags.load(Ordering::Relaxed) >> NODE_SHIFT) as usize
    }

    /// The word that says of a page that it is of this zone and node and has no flags.
    #[inline]
    #[must_use]
    pub const fn plain_word(zone: ZoneType, node: usize) -> u64 {
        (zone as u64) << ZONE_SHIFT | (node as u64) << NODE_SHIFT
    }

    /// Node and zone as one number, equal for pages of one zone.
    #[inline]
    #[must_use]
    pub fn zone_id(&self) -> u64 {
        self.flags.load(Ordering::Relaxed) >> ZONE_SHIFT
    }

    /// How many references there are.
    #[inline]
    #[must_use]
    pub fn refcount(&self) -> u32 {
        self.refcount.load(Ordering::Relaxed)
    }

    /// Sets the number of references of a page that nobody else can know of.
    #[inline]
    pub fn set_refcount(&self, count: u32) {
        self.refcount.store(count, Ordering::Relaxed);
    }

    /// Takes another reference to a page that the caller has one of: Linux's `get_page`.
    #[inline]
    pub fn get(&self) {
        self.refcount.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives a reference back; `true` if it was the last: Linux's `put_page_testzero`.
    #[inline]
    #[must_use]
    pub fn put_and_test(&self) -> bool {
        self.refcount.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether it is of the zone of this [`Page::plain_word`], and in use by one owner, as nothing special: no flags, no type, one reference, part of no larger page.
    #[inline]
    #[must_use]
    pub fn is_plain_single(&self, plain_word: u64) -> bool {
        self.flags.load(Ordering::Relaxed) == plain_word
            && self.page_type.load(Ordering::Relaxed) == PAGE_TYPE_NONE
            && self.refcount() == 1
            && self.compound.load(Ordering::Relaxed) == 0
    }

    /// Whether it has neither flags nor a type nor a reference.
    #[inline]
    #[must_use]
    pub fn is_plain_free(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & FLAGS_MASK == 0
            && self.page_type.load(Ordering::Relaxed) == PAGE_TYPE_NONE
            && self.refcount() == 0
    }

    /// Whether it is of this type.
    #[inline]
    #[must_use]
    pub fn is_type(&self, kind: PageType) -> bool {
        self.page_type.load(Ordering::Relaxed) == PAGE_TYPE_NONE & !(kind as u32)
    }

    /// Whether it is of any type.
    #[inline]
    #[must_use]
    pub fn has_type(&self) -> bool {
        self.page_type.load(Ordering::Relaxed) != PAGE_TYPE_NONE
    }

    /// Makes it one of a type, or of none.
    #[inline]
    pub fn set_type(&self, kind: Option<PageType>) {
        let bits = kind.map_or(0, |kind| kind as u32);
        self.page_type.store(PAGE_TYPE_NONE & !bits, Ordering::Relaxed);
    }

    /// The page frame number of the head if it is the tail of a compound page.
    #[inline]
    #[must_use]
    pub fn tail_of(&self) -> Option<u64> {
        let compound = self.compound.load(Ordering::Relaxed);
        (compound & TAIL != 0).then_some(compound & !TAIL)
    }

    /// The order of the compound page that it is the head of; 0 for a single page.
    #[inline]
    #[must_use]
    pub fn compound_order(&self) -> u32 {
        if self.has(PageFlags::HEAD) {
            self.compound.load(Ordering::Relaxed) as u32
        } else {
            0
        }
    }

    /// Makes it the head of a compound page of 2^`order` pages.
    #[inline]
    pub fn set_head(&self, order: u32) {
        self.set_exclusive(PageFlags::HEAD);
        self.compound.store(u64::from(order), Ordering::Relaxed);
    }

    /// Makes it a tail of the compound page whose head has number `head`.
    #[inline]
    pub fn set_tail_of(&self, head: u64) {
        self.compound.store(head | TAIL, Ordering::Relaxed);
    }

    /// Whether it is like the other pages of a block that was given back as a whole: of the compound page whose head has this number, or of none; no flags, no type, no reference.
    #[inline]
    #[must_use]
    pub fn is_plain_tail(&self, head: Option<u64>) -> bool {
        self.is_plain_free() && self.compound.load(Ordering::Relaxed) == head.map_or(0, |head| head | TAIL)
    }

    /// Makes a plain tail a page of its own.
    #[inline]
    pub fn clear_tail(&self) {
        self.compound.store(0, Ordering::Relaxed);
    }

    /// Makes it a page of its own.
    #[inline]
    pub fn clear_compound(&self) {
        self.clear_exclusive(PageFlags::HEAD);
        self.compound.store(0, Ordering::Relaxed);
    }
}

/// As Linux's reports have it: the raw word, then the names, node and zone.
impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.flags.load(Ordering::Relaxed);
        write!(f, "flags: {word:#x}(")?;
        for (name, _) in PageFlags::from_bits_truncate(word & FLAGS_MASK).iter_names() {
            for character in name.chars() {
                write!(f, "{}", character.to_ascii_lowercase())?;
            }
            f.write_str("|")?;
        }
        write!(f, "node={}|zone={})", self.node(), self.zone() as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn zone_and_node_stay_when_flags_change() {
        let page = Page::new(ZoneType::Movable, 63, PageFlags::RESERVED, 1);
        page.set(PageFlags::all());
        page.clear(PageFlags::RESERVED | PageFlags::LOCKED);
        assert_eq!((page.zone(), page.node()), (ZoneType::Movable, 63));
        assert!(!page.has(PageFlags::RESERVED) && page.has(PageFlags::SLAB));
        page.clear_exclusive(PageFlags::all());
        page.set_exclusive(PageFlags::HEAD);
        assert_eq!((page.flags(), page.zone_id()), (PageFlags::HEAD, 63 << 2 | 3));
    }

    #[test]
    fn a_tail_leads_to_its_head_and_a_head_has_an_order() {
        let (head, tail) = [(); 2].map(|()| Page::new(ZoneType::Dma, 0, PageFlags::empty(), 1)).into();
        assert_eq!((head.compound_order(), tail.tail_of()), (0, None));
        head.set_head(9);
        tail.set_tail_of(0x1234);
        assert_eq!((head.compound_order(), head.tail_of()), (9, None));
        assert_eq!((tail.compound_order(), tail.tail_of()), (0, Some(0x1234)));
        head.clear_compound();
        tail.clear_compound();
        assert_eq!((head.compound_order(), tail.tail_of()), (0, None));
    }

    #[test]
    fn a_type_is_one_of_several_or_none() {
        let page = Page::new(ZoneType::Normal, 0, PageFlags::empty(), 0);
        assert!(!page.has_type());
        page.set_type(Some(PageType::Buddy));
        assert!(page.is_type(PageType::Buddy) && !page.is_type(PageType::Table) && page.has_type());
        page.set_type(None);
        assert!(!page.is_type(PageType::Buddy));
    }

    #[test]
    fn the_last_reference_is_told() {
        let page = Page::new(ZoneType::Normal, 0, PageFlags::empty(), 1);
        page.get();
        assert!(!page.put_and_test());
        assert!(page.put_and_test());
        assert_eq!(page.refcount(), 0);
    }

    #[test]
    fn flags_are_printed_by_name() {
        let page = Page::new(ZoneType::Dma32, 2, PageFlags::RESERVED | PageFlags::HEAD, 1);
        assert_eq!(page.to_string(), "flags: 0x900000000011000(reserved|head|node=2|zone=1)");
    }
}

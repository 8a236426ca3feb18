//! Who takes part: an allocator on a piece of memory that it is given.

use std::alloc::Layout;
use std::ptr::NonNull;

/// Bytes that each contender has.
pub const ARENA: usize = 64 << 20;
/// What the memory is aligned to: the largest block of a page allocator.
pub const ARENA_ALIGN: usize = 4 << 20;

/// Memory for one contender, given back when dropped.
pub struct Arena(NonNull<u8>);

impl Arena {
    const LAYOUT: Layout = match Layout::from_size_align(ARENA, ARENA_ALIGN) {
        Ok(layout) => layout,
        Err(_) => panic!("a layout"),
    };

    /// Memory, all of it touched, so that no pass pays for its first use.
    pub fn new() -> Arena {
        // SAFETY: the size is not 0.
        let start = unsafe { std::alloc::alloc(Self::LAYOUT) };
        let Some(start) = NonNull::new(start) else {
            std::alloc::handle_alloc_error(Self::LAYOUT)
        };
        // SAFETY: just allocated with this size.
        unsafe { start.write_bytes(0xa5, ARENA) };
        Arena(start)
    }

    /// Its first byte.
    pub fn start(&self) -> NonNull<u8> {
        self.0
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { std::alloc::dealloc(self.0.as_ptr(), Self::LAYOUT) };
    }
}

/// An allocator that can be measured.
pub trait Contender {
    /// Its name in the table.
    const NAME: &'static str;

    /// One that has all of the arena, which outlives it.
    fn new(arena: &Arena) -> Self;

    /// A block, or nothing if there is none.
    fn alloc(&mut self, layout: Layout) -> Option<NonNull<u8>>;

    /// Takes a block back.
    ///
    /// # Safety
    ///
    /// It must come from [`Contender::alloc`] of this one, with this layout, and nobody may use it any more.
    unsafe fn free(&mut self, block: NonNull<u8>, layout: Layout);
}

/// The crate `talc`.
pub struct Talc(talc::TalcCell<talc::source::Manual>);

impl Contender for Talc {
    const NAME: &'static str = "talc";

    fn new(arena: &Arena) -> Self {
        let talc = talc::TalcCell::new(talc::source::Manual);
        // SAFETY: the arena is nobody else's for as long as this one lives.
        let claimed = unsafe { talc.claim(arena.start().as_ptr(), ARENA) };
        assert!(claimed.is_some(), "talc takes the arena");
        Talc(talc)
    }

    fn alloc(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: no layout of the trace has size 0.
        unsafe { self.0.get_mut().allocate(layout) }
    }

    unsafe fn free(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { self.0.get_mut().deallocate(block.as_ptr(), layout) };
    }
}

/// The crate `buddy_system_allocator`.
pub struct BuddySystem(Box<buddy_system_allocator::Heap<32>>);

impl Contender for BuddySystem {
    const NAME: &'static str = "buddy_system_allocator";

    fn new(arena: &Arena) -> Self {
        let mut heap = Box::new(buddy_system_allocator::Heap::new());
        // SAFETY: the arena is nobody else's for as long as this one lives.
        unsafe { heap.init(arena.start().as_ptr().expose_provenance(), ARENA) };
        BuddySystem(heap)
    }

    fn alloc(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.0.alloc(layout).ok()
    }

    unsafe fn free(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { self.0.dealloc(block, layout) };
    }
}

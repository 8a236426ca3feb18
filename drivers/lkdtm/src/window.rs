//! A page of this crate's own whose page table entry may lead elsewhere for a while.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release};

use incipit::arch::x86::mm::pgtable::{self, Entry};
use incipit::arch::x86::mm::tlb;
use incipit::mm::PAGE_SIZE;

/// Takes a page of addresses out of the image; its memory is not used.
#[repr(C, align(4096))]
struct Page(UnsafeCell<[u8; PAGE_SIZE]>);

// SAFETY: nobody uses the memory, and `OPEN` lets one window at a time use the addresses.
unsafe impl Sync for Page {}

static PAGE: Page = Page(UnsafeCell::new([0; PAGE_SIZE]));
static OPEN: AtomicBool = AtomicBool::new(false);

/// The page while it leads elsewhere. Dropping the window closes it.
pub struct Window {
    closed: Entry,
}

impl Window {
    /// Lets the page lead where `entry` says; nothing if it does so for another already. Only this CPU may use it.
    pub fn open(entry: Entry) -> Option<Window> {
        (!OPEN.swap(true, AcqRel)).then(|| Window { closed: exchange(entry) })
    }

    /// The first address of the page.
    pub fn address(&self) -> usize {
        PAGE.0.get().addr()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        exchange(self.closed);
        OPEN.store(false, Release);
    }
}

/// Replaces the entry of the page.
fn exchange(entry: Entry) -> Entry {
    let address = PAGE.0.get().addr();
    let (table, index, _) = pgtable::walk(address);
    let old = table.get(index);
    // SAFETY: the image is mapped by 4 KiB pages, so the entry is this page's alone, and nothing uses the page but who has opened the window.
    unsafe { table.set(index, entry) };
    tlb::flush_one(address);
    old
}

//! Lists without a lock, of entries that stay where they are: `incipit_lib::llist` over pointers.

use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{
    AtomicPtr,
    Ordering::{self, Relaxed},
};

use incipit_lib::llist::{self, Head, Taken};

/// What can be in a list: it has a link, which nothing but the list touches while the entry is in one.
pub trait Entry: Sized {
    /// The link to the next one.
    fn link(&self) -> &AtomicPtr<Self>;
}

/// Entries: whoever puts them in vouches for them, whoever takes them out gets them in the order in which they went in.
pub struct List<E> {
    first: AtomicPtr<E>,
    entries: PhantomData<*const E>,
}

// SAFETY: the list hands entries from one CPU to another, which may use them; it holds nothing else.
unsafe impl<E: Sync> Sync for List<E> {}

impl<E> List<E> {
    /// Nothing is in it.
    #[must_use]
    pub const fn new() -> Self {
        List {
            first: AtomicPtr::new(ptr::null_mut()),
            entries: PhantomData,
        }
    }
}

impl<E> Default for List<E> {
    fn default() -> Self {
        List::new()
    }
}

impl<E: Entry> List<E> {
    /// Puts `entry` in front; whether there was nothing before. Any context.
    ///
    /// # Safety
    ///
    /// The entry is in no list, and stays where it is until it has been taken out of this one and used for the last time by who took it.
    #[inline]
    pub unsafe fn push(&self, entry: NonNull<E>) -> bool {
        llist::push(self, Pointer(entry))
    }

    /// Whether nothing is in it at the moment.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        llist::is_empty(self)
    }

    /// Takes all. They belong to the caller. Any context.
    #[inline]
    pub fn take_all(&self) -> impl Iterator<Item = NonNull<E>> + use<E> {
        let taken: Taken<Pointer<E>> = llist::take_all(self);
        taken.map(|Pointer(entry)| entry)
    }
}

/// An entry of a list, or one that is becoming that.
struct Pointer<E>(NonNull<E>);

impl<E> Copy for Pointer<E> {}

impl<E> Clone for Pointer<E> {
    fn clone(&self) -> Self {
        *self
    }
}

fn to_raw<E>(entry: Option<Pointer<E>>) -> *mut E {
    entry.map_or(ptr::null_mut(), |entry| entry.0.as_ptr())
}

fn from_raw<E>(entry: *mut E) -> Option<Pointer<E>> {
    NonNull::new(entry).map(Pointer)
}

impl<E: Entry> llist::Entry for Pointer<E> {
    #[inline]
    fn next(self) -> Option<Self> {
        // SAFETY: only lists make these, of entries that stay where they are.
        from_raw(unsafe { self.0.as_ref() }.link().load(Relaxed))
    }

    #[inline]
    fn set_next(self, next: Option<Self>) {
        // SAFETY: as in `next`.
        unsafe { self.0.as_ref() }.link().store(to_raw(next), Relaxed);
    }
}

impl<E: Entry> Head<Pointer<E>> for List<E> {
    #[inline]
    fn load(&self, order: Ordering) -> Option<Pointer<E>> {
        from_raw(self.first.load(order))
    }

    #[inline]
    fn swap(&self, new: Option<Pointer<E>>, order: Ordering) -> Option<Pointer<E>> {
        from_raw(self.first.swap(to_raw(new), order))
    }

    #[inline]
    fn compare_exchange(&self, old: Option<Pointer<E>>, new: Pointer<E>, order: Ordering) -> Result<(), Option<Pointer<E>>> {
        let exchanged = self.first.compare_exchange(to_raw(old), new.0.as_ptr(), order, Relaxed);
        exchanged.map(drop).map_err(from_raw)
    }
}

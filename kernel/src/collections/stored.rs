//! What a slot of a collection can hold.

use core::num::NonZeroUsize;
use core::ptr;

use incipit_lib::xarray::Entry;

use crate::mm::slab::KBox;

/// Something that fits into a word and can be had back from it.
///
/// # Safety
///
/// A [`Stored::Ref`] may be used by several CPUs at once.
pub unsafe trait Stored: Sized + Send {
    /// What it is looked at as while it is stored.
    type Ref<'a>
    where
        Self: 'a;

    /// The word.
    fn into_entry(self) -> Entry;

    /// What the word was made from.
    ///
    /// # Safety
    ///
    /// The word comes from [`Stored::into_entry`] of this type and is used once.
    unsafe fn from_entry(entry: Entry) -> Self;

    /// A look at what the word was made from.
    ///
    /// # Safety
    ///
    /// The word comes from [`Stored::into_entry`] of this type, and [`Stored::from_entry`] is not called for it during `'a`.
    unsafe fn borrow<'a>(entry: Entry) -> Self::Ref<'a>
    where
        Self: 'a;
}

/// A number of 63 bits; the highest bit is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value(pub usize);

/// The word of an address.
fn address(address: NonZeroUsize) -> Entry {
    match Entry::pointer(address) {
        Some(entry) => entry,
        // Types that are stored are aligned, which `ALIGNED` asserts.
        None => unreachable!("{address:#x} is no multiple of 4"),
    }
}

/// The address of a word.
fn pointer<T>(entry: Entry) -> *mut T {
    ptr::with_exposed_provenance_mut(entry.as_pointer().map_or(0, NonZeroUsize::get))
}

/// That addresses of `T` leave the lowest bits free.
struct Aligned<T>(T);

impl<T> Aligned<T> {
    const ALIGNED: () = assert!(align_of::<T>() >= 4, "what is stored must be aligned to 4 bytes");
}

// SAFETY: `T: Sync`.
unsafe impl<T: Sync> Stored for &'static T {
    type Ref<'a>
        = &'static T
    where
        Self: 'a;

    #[inline]
    fn into_entry(self) -> Entry {
        const { Aligned::<T>::ALIGNED }
        address(ptr::NonNull::from(self).expose_provenance())
    }

    // SAFETY: asks nothing of the caller that the trait does not.
    #[inline]
    unsafe fn from_entry(entry: Entry) -> Self {
        // SAFETY: the caller says that the word was made from a `&'static T`.
        unsafe { &*pointer(entry) }
    }

    // SAFETY: asks nothing of the caller that the trait does not.
    #[inline]
    unsafe fn borrow<'a>(entry: Entry) -> &'static T
    where
        Self: 'a,
    {
        // SAFETY: the caller says that the word was made from a `&'static T`.
        unsafe { &*pointer(entry) }
    }
}

// SAFETY: `T: Sync`.
unsafe impl<T: Send + Sync> Stored for KBox<T> {
    type Ref<'a>
        = &'a T
    where
        T: 'a;

    #[inline]
    fn into_entry(self) -> Entry {
        const { Aligned::<T>::ALIGNED }
        // A box is never null.
        address(ptr::NonNull::from(KBox::leak(self)).expose_provenance())
    }

    // SAFETY: asks nothing of the caller that the trait does not.
    #[inline]
    unsafe fn from_entry(entry: Entry) -> Self {
        match ptr::NonNull::new(pointer(entry)) {
            // SAFETY: the caller says that the word was made from a box, which is had back once.
            Some(place) => unsafe { KBox::from_raw(place) },
            None => unreachable!("a box is never null"),
        }
    }

    // SAFETY: asks nothing of the caller that the trait does not.
    #[inline]
    unsafe fn borrow<'a>(entry: Entry) -> &'a T
    where
        T: 'a,
    {
        // SAFETY: the caller says that the word was made from a box, which is not had back meanwhile.
        unsafe { &*pointer(entry) }
    }
}

// SAFETY: a number is copied.
unsafe impl Stored for Value {
    type Ref<'a> = Value;

    #[inline]
    fn into_entry(self) -> Entry {
        match Entry::value(self.0 & (usize::MAX >> 1)) {
            Some(entry) => entry,
            None => unreachable!("63 bits fit"),
        }
    }

    // SAFETY: asks nothing of the caller that the trait does not.
    #[inline]
    unsafe fn from_entry(entry: Entry) -> Self {
        Value(entry.as_value().unwrap_or(0))
    }

    // SAFETY: asks nothing of the caller that the trait does not.
    #[inline]
    unsafe fn borrow<'a>(entry: Entry) -> Value
    where
        Self: 'a,
    {
        Value(entry.as_value().unwrap_or(0))
    }
}

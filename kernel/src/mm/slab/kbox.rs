//! Owned values on the slab: allocated with flags, never without an answer if there is no memory, given back when dropped.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use super::cache::KmemCache;
use super::{SlabFlags, create, kfree, kmalloc, kmem_cache_alloc};
use crate::mm::Gfp;
use crate::prelude::*;

/// A `T` from `kmalloc`, or from a [`Cache`].
pub struct KBox<T>(NonNull<T>, PhantomData<T>);

// SAFETY: owning the box is owning the value.
unsafe impl<T: Send> Send for KBox<T> {}
// SAFETY: a shared box gives out shared references to the value, and nothing else.
unsafe impl<T: Sync> Sync for KBox<T> {}

impl<T> KBox<T> {
    /// Allocates room for a value and moves it there.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; the value is dropped then.
    pub fn new(value: T, gfp: Gfp) -> Result<KBox<T>, Errno> {
        // Sizes that are powers of two are aligned to themselves.
        let size = if align_of::<T>() <= 8 {
            size_of::<T>()
        } else {
            size_of::<T>().next_power_of_two()
        };
        let place = kmalloc(size, gfp).ok_or(Errno::ENOMEM)?;
        // SAFETY: the place is new, and has the size and alignment of the type; one without bytes may lie anywhere that is aligned.
        Ok(unsafe { KBox::place(if size == 0 { NonNull::dangling() } else { place.cast() }, value) })
    }

    /// The value, out of its box.
    pub fn into_inner(self) -> T {
        let place = core::mem::ManuallyDrop::new(self).0;
        // SAFETY: the value is moved out once, and its place given up.
        unsafe {
            let value = place.read();
            release(place);
            value
        }
    }

    /// The value, for good; or until [`KBox::from_raw`].
    #[must_use]
    pub fn leak<'a>(self) -> &'a mut T
    where
        T: 'a,
    {
        // SAFETY: nobody else knows of the place, and nobody gives it back.
        unsafe { core::mem::ManuallyDrop::new(self).0.as_mut() }
    }

    /// The box of a value that was leaked.
    ///
    /// # Safety
    ///
    /// The place comes from [`KBox::leak`], once, and nobody uses what that gave any more.
    #[must_use]
    pub unsafe fn from_raw(place: NonNull<T>) -> KBox<T> {
        KBox(place, PhantomData)
    }

    /// # Safety
    ///
    /// The place must be new, with the type's size and alignment.
    unsafe fn place(place: NonNull<T>, value: T) -> KBox<T> {
        // SAFETY: as promised by the caller.
        unsafe { place.write(value) };
        KBox(place, PhantomData)
    }
}

/// Gives the place of a value back.
///
/// # Safety
///
/// It must come from `KBox::new` or `Cache::alloc`, and hold no value any more.
unsafe fn release<T>(place: NonNull<T>) {
    if size_of::<T>() != 0 {
        // SAFETY: as promised by the caller.
        unsafe { kfree(place.cast()) };
    }
}

impl<T> Drop for KBox<T> {
    fn drop(&mut self) {
        // SAFETY: the box owns the value, and is going.
        unsafe {
            self.0.drop_in_place();
            release(self.0);
        }
    }
}

impl<T> Deref for KBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the place holds a value for as long as there is the box.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the same, and the box is borrowed alone.
        unsafe { self.0.as_mut() }
    }
}

impl<T: fmt::Debug> fmt::Debug for KBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A cache of values of one type.
pub struct Cache<T> {
    cache: &'static KmemCache,
    _of: PhantomData<fn() -> T>,
}

impl<T> Cache<T> {
    /// Makes a cache, which stays for good: the values that are taken from it may.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a type without bytes; `ENOMEM`.
    pub fn new(name: &'static str, flags: SlabFlags) -> Result<Cache<T>, Errno> {
        let cache = create::kmem_cache_create(name, size_of::<T>(), align_of::<T>(), flags, None)?;
        Ok(Cache { cache, _of: PhantomData })
    }

    /// Allocates room for a value and moves it there.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; the value is dropped then.
    pub fn alloc(&self, value: T, gfp: Gfp) -> Result<KBox<T>, Errno> {
        let place = kmem_cache_alloc(self.cache, gfp).ok_or(Errno::ENOMEM)?;
        // SAFETY: an object of the cache, which was made for the type.
        Ok(unsafe { KBox::place(place.cast(), value) })
    }

    /// The cache.
    #[must_use]
    pub fn cache(&self) -> &'static KmemCache {
        self.cache
    }
}

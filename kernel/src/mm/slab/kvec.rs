//! Lists on the heap that answer `ENOMEM` where Rust's own would end the kernel.
//!
//! The heap is the boot's until there are caches, then `kmalloc`: a list can be made from `setup_arch` on, and grow on. This is the one place that uses Rust's
//! `Vec`; `clippy.toml` keeps it, and whatever else allocates without a way to say that it could not, out of all others.

#![expect(
    clippy::disallowed_types,
    reason = "only those of its methods are used that say so when there is no memory, or need none"
)]

use alloc::vec::{self, Vec};
use core::fmt;
use core::ops::{Deref, DerefMut};

use crate::prelude::*;

/// A list that owns its elements: Linux's type of the same name.
pub struct KVec<T>(Vec<T>);

impl<T> KVec<T> {
    /// An empty list, which takes no memory.
    #[must_use]
    pub const fn new() -> KVec<T> {
        KVec(Vec::new())
    }

    /// An empty list with room for `capacity` elements.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn with_capacity(capacity: usize) -> Result<KVec<T>, Errno> {
        let mut list = Vec::new();
        list.try_reserve_exact(capacity).map_err(|_| Errno::ENOMEM)?;
        Ok(KVec(list))
    }

    /// The list of what an iterator gives.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; what the iterator has given by then is dropped.
    pub fn collect(elements: impl IntoIterator<Item = T>) -> Result<KVec<T>, Errno> {
        let elements = elements.into_iter();
        let mut list = KVec::with_capacity(elements.size_hint().0)?;
        for element in elements {
            list.push(element)?;
        }
        Ok(list)
    }

    /// Appends an element.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; the list is as it was, and the element is dropped.
    pub fn push(&mut self, element: T) -> Result<(), Errno> {
        self.insert(self.0.len(), element)
    }

    /// Inserts an element before the one at `index`, or behind the last.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; the list is as it was, and the element is dropped.
    ///
    /// # Panics
    ///
    /// If `index` is beyond the end.
    pub fn insert(&mut self, index: usize, element: T) -> Result<(), Errno> {
        self.0.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        self.0.insert(index, element);
        Ok(())
    }

    /// Appends what `element` makes until there are `len` elements, or drops those behind the first `len`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; the list is as it was.
    pub fn resize_with(&mut self, len: usize, element: impl FnMut() -> T) -> Result<(), Errno> {
        self.0
            .try_reserve_exact(len.saturating_sub(self.0.len()))
            .map_err(|_| Errno::ENOMEM)?;
        self.0.resize_with(len, element);
        Ok(())
    }

    /// Moves all elements of `other` behind those of this list.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; both lists are as they were.
    pub fn append(&mut self, other: &mut KVec<T>) -> Result<(), Errno> {
        self.0.try_reserve(other.0.len()).map_err(|_| Errno::ENOMEM)?;
        self.0.append(&mut other.0);
        Ok(())
    }

    /// Takes an element out; those behind it move up.
    ///
    /// # Panics
    ///
    /// If there is none at `index`.
    pub fn remove(&mut self, index: usize) -> T {
        self.0.remove(index)
    }

    /// How many elements there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The elements, for good.
    #[must_use]
    pub fn leak(self) -> &'static mut [T]
    where
        T: 'static,
    {
        self.0.leak()
    }
}

impl<T> Default for KVec<T> {
    fn default() -> Self {
        KVec::new()
    }
}

impl<T> Deref for KVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for KVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T> IntoIterator for KVec<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> vec::IntoIter<T> {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a KVec<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> core::slice::Iter<'a, T> {
        self.0.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for KVec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(CONFIG_FAILSLAB)]
mod tests {
    use super::*;
    use crate::mm::fault_inject::every_site;

    #[ktest]
    fn a_list_that_cannot_grow_is_as_it_was() {
        let grow = || {
            let mut list = KVec::collect(0..4_u64)?;
            let mut outcome = Ok(());
            for number in 4..100 {
                outcome = outcome.and_then(|()| list.insert(0, number));
                assert_eq!(list.last(), Some(&3));
            }
            outcome.and_then(|()| list.resize_with(500, || 7))?;
            let mut other = KVec::collect(0..1000)?;
            let appended = list.append(&mut other);
            assert_eq!((list.len(), other.len()), if appended.is_ok() { (1500, 0) } else { (500, 1000) });
            appended
        };
        let sites = every_site(grow, |site, outcome| {
            match site {
                None => assert_eq!(outcome, Ok(())),
                // Without a large slab there is a smaller one.
                Some(site) if site.name == "fail_page_alloc" && outcome.is_ok() => {}
                Some(_) => assert_eq!(outcome, Err(Errno::ENOMEM)),
            }
        });
        assert!(sites > 5, "{sites}");
    }
}

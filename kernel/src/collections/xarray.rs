//! The xarray, also known as radix tree: something for each number, most of it nothing.
//!
//! [`XArray::lock`] gives the right to look and to change. Looking without it is for who keeps nodes from being freed meanwhile, which
//! [`XArray::load_unlocked`] leaves to the caller until there are read-side sections.

use core::marker::PhantomData;

pub use incipit_lib::xarray::Mark;
use incipit_lib::xarray::{self as tree, Entry, Found};

use super::Stored;
use super::nodes::NODES;
use crate::locking::{IrqSpinLock, IrqSpinLockGuard};
use crate::prelude::*;

pub use super::nodes::preload;

/// An array by number: Linux's `struct xarray`.
pub struct XArray<T: Stored> {
    tree: tree::XArray,
    lock: IrqSpinLock<()>,
    stored: PhantomData<T>,
}

// SAFETY: all words are atomic; what they stand for is handed out by the lock's guard, and `Stored` promises that it may be handed to and looked at by others.
unsafe impl<T: Stored> Sync for XArray<T> {}

/// The right to look into an array and to change it.
pub struct Locked<'a, T: Stored> {
    array: &'a XArray<T>,
    _held: IrqSpinLockGuard<'a, ()>,
}

impl<T: Stored> XArray<T> {
    /// An empty array.
    #[must_use]
    pub const fn new() -> Self {
        XArray {
            tree: tree::XArray::new(),
            lock: IrqSpinLock::new(()),
            stored: PhantomData,
        }
    }

    /// Waits for the lock and takes it.
    #[inline]
    pub fn lock(&self) -> Locked<'_, T> {
        Locked {
            array: self,
            _held: self.lock.lock(),
        }
    }

    /// What is at `index`, without the lock.
    ///
    /// # Safety
    ///
    /// Nothing is taken out of the array during the call and for as long as the answer is used.
    #[inline]
    pub unsafe fn load_unlocked<'a>(&'a self, index: usize) -> Option<T::Ref<'a>> {
        let entry = self.tree.load(&NODES, index)?;
        // SAFETY: the words of this tree are made from `T`; the caller sees to it that it stays.
        Some(unsafe { T::borrow(entry) })
    }
}

impl<T: Stored> Default for XArray<T> {
    fn default() -> Self {
        XArray::new()
    }
}

impl<T: Stored> Drop for XArray<T> {
    fn drop(&mut self) {
        self.lock().clear();
    }
}

impl<T: Stored> Locked<'_, T> {
    fn tree(&self) -> &tree::XArray {
        &self.array.tree
    }

    fn own(entry: Entry) -> T {
        // SAFETY: the tree's words are made from `T`, and this one has just been taken out of it, or not been put into it.
        unsafe { T::from_entry(entry) }
    }

    /// What is at `index`: Linux's `xa_load`.
    #[inline]
    pub fn load(&self, index: usize) -> Option<T::Ref<'_>> {
        let entry = self.tree().load(&NODES, index)?;
        // SAFETY: the tree's words are made from `T`; nothing is taken out for as long as `self` is borrowed.
        Some(unsafe { T::borrow(entry) })
    }

    /// Stores something at `index` and returns what was there, whose marks it takes over: Linux's `xa_store`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; what was to be stored is dropped.
    #[inline]
    pub fn store(&mut self, index: usize, new: T) -> Result<Option<T>, Errno> {
        let entry = new.into_entry();
        match self.tree().store(&NODES, index, entry) {
            Ok(old) => Ok(old.map(Self::own)),
            Err(error) => {
                drop(Self::own(entry));
                Err(error.into())
            }
        }
    }

    /// Takes `index` without storing anything: what is stored there next needs no memory. Linux's `xa_reserve`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn reserve(&mut self, index: usize) -> Result<(), Errno> {
        Ok(self.tree().reserve(&NODES, index)?)
    }

    /// Takes out what is at `index`: Linux's `xa_erase`.
    #[inline]
    pub fn remove(&mut self, index: usize) -> Option<T> {
        self.tree().remove(&NODES, index).map(Self::own)
    }

    /// The first index of `start..=max` with something at it, and what that is: Linux's `xa_find`.
    pub fn find(&self, start: usize, max: usize) -> Option<(usize, T::Ref<'_>)> {
        self.iter(start, max, None).next()
    }

    /// All that is stored at `start..=max`, in order; if there is a mark, what has it.
    pub fn iter(&self, start: usize, max: usize, mark: Option<Mark>) -> impl Iterator<Item = (usize, T::Ref<'_>)> {
        let found = self.tree().iter(&NODES, start, max, mark);
        // SAFETY: as in `load`.
        found.map(|Found { index, entry, .. }| (index, unsafe { T::borrow(entry) }))
    }

    /// Marks what is at `index`, if there is anything: Linux's `xa_set_mark`.
    pub fn set_mark(&mut self, index: usize, mark: Mark) {
        self.tree().set_mark(&NODES, index, mark);
    }

    /// Takes a mark away: Linux's `xa_clear_mark`.
    pub fn clear_mark(&mut self, index: usize, mark: Mark) {
        self.tree().clear_mark(&NODES, index, mark);
    }

    /// Whether what is at `index` has the mark: Linux's `xa_get_mark`.
    #[must_use]
    pub fn get_mark(&self, index: usize, mark: Mark) -> bool {
        self.tree().get_mark(&NODES, index, mark)
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree().is_empty()
    }

    /// Takes out and drops everything.
    pub fn clear(&mut self) {
        let mut next = Some(0);
        while let Some(Found { last, entry, .. }) = next.and_then(|index| self.tree().find(&NODES, index, usize::MAX)) {
            drop(Self::own(entry));
            next = last.checked_add(1);
        }
        self.tree().clear(&NODES);
    }
}

mod tests;

//! Numbers that stand for something ([`Idr`]), and numbers that are only taken ([`Ida`]).

use core::marker::PhantomData;
use core::ops::RangeInclusive;

use incipit_lib::ida;
use incipit_lib::idr;
use incipit_lib::xarray::Entry;

use super::Stored;
use super::nodes::NODES;
use crate::locking::{IrqSpinLock, IrqSpinLockGuard};
use crate::prelude::*;

/// Numbers, and what they stand for: Linux's `struct idr`.
pub struct Idr<T: Stored> {
    numbers: idr::Idr,
    lock: IrqSpinLock<()>,
    stored: PhantomData<T>,
}

// SAFETY: all words are atomic; what they stand for is handed out by the lock's guard, and `Stored` promises that it may be handed to and looked at by others.
unsafe impl<T: Stored> Sync for Idr<T> {}

/// The right to look numbers up, to hand them out and to take them back.
pub struct Locked<'a, T: Stored> {
    idr: &'a Idr<T>,
    _held: IrqSpinLockGuard<'a, ()>,
}

impl<T: Stored> Idr<T> {
    /// No number stands for anything.
    #[must_use]
    pub const fn new() -> Self {
        Idr {
            numbers: idr::Idr::new(),
            lock: IrqSpinLock::new(()),
            stored: PhantomData,
        }
    }

    /// Waits for the lock and takes it.
    #[inline]
    pub fn lock(&self) -> Locked<'_, T> {
        Locked {
            idr: self,
            _held: self.lock.lock(),
        }
    }
}

impl<T: Stored> Default for Idr<T> {
    fn default() -> Self {
        Idr::new()
    }
}

impl<T: Stored> Drop for Idr<T> {
    fn drop(&mut self) {
        let held = self.lock();
        for (_, entry) in held.idr.numbers.iter(&NODES) {
            drop(Locked::<T>::own(entry));
        }
        held.idr.numbers.clear(&NODES);
    }
}

impl<T: Stored> Locked<'_, T> {
    fn own(entry: Entry) -> T {
        // SAFETY: the words are made from `T`, and this one has been taken out, or not been put in, or all are about to be.
        unsafe { T::from_entry(entry) }
    }

    /// Gives `new` the lowest free number of `range`: Linux's `idr_alloc`.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if none is free, `ENOMEM`; `new` is dropped then.
    pub fn alloc(&mut self, range: RangeInclusive<u32>, new: T) -> Result<u32, Errno> {
        let entry = new.into_entry();
        let id = self.idr.numbers.alloc(&NODES, range, entry);
        id.inspect_err(|_| drop(Self::own(entry)))
    }

    /// Gives `new` the first free number of `range` behind the last that this gave, or from its start: Linux's `idr_alloc_cyclic`.
    ///
    /// # Errors
    ///
    /// As for [`Locked::alloc`].
    pub fn alloc_cyclic(&mut self, range: RangeInclusive<u32>, new: T) -> Result<u32, Errno> {
        let entry = new.into_entry();
        let id = self.idr.numbers.alloc_cyclic(&NODES, range, entry);
        id.inspect_err(|_| drop(Self::own(entry)))
    }

    /// What `id` stands for: Linux's `idr_find`.
    #[inline]
    pub fn find(&self, id: u32) -> Option<T::Ref<'_>> {
        let entry = self.idr.numbers.find(&NODES, id)?;
        // SAFETY: the words are made from `T`; nothing is taken out for as long as `self` is borrowed.
        Some(unsafe { T::borrow(entry) })
    }

    /// Makes `id` free, and returns what it stood for: Linux's `idr_remove`.
    pub fn remove(&mut self, id: u32) -> Option<T> {
        self.idr.numbers.remove(&NODES, id).map(Self::own)
    }

    /// All numbers that stand for something, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, T::Ref<'_>)> {
        // SAFETY: as in `find`.
        self.idr.numbers.iter(&NODES).map(|(id, entry)| (id, unsafe { T::borrow(entry) }))
    }
}

/// Numbers, free or taken: Linux's `struct ida`.
pub struct Ida {
    numbers: IrqSpinLock<ida::Ida>,
}

impl Ida {
    /// All are free.
    #[must_use]
    pub const fn new() -> Self {
        Ida {
            numbers: IrqSpinLock::new(ida::Ida::new()),
        }
    }

    /// Takes the lowest free number of `range`: Linux's `ida_alloc_range`.
    ///
    /// # Errors
    ///
    /// `ENOSPC` if none is free, `ENOMEM`.
    pub fn alloc(&self, range: RangeInclusive<u32>) -> Result<u32, Errno> {
        self.numbers.lock().alloc(&NODES, range)
    }

    /// Gives a number back: Linux's `ida_free`. One that is free is warned about.
    pub fn free(&self, id: u32) {
        let was_taken = self.numbers.lock().free(&NODES, id);
        warn_on!(!was_taken, "ida_free called for id={id} which is not allocated.");
    }
}

impl Default for Ida {
    fn default() -> Self {
        Ida::new()
    }
}

impl Drop for Ida {
    fn drop(&mut self) {
        self.numbers.lock().clear(&NODES);
    }
}

mod tests {
    use super::*;
    use crate::collections::Value;
    use crate::collections::nodes::in_use;

    #[ktest]
    fn numbers_lead_to_what_has_them_until_they_are_free() {
        let nodes = in_use();
        let idr = Idr::new();
        for id in 0..100 {
            assert_eq!(idr.lock().alloc(0..=99, Value(id)), Ok(id as u32));
        }
        assert_eq!(idr.lock().alloc(0..=99, Value(1)), Err(Errno::ENOSPC));
        assert_eq!(idr.lock().find(70), Some(Value(70)));
        assert_eq!(idr.lock().find(100), None);
        assert_eq!(idr.lock().remove(70), Some(Value(70)));
        assert_eq!(idr.lock().alloc_cyclic(0..=99, Value(7)), Ok(70));
        assert_eq!(idr.lock().iter().count(), 100);
        drop(idr);
        assert_eq!(in_use(), nodes);
    }

    #[ktest]
    fn taken_numbers_are_not_given_again() {
        let ida = Ida::new();
        assert!((5..1500).all(|id| ida.alloc(5..=u32::MAX) == Ok(id)));
        ida.free(9);
        assert_eq!(ida.alloc(0..=u32::MAX), Ok(0));
        assert_eq!(ida.alloc(5..=u32::MAX), Ok(9));
        assert_eq!(ida.alloc(5..=1499), Err(Errno::ENOSPC));
    }
}

//! A list without a lock: anybody puts something in front of it, in any context; who empties it takes all at once (Linux's `llist`).
//!
//! The entries have the link to the next one in them and belong to the list until they are taken. Taking all at once is what makes it simple: there is no moment in which an
//! entry that is being removed comes back. Where entries and links are is the caller's business, who gives them as [`Entry`] and [`Head`].

#[cfg(test)]
mod tests;

use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};

/// Where the list begins.
pub trait Head<E> {
    /// The first entry.
    fn load(&self, order: Ordering) -> Option<E>;
    /// Makes `new` the first one and says which was.
    fn swap(&self, new: Option<E>, order: Ordering) -> Option<E>;
    /// Makes `new` the first one if `old` is, otherwise says which is.
    fn compare_exchange(&self, old: Option<E>, new: E, order: Ordering) -> Result<(), Option<E>>;
}

/// What is in a list: a name of it, which can be copied.
pub trait Entry: Copy {
    /// The next one. Only what has the entry asks: the list, or who has taken it.
    fn next(self) -> Option<Self>;
    /// Sets the next one.
    fn set_next(self, next: Option<Self>);
}

/// Puts `entry`, which is in no list, in front; whether there was nothing before, so that who empties the list is to be told. Any context.
#[inline]
pub fn push<E: Entry>(head: &impl Head<E>, entry: E) -> bool {
    let mut first = head.load(Relaxed);
    loop {
        entry.set_next(first);
        match head.compare_exchange(first, entry, Release) {
            Ok(()) => return first.is_none(),
            Err(now) => first = now,
        }
    }
}

/// Whether nothing is in the list at the moment.
#[inline]
pub fn is_empty<E: Entry>(head: &impl Head<E>) -> bool {
    head.load(Acquire).is_none()
}

/// Takes all, the one that was put in first as the first. They belong to the caller. Any context.
#[inline]
pub fn take_all<E: Entry>(head: &impl Head<E>) -> Taken<E> {
    let mut rest = head.swap(None, AcqRel);
    let mut reversed = None;
    while let Some(entry) = rest {
        rest = entry.next();
        entry.set_next(reversed);
        reversed = Some(entry);
    }
    Taken(reversed)
}

/// Entries that have been taken out of a list. Each may be put into another one, or go, as soon as it is returned.
#[derive(Debug)]
pub struct Taken<E>(Option<E>);

impl<E: Entry> Iterator for Taken<E> {
    type Item = E;

    #[inline]
    fn next(&mut self) -> Option<E> {
        let entry = self.0?;
        self.0 = entry.next();
        Some(entry)
    }
}

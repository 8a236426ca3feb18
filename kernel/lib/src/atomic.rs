//! Words that several contexts change at once: the processor's, and in tests loom's, so that the very code that runs is tried under every interleaving.
//!
//! Only what the users here need is here; a failed comparison orders nothing.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, Ordering::Relaxed};

/// A word that holds a `T`.
pub trait Atomic<T> {
    /// Reads it.
    fn load(&self, order: Ordering) -> T;
    /// Writes it.
    fn store(&self, value: T, order: Ordering);
    /// Writes it and says what it was.
    fn swap(&self, value: T, order: Ordering) -> T;
    /// Sets it to `new` if it is `old`; says whether. Without order if not.
    fn compare_exchange(&self, old: T, new: T, order: Ordering) -> bool;
    /// Adds, wrapping around, and says what it was.
    fn fetch_add(&self, value: T, order: Ordering) -> T;
    /// Sets bits and says what it was.
    fn fetch_or(&self, bits: T, order: Ordering) -> T;
    /// Keeps these bits only and says what it was.
    fn fetch_and(&self, bits: T, order: Ordering) -> T;
    /// Keeps what comes before in order with what comes behind.
    fn fence(order: Ordering);
    /// A pause in a loop that waits for another CPU.
    fn relax();
}

/// Says so of a type whose own functions are those of `core`'s atomics.
macro_rules! atomic {
    ($word:ty, $value:ty, $fence:path, $relax:path) => {
        impl Atomic<$value> for $word {
            #[inline]
            fn load(&self, order: Ordering) -> $value {
                <$word>::load(self, order)
            }

            #[inline]
            fn store(&self, value: $value, order: Ordering) {
                <$word>::store(self, value, order);
            }

            #[inline]
            fn swap(&self, value: $value, order: Ordering) -> $value {
                <$word>::swap(self, value, order)
            }

            #[inline]
            fn compare_exchange(&self, old: $value, new: $value, order: Ordering) -> bool {
                <$word>::compare_exchange(self, old, new, order, Relaxed).is_ok()
            }

            #[inline]
            fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                <$word>::fetch_add(self, value, order)
            }

            #[inline]
            fn fetch_or(&self, bits: $value, order: Ordering) -> $value {
                <$word>::fetch_or(self, bits, order)
            }

            #[inline]
            fn fetch_and(&self, bits: $value, order: Ordering) -> $value {
                <$word>::fetch_and(self, bits, order)
            }

            #[inline]
            fn fence(order: Ordering) {
                $fence(order);
            }

            #[inline]
            fn relax() {
                $relax();
            }
        }
    };
}

atomic!(AtomicU32, u32, core::sync::atomic::fence, core::hint::spin_loop);
atomic!(AtomicU64, u64, core::sync::atomic::fence, core::hint::spin_loop);

#[cfg(test)]
mod loomed {
    use super::*;

    atomic!(
        loom::sync::atomic::AtomicU32,
        u32,
        loom::sync::atomic::fence,
        loom::thread::yield_now
    );
    atomic!(
        loom::sync::atomic::AtomicU64,
        u64,
        loom::sync::atomic::fence,
        loom::thread::yield_now
    );
}

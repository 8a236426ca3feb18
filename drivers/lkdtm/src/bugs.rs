//! Crash points in plain code: Linux's `bugs.c`.

use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit::locking::RawSpinLock;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};

#[inline(never)]
pub fn panic() -> Outcome {
    panic!("dumptest");
}

#[inline(never)]
pub fn bug() -> Outcome {
    unreachable!("dumptest");
}

/// Goes on behind the report.
#[inline(never)]
pub fn warning() -> Outcome {
    incipit::warn_on!(black_box(true));
    Ok(())
}

/// Goes on behind the report.
#[inline(never)]
pub fn warning_message() -> Outcome {
    static TRIGGERED: AtomicU32 = AtomicU32::new(0);
    incipit::warn!("Warning message trigger count: {}", TRIGGERED.fetch_add(1, Relaxed) + 1);
    Ok(())
}

/// Takes a lock and keeps it: who takes it a second time waits for himself.
#[inline(never)]
pub fn spinlockup() -> Outcome {
    static LOCK_ME_UP: RawSpinLock = RawSpinLock::new();
    LOCK_ME_UP.lock();
    Ok(())
}

/// Gives back a lock that nobody has.
#[inline(never)]
pub fn spinlock_unlock() -> Outcome {
    static FREE: RawSpinLock = RawSpinLock::new();
    // SAFETY: nobody else knows the lock, which is free before and after.
    unsafe { FREE.unlock() };
    Ok(())
}

#[inline(never)]
pub fn exception() -> Outcome {
    // SAFETY: the first page is never mapped, so the write faults.
    unsafe { access::write(0, 0) };
    SURVIVED
}

#[inline(never)]
pub fn array_bounds() -> Outcome {
    let array = black_box([0_u8; 8]);
    black_box(array[black_box(array.len())]);
    SURVIVED
}

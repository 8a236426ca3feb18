//! Crash points in plain code: Linux's `bugs.c`.

use core::hint::black_box;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

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

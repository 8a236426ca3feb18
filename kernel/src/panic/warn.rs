//! Warnings: something is wrong that the kernel can live with.

use core::fmt;
use core::panic::Location;
use core::sync::atomic::Ordering::Relaxed;

use super::{PANIC_ON_WARN, Symbol, oops, taint, task};
use crate::arch::x86::dumpstack;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// Reports something that should not be: place, backtrace, taint. With a message, that comes behind the place. Linux's `WARN`.
#[macro_export]
macro_rules! warn {
    () => { $crate::panic::warn::report(::core::panic::Location::caller(), ::core::option::Option::None) };
    ($($text:tt)+) => {
        $crate::panic::warn::report(::core::panic::Location::caller(), ::core::option::Option::Some(::core::format_args!($($text)+)))
    };
}

/// As [`warn!`](crate::warn), but only the first time that this place is reached. Linux's `WARN_ONCE`.
#[macro_export]
macro_rules! warn_once {
    ($($text:tt)*) => {{
        static REACHED: ::core::sync::atomic::AtomicBool = ::core::sync::atomic::AtomicBool::new(false);
        if !REACHED.swap(true, ::core::sync::atomic::Ordering::Relaxed) {
            $crate::warn!($($text)*);
        }
    }};
}

/// Warns if the condition holds, and says whether it does. Linux's `WARN_ON`.
#[macro_export]
macro_rules! warn_on {
    ($condition:expr $(, $($text:tt)*)?) => {{
        let holds: bool = $condition;
        if holds {
            $crate::warn!($($($text)*)?);
        }
        holds
    }};
}

/// As [`warn_on!`](crate::warn_on), but only the first time that the condition holds. Linux's `WARN_ON_ONCE`.
#[macro_export]
macro_rules! warn_on_once {
    ($condition:expr $(, $($text:tt)*)?) => {{
        let holds: bool = $condition;
        if holds {
            $crate::warn_once!($($($text)*)?);
        }
        holds
    }};
}

/// What the macros call.
///
/// # Panics
///
/// If `panic_on_warn` is set.
#[doc(hidden)]
#[cold]
#[inline(never)]
pub fn report(place: &Location<'_>, message: Option<fmt::Arguments<'_>>) {
    let caller = dumpstack::return_address();
    pr_warn!("------------[ cut here ]------------");
    pr_warn!(
        "WARNING: CPU: {} PID: {} at {}:{} {}",
        smp_processor_id(),
        task::pid(),
        place.file(),
        place.line(),
        Symbol(caller)
    );
    if let Some(message) = message {
        pr_warn!("{message}");
    }
    if PANIC_ON_WARN.load(Relaxed) {
        panic!("kernel: panic_on_warn set ...");
    }
    dumpstack::dump_stack();
    oops::print_end_marker();
    taint::add(taint::Taint::Warn);
}

#[ktest]
fn a_warning_taints_and_says_whether_its_condition_held() {
    assert!(!warn_on!(1 > 2));
    assert!(warn_on!(2 > 1, "this warning is part of a test"));
    assert!(taint::has(taint::Taint::Warn));
}

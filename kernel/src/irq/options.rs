//! What the command line says about lines that nobody cares for, and where lines go.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

use crate::prelude::*;

/// What [`IRQFIXUP`] is with `irqfixup`, and with `irqpoll`.
const FIXUP: u8 = 1;
pub(super) const POLL: u8 = 2;

/// Whether other lines are looked at when nobody handles one: 0 for no.
pub(super) static IRQFIXUP: AtomicU8 = AtomicU8::new(0);
/// Whether unhandled interrupts are not counted.
pub(super) static NOIRQDEBUG: AtomicBool = AtomicBool::new(false);
/// CPUs that `irqaffinity=` names, a bit each; 0 for all.
pub(super) static IRQAFFINITY: AtomicU64 = AtomicU64::new(0);

/// `irqfixup`: when nobody handles an interrupt, asks the handlers of all shared lines. For firmware that tells wrong lines.
#[init]
#[setup("irqfixup")]
fn irqfixup_setup(_: &'static str) -> SetupResult {
    IRQFIXUP.store(FIXUP, Relaxed);
    pr_warn!("Misrouted IRQ fixup support enabled.");
    pr_warn!("This may impact system performance.");
    SetupResult::Consumed
}

/// `irqpoll`: the same as `irqfixup`, and at each interrupt of the timer, too.
#[init]
#[setup("irqpoll")]
fn irqpoll_setup(_: &'static str) -> SetupResult {
    IRQFIXUP.store(POLL, Relaxed);
    pr_warn!("Misrouted IRQ fixup and polling support enabled");
    pr_warn!("This may significantly impact system performance");
    SetupResult::Consumed
}

/// `noirqdebug`: does not look for lines that nobody cares for.
#[init]
#[setup("noirqdebug")]
fn noirqdebug_setup(_: &'static str) -> SetupResult {
    NOIRQDEBUG.store(true, Relaxed);
    pr_info!("IRQ lockup detection disabled");
    SetupResult::Consumed
}

/// `irqaffinity=list`: the CPUs that lines go to if nobody says otherwise, as in `0,2-3`.
#[init]
#[setup("irqaffinity=")]
fn irq_affinity_setup(value: &'static str) -> SetupResult {
    match parse_list(value) {
        Some(cpus) => IRQAFFINITY.store(cpus, Relaxed),
        None => pr_warn!("irqaffinity: '{value}' is no list of CPUs"),
    }
    SetupResult::Consumed
}

/// The CPUs of a list of numbers and ranges, a bit each.
fn parse_list(text: &str) -> Option<u64> {
    text.split(',').try_fold(0, |cpus, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse::<u32>().ok()?);
        let is_range = first <= last && last < u64::BITS;
        is_range.then(|| (first..=last).fold(cpus, |cpus, cpu| cpus | 1 << cpu))
    })
}

#[ktest]
fn a_list_of_cpus_has_numbers_and_ranges() {
    assert_eq!(
        ["0", "0,2-3", "63", "5-5,1"].map(parse_list),
        [Some(1), Some(0b1101), Some(1 << 63), Some(0b10_0010)]
    );
    for wrong in ["", "x", "3-1", "64", "1,,2", "-1", "1-"] {
        assert_eq!(parse_list(wrong), None, "{wrong}");
    }
}

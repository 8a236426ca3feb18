//! Two threads with counters that are told what to show.

use std::sync::atomic::AtomicU64;
use std::thread;

use proptest::prelude::*;

use super::*;

/// Lets the other thread go on, for ever.
fn patient() -> bool {
    thread::yield_now();
    true
}

/// A clock that goes on by one with each reading, whoever reads.
struct Clock(AtomicU64);

impl Clock {
    fn read(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }
}

/// What comes of it if the target's counter is ahead of the source's by what `ahead` says of each of its readings.
fn compared(exchange: &Exchange, begin: u64, mut ahead: impl FnMut() -> i64 + Send) -> Option<Warp> {
    let clock = Clock(AtomicU64::new(begin));
    thread::scope(|scope| {
        let target = scope.spawn(|| exchange.answer(|| clock.read().wrapping_add_signed(ahead()), patient));
        let result = exchange.compare(|| clock.read(), patient);
        assert_eq!(target.join().expect("the target panicked"), Ok(()));
        result.expect("nobody was impatient")
    })
}

/// One reading is the way from one CPU to the other: a difference is seen but for this one.
fn seen(ahead: i64) -> Option<Warp> {
    let cycles = ahead.unsigned_abs().saturating_sub(1);
    (cycles != 0).then_some(Warp { cycles, is_random: false })
}

#[test]
fn counters_that_agree_have_no_warp() {
    assert_eq!(compared(&Exchange::new(), 1000, || 0), None);
}

#[test]
fn a_warp_to_both_sides_is_random() {
    let mut turn = 0;
    let warp = compared(&Exchange::new(), 1000, || {
        turn += 1;
        if turn % 2 == 0 { 50 } else { -70 }
    });
    assert_eq!(
        warp,
        Some(Warp {
            cycles: 69,
            is_random: true
        })
    );
}

#[test]
fn a_single_jump_is_found() {
    let mut turn = 0;
    let warp = compared(&Exchange::new(), 1000, || {
        turn += 1;
        if turn == ROUNDS { -500 } else { 0 }
    });
    assert_eq!(
        warp,
        Some(Warp {
            cycles: 499,
            is_random: false
        })
    );
}

#[test]
fn exchanges_can_follow_each_other() {
    let exchange = Exchange::new();
    for ahead in [0, 700, -3, 0] {
        assert_eq!(compared(&exchange, 5000, || ahead), seen(ahead));
    }
}

#[test]
fn who_does_not_want_to_compare_lets_the_other_go() {
    let exchange = Exchange::new();
    thread::scope(|scope| {
        let target = scope.spawn(|| exchange.answer(|| 0, patient));
        exchange.skip();
        assert_eq!(target.join().expect("the target panicked"), Err(Abandoned));
    });
    assert_eq!(compared(&exchange, 0, || 9), seen(9));
}

#[test]
fn one_who_comes_too_late_is_not_waited_for() {
    let exchange = Exchange::new();
    let mut looks = 0;
    let impatient = || {
        looks += 1;
        looks < 3
    };
    assert_eq!(exchange.compare(|| 0, impatient), Err(Abandoned));
    assert_eq!(exchange.answer(|| 0, || false), Err(Abandoned));
    assert_eq!(compared(&exchange, 0, || -9), seen(-9));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_difference_is_measured_wherever_the_counters_stand(begin: u64, ahead in -1_000_000_i64..1_000_000) {
        prop_assert_eq!(compared(&Exchange::new(), begin, || ahead), seen(ahead));
    }
}

use proptest::prelude::*;

use super::*;

#[test]
fn a_timer_that_comes_at_once_each_time_is_found() {
    let streak = Streak::new();
    let found = (1..=2 * MAX_EARLY).filter(|_| streak.note(true)).count();
    assert_eq!(found, 2);
}

#[test]
fn one_that_is_in_time_now_and_then_is_believed() {
    let streak = Streak::new();
    for _ in 0..4 {
        assert!(!(1..MAX_EARLY).any(|_| streak.note(true)));
        assert!(!streak.note(false));
    }
}

#[test]
fn interrupts_from_other_cpus_do_not_count() {
    let streak = Streak::new();
    for _ in 0..4 * MAX_EARLY {
        streak.forget();
        assert!(!streak.note(true));
    }
}

#[test]
fn what_is_within_the_slack_is_in_time() {
    for (deadline, now, slack, early) in [
        (100, 100, 0, false),
        (100, 99, 0, true),
        (100, 99, 1, false),
        (100, 98, 1, true),
        (100, 101, 0, false),
        // Late by any length.
        (100, 1 << 62, 0, false),
        // The counter is about to go round.
        (5, u64::MAX - 4, 9, true),
        (5, u64::MAX - 4, 10, false),
        (u64::MAX - 4, 5, 0, false),
    ] {
        assert_eq!(is_early(deadline, now, slack), early, "{deadline} at {now}, {slack} counts");
    }
}

proptest! {
    #[test]
    fn early_is_what_is_ahead_by_more_than_the_slack(now: u64, ahead in 0_u64..1 << 62, slack in 0_u64..1 << 62) {
        prop_assert_eq!(is_early(now.wrapping_add(ahead), now, slack), ahead > slack);
        prop_assert!(!is_early(now, now.wrapping_add(ahead), slack));
    }
}

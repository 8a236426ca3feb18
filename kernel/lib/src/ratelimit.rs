//! How often something may be said: at most so many times in an interval (Linux's `lib/ratelimit.c`).
//!
//! A state per place that speaks; the caller brings the clock and the lock.

/// What [`RateLimit::check`] decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether this one may pass.
    pub allowed: bool,
    /// How many did not pass in the interval that has just ended; if not 0, Linux logs
    /// `<function>: <n> callbacks suppressed`.
    pub missed: u32,
}

/// A limit and what has been counted against it.
#[derive(Clone, Debug)]
pub struct RateLimit {
    interval_ns: u64,
    burst: u32,
    /// When the interval began; `None` before the first check.
    begin_ns: Option<u64>,
    passed: u32,
    missed: u32,
}

impl RateLimit {
    /// Linux's `DEFAULT_RATELIMIT_INTERVAL`: 5 s.
    pub const DEFAULT_INTERVAL_NS: u64 = 5_000_000_000;

    /// Linux's `DEFAULT_RATELIMIT_BURST`.
    pub const DEFAULT_BURST: u32 = 10;

    /// At most `burst` passes in `interval_ns` nanoseconds. An interval of 0 is no limit; a burst
    /// of 0 lets nothing pass.
    pub const fn new(interval_ns: u64, burst: u32) -> Self {
        Self {
            interval_ns,
            burst,
            begin_ns: None,
            passed: 0,
            missed: 0,
        }
    }

    /// Counts one more at time `now_ns`, nanoseconds on a clock that does not go back. (Should it
    /// go back all the same, the interval lasts longer.)
    pub const fn check(&mut self, now_ns: u64) -> Decision {
        if self.interval_ns == 0 {
            return Decision { allowed: true, missed: 0 };
        }
        let mut missed = 0;
        let over = match self.begin_ns {
            None => true,
            Some(begin) => now_ns.saturating_sub(begin) > self.interval_ns,
        };
        if over {
            missed = self.missed;
            self.begin_ns = Some(now_ns);
            self.passed = 0;
            self.missed = 0;
        }
        let allowed = self.passed < self.burst;
        if allowed {
            self.passed += 1;
        } else {
            self.missed = self.missed.saturating_add(1);
        }
        Decision { allowed, missed }
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::new(Self::DEFAULT_INTERVAL_NS, Self::DEFAULT_BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const PASS: Decision = Decision { allowed: true, missed: 0 };
    const STOP: Decision = Decision { allowed: false, missed: 0 };

    #[test]
    fn a_burst_passes_and_the_rest_of_the_interval_does_not() {
        let mut limit = RateLimit::new(100, 2);
        let decisions: Vec<_> = [0, 0, 50, 100].map(|now| limit.check(1000 + now)).into();
        assert_eq!(decisions, [PASS, PASS, STOP, STOP]);
    }

    #[test]
    fn the_next_interval_begins_with_the_number_suppressed() {
        let mut limit = RateLimit::new(100, 1);
        assert_eq!(limit.check(0), PASS);
        assert_eq!((limit.check(1), limit.check(100)), (STOP, STOP));
        assert_eq!(limit.check(101), Decision { allowed: true, missed: 2 });
        assert_eq!(limit.check(102), STOP);
        assert_eq!(limit.check(202), Decision { allowed: true, missed: 1 });
        assert_eq!(limit.check(400), PASS);
    }

    #[test]
    fn the_default_is_ten_in_five_seconds() {
        let mut limit = RateLimit::default();
        assert_eq!((0..20).filter(|_| limit.check(7).allowed).count(), 10);
        assert!(!limit.check(7 + 5_000_000_000).allowed);
        assert_eq!(limit.check(8 + 5_000_000_000), Decision { allowed: true, missed: 11 });
    }

    #[test]
    fn an_interval_of_0_is_no_limit_and_a_burst_of_0_a_wall() {
        let mut open = RateLimit::new(0, 0);
        let mut wall = RateLimit::new(10, 0);
        for now in 0..50 {
            assert_eq!(open.check(now), PASS);
            assert!(!wall.check(now).allowed);
        }
    }

    #[test]
    fn a_clock_that_goes_back_only_prolongs_the_interval() {
        let mut limit = RateLimit::new(100, 1);
        assert_eq!(limit.check(1000), PASS);
        assert_eq!(limit.check(0), STOP);
        assert_eq!(limit.check(1100), STOP);
        assert_eq!(limit.check(1101), Decision { allowed: true, missed: 2 });
    }

    proptest! {
        #[test]
        fn no_interval_passes_more_than_the_burst_and_none_is_forgotten(
            steps in proptest::collection::vec(0_u64..40, 1..200),
            burst in 0_u32..5,
        ) {
            let mut limit = RateLimit::new(100, burst);
            let mut now = 0;
            let (mut passed, mut reported): (Vec<u64>, u32) = (Vec::new(), 0);
            for step in &steps {
                now += step;
                let decision = limit.check(now);
                reported += decision.missed;
                if decision.allowed {
                    passed.push(now);
                }
            }
            let last = limit.check(now + 101);
            let missed = reported + last.missed;
            prop_assert_eq!(passed.len() as u32 + missed, steps.len() as u32);
            // Any window of the interval's length touches at most two intervals.
            for (at, start) in passed.iter().enumerate() {
                let within = passed[at..].iter().take_while(|pass| **pass <= start + 100).count();
                prop_assert!(within as u32 <= 2 * burst);
            }
        }
    }
}

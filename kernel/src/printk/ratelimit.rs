//! Keeps one place in the code from flooding the log.

use incipit_lib::ratelimit;

use super::BustableLock;
use crate::prelude::*;
use crate::time::sched_clock;

/// Ten messages in five seconds from one place: what a `pr_*_ratelimited!` has for its own.
pub struct RateLimit {
    state: BustableLock<ratelimit::RateLimit>,
}

impl RateLimit {
    /// A limit that nothing was counted against yet.
    #[must_use]
    pub const fn new() -> Self {
        let (interval, burst) = (ratelimit::RateLimit::DEFAULT_INTERVAL_NS, ratelimit::RateLimit::DEFAULT_BURST);
        Self {
            state: BustableLock::new(ratelimit::RateLimit::new(interval, burst)),
        }
    }

    /// Whether one more message may be logged. Says first how many could not be in the interval that has ended, and which function wanted to.
    pub fn allows(&self, function: &str) -> bool {
        let Some(decision) = self.state.lock().map(|mut state| state.check(sched_clock())) else {
            return false;
        };
        if decision.missed != 0 {
            pr_warn!("{function}: {} callbacks suppressed", decision.missed);
        }
        decision.allowed
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::new()
    }
}

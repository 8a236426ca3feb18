//! Which allocations are made to fail: Linux's `struct fault_attr`.
//!
//! Decides, and reads the decision's terms from the command line. Who is asked, and what a failure looks like, is the caller's.

use core::fmt;

use crate::order::SplitMix64;
use crate::param::parse_int;

/// The terms on which something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultAttr {
    /// Of so many that could fail, one may: 0 and 1 stand for each.
    pub interval: u64,
    /// How likely that one fails, in percent.
    pub probability: u64,
    /// Bytes, or whatever the caller counts in, that pass before anything fails.
    pub space: i64,
    /// How many may fail; a negative number sets no limit.
    pub times: i64,
    count: u64,
}

/// That a text does not give the four terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl FaultAttr {
    /// Nothing fails; Linux's values for the rest.
    pub const OFF: FaultAttr = FaultAttr {
        interval: 1,
        probability: 0,
        space: 0,
        times: 1,
        count: 0,
    };

    /// Reads `<interval>,<probability>,<space>,<times>`, the form of Linux's `failslab=`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is not four integers, or one does not fit, or the probability is more than 100.
    pub fn parse(text: &[u8]) -> Result<FaultAttr, Malformed> {
        fn unsigned(word: &[u8]) -> Result<u64, Malformed> {
            parse_int(word).map_err(|_| Malformed)
        }
        fn signed(word: &[u8]) -> Result<i64, Malformed> {
            parse_int::<i32>(word).map(i64::from).map_err(|_| Malformed)
        }
        let mut words = text.split(|byte| *byte == b',');
        let mut word = || words.next().ok_or(Malformed);
        let attr = FaultAttr {
            interval: unsigned(word()?)?,
            probability: unsigned(word()?)?,
            space: signed(word()?)?,
            times: signed(word()?)?,
            count: 0,
        };
        (words.next().is_none() && attr.probability <= 100).then_some(attr).ok_or(Malformed)
    }

    /// Whether anything can fail.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.probability != 0 && self.times != 0
    }

    /// Whether this one, of `size` bytes, fails: Linux's `should_fail`. `random` decides what probability leaves open.
    pub fn should_fail(&mut self, size: u64, random: &mut SplitMix64) -> bool {
        if !self.is_on() {
            return false;
        }
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        if self.space > size {
            self.space -= size;
            return false;
        }
        if self.interval > 1 {
            self.count += 1;
            if !self.count.is_multiple_of(self.interval) {
                return false;
            }
        }
        if self.probability <= random.below(100) as u64 {
            return false;
        }
        if self.times > 0 {
            self.times -= 1;
        }
        true
    }
}

/// As Linux's report has them.
impl fmt::Display for FaultAttr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "interval {}, probability {}, space {}, times {}",
            self.interval, self.probability, self.space, self.times
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec::Vec;

    fn attr(text: &str) -> FaultAttr {
        FaultAttr::parse(text.as_bytes()).unwrap()
    }

    /// Which of so many allocations of `size` bytes fail, by number.
    fn failing(mut attr: FaultAttr, count: usize, size: u64) -> Vec<usize> {
        let mut random = SplitMix64::new(1);
        (0..count).filter(|_| attr.should_fail(size, &mut random)).collect()
    }

    #[test]
    fn the_terms_are_four_integers() {
        let terms = attr("10,50,-3,0x20");
        assert_eq!((terms.interval, terms.probability, terms.space, terms.times), (10, 50, -3, 32));
        assert_eq!(attr("1,100,0,-1").to_string(), "interval 1, probability 100, space 0, times -1");
        for text in [
            "",
            "1",
            "1,2,3",
            "1,2,3,",
            "1,2,3,4,5",
            "-1,2,3,4",
            "1,101,0,1",
            "a,b,c,d",
            "1,2,3,4x",
            "1, 2,3,4",
            "1,1,4294967296,1",
        ] {
            assert_eq!(FaultAttr::parse(text.as_bytes()), Err(Malformed), "{text:?}");
        }
    }

    #[test]
    fn certainty_fails_each_until_the_times_are_up() {
        assert_eq!(failing(attr("1,100,0,-1"), 4, 8), [0, 1, 2, 3]);
        assert_eq!(failing(attr("0,100,0,2"), 4, 8), [0, 1]);
        assert_eq!(failing(attr("1,100,0,0"), 4, 8), []);
        assert_eq!(failing(FaultAttr::OFF, 4, 8), []);
    }

    #[test]
    fn an_interval_of_three_fails_each_third() {
        assert_eq!(failing(attr("3,100,0,-1"), 9, 8), [2, 5, 8]);
    }

    #[test]
    fn space_passes_first() {
        // 20 bytes: two of eight pass and leave four, which is not more than the third has.
        assert_eq!(failing(attr("1,100,20,-1"), 5, 8), [2, 3, 4]);
        assert_eq!(failing(attr("1,100,20,-1"), 2, u64::MAX), [0, 1]);
    }

    proptest! {
        #[test]
        fn a_probability_is_about_as_likely_as_it_says(probability in 0_u64..=100) {
            let terms = FaultAttr { probability, times: -1, ..FaultAttr::OFF };
            let failed = failing(terms, 10_000, 1).len() as u64;
            prop_assert!(failed.abs_diff(probability * 100) <= 200, "{} of 10000", failed);
        }

        #[test]
        fn never_more_fail_than_may(interval in 0_u64..5, probability in 0_u64..=100, times in 0_i64..20, sizes in proptest::collection::vec(any::<u64>(), 0..100)) {
            let mut attr = FaultAttr { interval, probability, times, ..FaultAttr::OFF };
            let mut random = SplitMix64::new(7);
            let failed = sizes.iter().filter(|size| attr.should_fail(**size, &mut random)).count();
            prop_assert!(failed as i64 <= times);
            prop_assert!(failed as u64 <= sizes.len() as u64 / interval.max(1));
        }

        #[test]
        fn any_text_is_read_or_refused(text: Vec<u8>) {
            if let Ok(attr) = FaultAttr::parse(&text) {
                prop_assert!(attr.probability <= 100);
            }
        }
    }
}

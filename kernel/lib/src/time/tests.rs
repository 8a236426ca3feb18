use super::*;
use proptest::prelude::*;
use std::string::ToString;

#[test]
fn known_moments_have_their_dates() {
    // What `date -u -d @N` prints.
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00 UTC"),
        (-1, "1969-12-31T23:59:59 UTC"),
        (951_782_400, "2000-02-29T00:00:00 UTC"),
        (1_700_000_000, "2023-11-14T22:13:20 UTC"),
        (4_107_542_400, "2100-03-01T00:00:00 UTC"),
        (253_402_300_799, "9999-12-31T23:59:59 UTC"),
        (-62_167_219_200, "0000-01-01T00:00:00 UTC"),
    ] {
        assert_eq!(Date::from_unix(seconds).to_string(), text);
        assert_eq!(Date::from_unix(seconds).to_unix(), seconds);
    }
}

#[test]
fn dates_that_no_calendar_has_are_refused() {
    for (year, month, day) in [
        (2023, 2, 29),
        (1900, 2, 29),
        (2000, 13, 1),
        (2000, 0, 1),
        (2000, 1, 0),
        (2000, 4, 31),
        (i64::MAX, 1, 1),
    ] {
        assert_eq!(Date::new(year, month, day, 0, 0, 0), Err(InvalidDate), "{year}-{month}-{day}");
    }
    for (hour, minute, second) in [(24, 0, 0), (0, 60, 0), (0, 0, 60), (255, 255, 255)] {
        assert_eq!(Date::new(2000, 2, 29, hour, minute, second), Err(InvalidDate));
    }
    assert!(Date::new(2000, 2, 29, 23, 59, 59).is_ok());
}

#[test]
fn a_sum_of_times_ends_at_the_last_one() {
    assert_eq!(Ktime::MAX + Ktime::from_ns(1), Ktime::MAX);
    assert_eq!(Ktime::from_ns(1) - Ktime::from_ns(2), Ktime::ZERO);
    assert_eq!(Ktime::from_secs(u64::MAX), Ktime::MAX);
    assert_eq!(Ktime::from_ms(1500).to_string(), "1.500000000");
    assert_eq!(Ktime::from_us(1999).as_ms(), 1);
}

#[test]
fn a_second_of_nanoseconds_is_no_timespec() {
    assert_eq!(Timespec::new(0, 1_000_000_000), None);
    let last = Timespec::new(-1, 999_999_999).unwrap();
    assert_eq!((last.secs(), last.nanos(), last.to_ktime()), (-1, 999_999_999, None));
    assert_eq!(Timespec::new(i64::MAX, 0).unwrap().to_ktime(), None);
}

proptest! {
    #[test]
    fn a_moment_comes_back_from_its_date(seconds in -3_000_000_000_000_000_000_i64..3_000_000_000_000_000_000) {
        let date = Date::from_unix(seconds);
        prop_assert_eq!(date.to_unix(), seconds);
        prop_assert_eq!(Date::new(date.year, date.month, date.day, date.hour, date.minute, date.second), Ok(date));
    }

    #[test]
    fn a_later_moment_has_a_later_date(seconds in -100_000_000_000_i64..100_000_000_000, more in 1_i64..10_000_000) {
        prop_assert!(Date::from_unix(seconds) < Date::from_unix(seconds + more));
    }

    #[test]
    fn a_time_is_its_timespec(ns in any::<u64>()) {
        let time = Ktime::from_ns(ns);
        prop_assert_eq!(Timespec::from(time).to_ktime(), Some(time));
    }
}

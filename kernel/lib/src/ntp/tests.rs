use super::*;
use proptest::prelude::*;

fn ns(ntp: &Ntp) -> i64 {
    (ntp.second_length() >> 32) as i64
}

#[test]
fn a_frequency_makes_seconds_longer() {
    let mut ntp = Ntp::new();
    assert_eq!(ntp.second_length(), NSEC_PER_SEC << 32);
    ntp.adjust(Adjustment {
        frequency: Some(100 << PPM_SHIFT),
        ..Adjustment::default()
    })
    .unwrap();
    assert_eq!(ns(&ntp), 1_000_100_000);
    ntp.adjust(Adjustment {
        frequency: Some(i64::MIN),
        ..Adjustment::default()
    })
    .unwrap();
    assert_eq!(ns(&ntp), 999_500_000);
}

#[test]
fn a_time_constant_too_large_changes_nothing() {
    let mut ntp = Ntp::new();
    let wrong = Adjustment {
        frequency: Some(1),
        time_constant: Some(MAX_TIME_CONSTANT + 1),
        ..Adjustment::default()
    };
    assert_eq!(ntp.adjust(wrong), Err(Errno::EINVAL));
    assert_eq!(ntp, Ntp::new());
}

#[test]
fn a_leap_second_comes_once_at_the_end_of_the_day() {
    for (leap, second, step) in [(Leap::Insert, 86_400, -1), (Leap::Delete, 86_399, 1)] {
        let mut ntp = Ntp::new();
        ntp.adjust(Adjustment {
            leap: Some(leap),
            ..Adjustment::default()
        })
        .unwrap();
        assert_eq!(ntp.second_overflow(5), 0);
        assert_eq!(ntp.second_overflow(second), step, "{leap:?}");
        assert_eq!(ntp.second_overflow(second), 0, "{leap:?}");
    }
}

#[test]
fn without_news_the_error_grows_to_its_end() {
    let mut ntp = Ntp::new();
    ntp.adjust(Adjustment {
        max_error_us: Some(1000),
        ..Adjustment::default()
    })
    .unwrap();
    ntp.second_overflow(1);
    assert_eq!(ntp.max_error_us(), 1500);
    (0..100_000).for_each(|second| assert_eq!(ntp.second_overflow(second), 0));
    assert_eq!(ntp.max_error_us(), MAX_ERROR_US);
}

proptest! {
    #[test]
    fn an_offset_is_made_good_to_the_nanosecond(offset in -MAX_OFFSET_NS..=MAX_OFFSET_NS, constant in 0..=4_u32) {
        let mut ntp = Ntp::new();
        ntp.adjust(Adjustment { offset_ns: Some(offset), time_constant: Some(constant), ..Adjustment::default() }).unwrap();
        let mut made_good = 0;
        for second in 0..3000 {
            ntp.second_overflow(second);
            made_good += ns(&ntp) - NSEC_PER_SEC as i64;
        }
        prop_assert_eq!(made_good, offset);
        prop_assert_eq!(ntp.offset_ns(), 0);
    }
}

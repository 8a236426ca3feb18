use super::watchdog::{INTERVAL_NS, Intervals, THRESHOLD_NS, Verdict};
use super::*;
use proptest::prelude::*;

#[test]
fn scales_are_those_that_linux_logs() {
    // From logs of Linux: "clocksource: hpet: mask: 0xffffffff max_cycles: 0xffffffff, max_idle_ns: 19112604467 ns",
    // "acpi_pm: mask: 0xffffff max_cycles: 0xffffff, max_idle_ns: 2085701024 ns",
    // "refined-jiffies: mask: 0xffffffff max_cycles: 0xffffffff, max_idle_ns: 1910969940391419 ns" (HZ=1000).
    for (hertz, mask, max_cycles, max_idle_ns) in [
        (100_000_000, 0xffff_ffff, 0xffff_ffff, 19_112_604_467),
        (3_579_545, 0xff_ffff, 0xff_ffff, 2_085_701_024),
    ] {
        let limits = Limits::new(Scale::for_counter(hertz, mask), mask);
        assert_eq!((limits.max_cycles, limits.max_idle_ns), (max_cycles, max_idle_ns), "{hertz} Hz");
    }
    // "tsc: mask: 0xffffffffffffffff max_cycles: 0x1cd42e208c, max_idle_ns: 881590405314 ns" at 1000 MHz times 1.0 (kvm-clock's rate: "0x1cd42e4dffb, max_idle_ns: 881590591483").
    let kvm = Scale { mult: 1 << 23, shift: 23 };
    assert_eq!(
        Limits::new(kvm, u64::MAX),
        Limits {
            max_cycles: 0x01cd_42e4_dffb,
            max_idle_ns: 881_590_591_483
        }
    );
}

#[test]
fn a_counter_of_any_rate_has_a_scale() {
    for hertz in [0, 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, u64::MAX] {
        for mask in [1, 0xff_ffff, u64::MAX] {
            let scale = Scale::for_counter(hertz, mask);
            assert!(scale.mult > 0 && (1..=32).contains(&scale.shift), "{hertz} Hz {mask:#x}: {scale:?}");
        }
    }
}

#[test]
fn a_counter_of_64_bits_does_not_go_back() {
    assert_eq!(delta(5, 7, u64::MAX), 0);
    assert_eq!(delta(5, 7, 0xffff), 0xfffe);
    assert_eq!(delta(2, u64::MAX, u64::MAX), 3);
}

#[test]
fn a_clock_that_jumps_is_found() {
    let agree = Intervals {
        clocksource: INTERVAL_NS,
        watchdog: INTERVAL_NS + 100_000,
    };
    assert_eq!(agree.verdict(0, u64::MAX), Verdict::Agree);
    for jump in [2 * INTERVAL_NS, INTERVAL_NS + 200_000, 0, INTERVAL_NS - 200_000] {
        let jumped = Intervals {
            clocksource: jump,
            watchdog: INTERVAL_NS,
        };
        assert_eq!(jumped.verdict(0, u64::MAX), Verdict::Unstable, "{jump}");
    }
    let within = Intervals {
        clocksource: INTERVAL_NS + THRESHOLD_NS,
        watchdog: INTERVAL_NS,
    };
    assert_eq!(within.verdict(THRESHOLD_NS, u64::MAX), Verdict::Agree);
    assert_eq!(agree.verdict(0, INTERVAL_NS / 4), Verdict::Unknown);
    assert_eq!(
        Intervals {
            clocksource: 5,
            watchdog: 0
        }
        .verdict(0, u64::MAX),
        Verdict::Unknown
    );
}

proptest! {
    #[test]
    fn a_scale_is_exact_to_a_part_in_a_million(hertz in 1_000_000_u64..20_000_000_000) {
        let ns = Scale::for_counter(hertz, u64::MAX).nanoseconds(hertz);
        prop_assert!(ns.abs_diff(NSEC_PER_SEC) <= 1000, "{} Hz: {} ns", hertz, ns);
    }

    #[test]
    fn ten_minutes_fit_64_bits(hertz in 1_000_u64..20_000_000_000) {
        let scale = Scale::for_counter(hertz, u64::MAX);
        prop_assert!((hertz * 600).checked_mul(scale.mult.into()).is_some());
    }

    #[test]
    fn within_the_limits_nothing_overflows(hertz in 1_u64..20_000_000_000, bits in 16_u32..=64) {
        let (scale, mask) = (Scale::for_counter(hertz, mask(bits)), mask(bits));
        let limits = Limits::new(scale, mask);
        prop_assert!(limits.max_cycles <= mask);
        let fastest = u64::from(scale.mult) + u64::from(scale.max_adjustment());
        prop_assert!(limits.max_cycles.checked_mul(fastest).is_some());
    }
}

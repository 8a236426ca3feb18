use super::*;
use proptest::prelude::*;

#[test]
fn the_best_source_that_says_anything_counts() {
    // A Sky Lake desktop (i7-6700K): 24 MHz times 334 / 2.
    let desktop = Told {
        ratio: Ratio {
            denominator: 2,
            numerator: 334,
            crystal_hz: 0,
        },
        base_mhz: 4000,
        hypervisor_khz: 0,
        model: Some((6, 0x5e)),
    };
    assert_eq!(desktop.khz(), Some((4_008_000, Source::Crystal)));
    assert_eq!(Told { model: None, ..desktop }.khz(), Some((4_000_000, Source::BaseFrequency)));
    assert_eq!(
        Told {
            hypervisor_khz: 2_394_454,
            ..desktop
        }
        .khz(),
        Some((2_394_454, Source::Hypervisor))
    );
    let told = Ratio {
        denominator: 2,
        numerator: 156,
        crystal_hz: 38_400_000,
    };
    assert_eq!(
        Told {
            ratio: told,
            ..Told::default()
        }
        .khz(),
        Some((2_995_200, Source::Crystal))
    );
}

#[test]
fn nothing_told_is_nothing_known() {
    assert_eq!(Told::default().khz(), None);
    let no_ratio = Ratio {
        denominator: 0,
        numerator: 1,
        crystal_hz: 24_000_000,
    };
    assert_eq!(
        Told {
            ratio: no_ratio,
            ..Told::default()
        }
        .khz(),
        None
    );
    let too_slow = Ratio {
        denominator: u32::MAX,
        numerator: 1,
        crystal_hz: 1,
    };
    assert_eq!(
        Told {
            ratio: too_slow,
            ..Told::default()
        }
        .khz(),
        None
    );
}

#[test]
fn errors_are_parts_in_a_million() {
    assert_eq!(error_ppm(1_000_100, 1_000_000), 100);
    assert_eq!(error_ppm(999_900, 1_000_000), -100);
    assert_eq!(error_ppm(u64::MAX, 0), i64::MAX);
    assert_eq!(error_ppm(0, u64::MAX), -1_000_000);
}

#[test]
fn two_of_three_clocks_are_believed() {
    let rate = 2_600_000;
    for (first, second, judgement) in [
        (2_600_100, None, Judgement::Agree),
        (2_600_100, Some(1_300_000), Judgement::Agree),
        (1_300_000, Some(2_599_900), Judgement::ReferenceIsWrong),
        (1_300_000, Some(1_300_100), Judgement::RateIsWrong),
        (1_300_000, Some(5_200_000), Judgement::Unknown),
        (1_300_000, None, Judgement::Unknown),
        (0, Some(u64::MAX), Judgement::Unknown),
    ] {
        assert_eq!(judge(rate, first, second), judgement, "{first} {second:?}");
    }
}

proptest! {
    #[test]
    fn any_leaves_give_a_rate_above_0_or_none(denominator: u32, numerator: u32, crystal_hz: u32, base_mhz: u32) {
        let told = Told { ratio: Ratio { denominator, numerator, crystal_hz }, base_mhz, hypervisor_khz: 0, model: Some((6, 0x55)) };
        prop_assert_ne!(told.khz().map(|(khz, _)| khz), Some(0));
    }
}

use super::*;
use crate::clocksource::mask;
use crate::ntp::PPM_SHIFT;
use proptest::prelude::*;

const GHZ: u64 = 1_000_000_000;

fn keeper(hertz: u64) -> Timekeeper {
    Timekeeper::new(0, u64::MAX, Scale::for_counter(hertz, u64::MAX))
}

#[test]
fn a_second_is_a_second_however_often_it_is_updated() {
    for hertz in [3_579_545, 14_318_180, GHZ, 2_394_454_000, 9_999_999_999] {
        let (mut once, mut often) = (keeper(hertz), keeper(hertz));
        once.advance(hertz);
        (1..=10_000).for_each(|step| often.advance(hertz * step / 10_000));
        assert_eq!(once.mono(), often.mono(), "{hertz} Hz");
        assert!(once.mono().ns.abs_diff(NSEC_PER_SEC) < 1000, "{hertz} Hz: {}", once.mono().ns);
    }
}

#[test]
fn a_year_without_an_update_does_not_overflow() {
    let year = 365 * 86_400;
    let now = keeper(3 * GHZ).mono().at(year * 3 * GHZ);
    assert!(now.abs_diff(year * NSEC_PER_SEC) < year * 1000, "{now}");
}

#[test]
fn a_counter_that_goes_round_is_followed() {
    let hertz = 3_579_545;
    let mut keeper = Timekeeper::new(0xff_fff0, mask(24), Scale::for_counter(hertz, mask(24)));
    keeper.advance(0x10);
    assert_eq!((keeper.cycle_last(), keeper.mono().ns), (0x10, 0x20 * NSEC_PER_SEC / hertz));
}

#[test]
fn clocks_that_stood_catch_up_and_none_goes_back() {
    let mut keeper = keeper(GHZ);
    keeper.advance(5 * NSEC_PER_SEC);
    let (real, raw) = (keeper.real(), keeper.raw().ns);
    keeper.catch_up(keeper.mono().ns - 1);
    assert_eq!((keeper.real(), keeper.raw().ns), (real, raw));
    keeper.catch_up(keeper.mono().ns + 2_000_000_000);
    assert_eq!((keeper.real(), keeper.raw().ns), (real.add_ns(2_000_000_000), raw + 2_000_000_000));
    // And on from there.
    let mono = keeper.mono().ns;
    keeper.advance(6 * NSEC_PER_SEC);
    assert_eq!(keeper.mono().ns, mono + NSEC_PER_SEC);
}

#[test]
fn steering_moves_the_monotonic_clock_and_not_the_raw_one() {
    let mut keeper = keeper(GHZ);
    keeper
        .adjust(Adjustment {
            frequency: Some(100 << PPM_SHIFT),
            ..Adjustment::default()
        })
        .unwrap();
    keeper.advance(10 * GHZ);
    assert!(keeper.mono().ns.abs_diff(10_001_000_000) <= 1, "{}", keeper.mono().ns);
    assert_eq!(keeper.raw().ns, 10 * NSEC_PER_SEC);
}

#[test]
fn an_offset_is_made_good_to_a_part_in_fifty() {
    let mut keeper = keeper(GHZ);
    keeper
        .adjust(Adjustment {
            offset_ns: Some(-1_000_000),
            time_constant: Some(0),
            ..Adjustment::default()
        })
        .unwrap();
    (1..=20_000).for_each(|step| keeper.advance(step * GHZ / 100));
    // A second ends with the first update behind it, which is up to a hundredth late.
    assert!(keeper.mono().ns.abs_diff(199_999_000_000) < 20_000, "{}", keeper.mono().ns);
}

#[test]
fn real_time_is_set_and_refused() {
    let mut keeper = keeper(GHZ);
    keeper.advance(5 * GHZ);
    keeper.set_real(Timespec::new(1_700_000_000, 7).unwrap()).unwrap();
    assert_eq!(keeper.real(), Ktime::from_secs(1_700_000_000).add_ns(7));
    for wrong in [-1, 4, i64::MAX] {
        assert_eq!(keeper.set_real(Timespec::new(wrong, 0).unwrap()), Err(Errno::EINVAL), "{wrong}");
    }
    let before = keeper.mono();
    keeper.inject_sleep(Ktime::from_secs(60));
    assert_eq!((keeper.mono(), keeper.boot_offset_ns()), (before, 60 * NSEC_PER_SEC));
    assert_eq!(keeper.real().as_secs(), 1_700_000_060);
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Update(u32),
    Change(u32, u32),
    Steer(i32, i32),
    Set(u32),
}

fn events() -> impl Strategy<Value = std::vec::Vec<Event>> {
    let event = prop_oneof![
        any::<u32>().prop_map(Event::Update),
        (0..1_000_000_000_u32, 1_000_000..4_000_000_000_u32).prop_map(|(passed, hertz)| Event::Change(passed, hertz)),
        (any::<i32>(), any::<i32>()).prop_map(|(frequency, offset)| Event::Steer(frequency, offset)),
        any::<u32>().prop_map(Event::Set),
    ];
    proptest::collection::vec(event, 1..60)
}

proptest! {
    #[test]
    fn whatever_happens_the_clock_does_not_go_back(events in events()) {
        let (mut keeper, mut counter, mut last) = (keeper(GHZ), 0_u64, 0);
        for event in events {
            match event {
                Event::Update(passed) => {
                    counter += u64::from(passed);
                    let read = keeper.mono().at(counter - keeper.cycle_last());
                    keeper.advance(counter);
                    prop_assert_eq!(keeper.mono().ns, read);
                }
                Event::Change(passed, hertz) => {
                    let old = counter + u64::from(passed);
                    counter = u64::from(hertz) * 3;
                    keeper.change_clocksource(old, counter, u64::MAX, Scale::for_counter(hertz.into(), u64::MAX));
                }
                Event::Steer(frequency, offset) => {
                    let change = Adjustment { frequency: Some(frequency.into()), offset_ns: Some(offset.into()), time_constant: Some(0), ..Adjustment::default() };
                    prop_assert_eq!(keeper.adjust(change), Ok(()));
                }
                Event::Set(seconds) => {
                    let _ = keeper.set_real(Timespec::new(seconds.into(), 0).unwrap());
                }
            }
            prop_assert!(keeper.mono().ns >= last);
            last = keeper.mono().ns;
        }
    }
}

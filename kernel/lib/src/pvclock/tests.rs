//! A host in memory: right, in the middle of writing, and wrong.

use super::*;
use core::cell::Cell;
use core::sync::atomic::fence;
use proptest::prelude::*;
use std::thread;

impl VcpuTimeInfo {
    /// What a host does: Linux's and QEMU's order.
    fn write(&self, tsc_timestamp: u64, system_time: u64, scale: Scale, flags: u8) {
        let version = self.version.load(Relaxed);
        self.version.store(version | 1, core::sync::atomic::Ordering::SeqCst);
        fence(core::sync::atomic::Ordering::SeqCst);
        self.tsc_timestamp.store(tsc_timestamp, Relaxed);
        self.system_time.store(system_time, Relaxed);
        self.tsc_to_system_mul.store(scale.mul, Relaxed);
        self.shift_and_flags
            .store(u32::from(scale.shift.cast_unsigned()) | u32::from(flags) << 8, Relaxed);
        self.version
            .store((version | 1).wrapping_add(1), core::sync::atomic::Ordering::SeqCst);
    }
}

/// The scale that a host writes for a counter of so many kHz: the factor has its highest bit set.
fn scale_of(khz: u64) -> Scale {
    let (mut rate, mut shift) = (khz * 1000, 0_i8);
    while rate > 2_000_000_000 {
        rate >>= 1;
        shift -= 1;
    }
    while rate <= 1_000_000_000 {
        rate <<= 1;
        shift += 1;
    }
    // Exact: the rate loses bits above.
    let shifted = |value: u128| if shift < 0 { value << -shift } else { value >> shift };
    let mul = (shifted(1_000_000_000_u128 << 32) / (u128::from(khz) * 1000)) as u32;
    Scale { mul, shift }
}

#[test]
fn the_layout_is_the_hosts() {
    assert_eq!((size_of::<VcpuTimeInfo>(), align_of::<VcpuTimeInfo>()), (32, 32));
    assert_eq!(core::mem::offset_of!(VcpuTimeInfo, tsc_timestamp), 8);
    assert_eq!(core::mem::offset_of!(VcpuTimeInfo, system_time), 16);
    assert_eq!(core::mem::offset_of!(VcpuTimeInfo, tsc_to_system_mul), 24);
    assert_eq!(core::mem::offset_of!(VcpuTimeInfo, shift_and_flags), 28);
}

#[test]
fn time_goes_on_from_what_the_host_wrote() {
    let info = VcpuTimeInfo::new();
    assert!(!info.is_written());
    // 2 GHz: half a nanosecond a tick, which is 2^31 in units of 2^-32.
    info.write(1000, 5_000_000, Scale { mul: 1 << 31, shift: 0 }, 1);
    assert!(info.is_written());
    let read = |tsc| info.read(|| tsc).unwrap();
    assert_eq!(
        read(1000),
        Reading {
            ns: 5_000_000,
            is_stable: true,
            was_stopped: false
        }
    );
    assert_eq!(read(3001).ns, 5_001_000);
    assert_eq!(read(999).ns, 5_000_000, "a counter that is behind is no reason to go back for ages");
    info.write(1000, 7, Scale { mul: 1 << 31, shift: -1 }, 2);
    assert_eq!(
        read(5000),
        Reading {
            ns: 1007,
            is_stable: false,
            was_stopped: true
        }
    );
    info.write(1000, 7, Scale { mul: 1 << 31, shift: 3 }, 0);
    assert_eq!(read(2000).ns, 4007);
}

#[test]
fn nothing_is_read_of_what_the_host_is_writing() {
    let info = VcpuTimeInfo::new();
    let scale = Scale { mul: 1 << 31, shift: 1 };
    info.write(0, 100, scale, 1);
    // The host begins when the counter has been read, and ends before it is read the second time.
    let turn = Cell::new(0);
    let reading = info.read(|| {
        turn.set(turn.get() + 1);
        match turn.get() {
            1 => {
                info.version.fetch_add(1, Relaxed);
                info.system_time.store(u64::MAX / 2, Relaxed);
            }
            2 => info.write(0, 200, scale, 1),
            _ => {}
        }
        50
    });
    assert_eq!((reading.unwrap().ns, turn.get()), (250, 3));
}

#[test]
fn a_host_that_never_finishes_is_no_hang() {
    let info = VcpuTimeInfo::new();
    info.version.store(7, Relaxed);
    assert_eq!(info.read(|| 1), Err(NeverWhole));
    assert_eq!(info.scale(), Err(NeverWhole));
}

#[test]
fn two_writers_worth_of_changes_are_never_mixed() {
    let info = VcpuTimeInfo::new();
    let scale = Scale { mul: 0, shift: 0 };
    info.write(0, 0, scale, 0);
    thread::scope(|scope| {
        scope.spawn(|| (1..20_000_u64).for_each(|value| info.write(0, value << 32 | value, scale, (value & 3) as u8)));
        let mut last = 0;
        while last < 19_999 {
            let reading = info.read(|| 0).unwrap();
            let (high, low) = (reading.ns >> 32, reading.ns & 0xffff_ffff);
            assert!(high == low && high >= last, "{reading:x?} after {last}");
            assert_eq!((reading.is_stable, reading.was_stopped), (low & 1 != 0, low & 2 != 0));
            last = low;
        }
    });
}

#[test]
fn what_is_told_never_goes_back_unless_the_host_vouches_for_it() {
    let latest = Latest::new();
    let reading = |ns, is_stable| Reading {
        ns,
        is_stable,
        was_stopped: false,
    };
    assert_eq!(latest.told(reading(5, false)), 5);
    assert_eq!(latest.told(reading(3, false)), 5);
    assert_eq!(latest.told(reading(9, false)), 9);
    assert_eq!(latest.told(reading(4, true)), 4);
}

#[test]
fn a_counter_that_does_not_count_has_no_rate() {
    assert_eq!(Scale { mul: 0, shift: 0 }.khz(), None);
    assert_eq!(Scale { mul: 1, shift: -128 }.khz(), None);
    assert_eq!(Scale { mul: u32::MAX, shift: 127 }.khz(), None);
    assert_eq!(Scale { mul: 1 << 31, shift: 0 }.khz(), Some(2_000_000));
    assert_eq!(Scale { mul: 1 << 31, shift: 1 }.khz(), Some(1_000_000));
    assert_eq!(Scale { mul: 1 << 31, shift: -1 }.khz(), Some(4_000_000));
}

proptest! {
    #[test]
    fn any_scale_is_the_arithmetic_of_128_bits(ticks: u64, mul: u32, shift: i8) {
        let bits = u32::from(shift.unsigned_abs());
        // Modulo 2^64 before the product, as the host's own code has it.
        let shifted = match (shift < 0, bits) {
            (true, 0..64) => ticks >> bits,
            (false, 0..64) => ((u128::from(ticks) << bits) & u128::from(u64::MAX)) as u64,
            _ => 0,
        };
        let expected = (u128::from(shifted) * u128::from(mul)) / (1 << 32);
        prop_assert_eq!(u128::from(Scale { mul, shift }.nanoseconds(ticks)), expected);
    }

    #[test]
    fn the_rate_comes_back(khz in 1_000_u64..10_000_000) {
        let found = scale_of(khz).khz().unwrap();
        prop_assert!(found.abs_diff(khz) <= khz / 1_000_000 + 1, "{found} for {khz}");
        // And a second is a second, within the same.
        let second = scale_of(khz).nanoseconds(khz * 1000);
        prop_assert!(second.abs_diff(1_000_000_000) <= 1000, "{second}");
    }

    #[test]
    fn whatever_stands_there_is_read_or_refused(words: [u64; 4], tsc: u64) {
        let info = VcpuTimeInfo::new();
        info.version.store(words[0] as u32, Relaxed);
        info.tsc_timestamp.store(words[1], Relaxed);
        info.system_time.store(words[2], Relaxed);
        info.tsc_to_system_mul.store(words[3] as u32, Relaxed);
        info.shift_and_flags.store((words[3] >> 32) as u32, Relaxed);
        prop_assert_eq!(info.read(|| tsc).is_ok(), words[0] & 1 == 0);
    }
}

#[test]
fn the_layout_of_real_time_is_the_hosts() {
    assert_eq!((size_of::<WallClock>(), align_of::<WallClock>()), (12, 4));
    assert_eq!(core::mem::offset_of!(WallClock, sec), 4);
    assert_eq!(core::mem::offset_of!(WallClock, nsec), 8);
}

fn wall_clock(version: u32, sec: u32, nsec: u32) -> WallClock {
    WallClock {
        version: version.into(),
        sec: sec.into(),
        nsec: nsec.into(),
    }
}

#[test]
fn real_time_is_what_it_was_and_what_has_passed_since() {
    let read = |nsec, since| wall_clock(2, 1_700_000_000, nsec).read(Ktime::from_ns(since));
    assert_eq!(read(999_999_999, 0), Ok(Timespec::new(1_700_000_000, 999_999_999).unwrap()));
    assert_eq!(read(999_999_999, 2_000_000_001), Ok(Timespec::new(1_700_000_003, 0).unwrap()));
}

#[test]
fn a_host_that_tells_no_real_time_is_named() {
    assert_eq!(WallClock::new().read(Ktime::ZERO), Err(NoWallClock::NotWritten));
    assert_eq!(wall_clock(3, 1, 1).read(Ktime::ZERO), Err(NoWallClock::NeverWhole));
    assert_eq!(
        wall_clock(2, 1, 1_000_000_000).read(Ktime::ZERO),
        Err(NoWallClock::Nanoseconds(1_000_000_000))
    );
}

proptest! {
    #[test]
    fn whatever_the_host_writes_is_a_time_or_an_error(version: u32, sec: u32, nsec: u32, since: u64) {
        // The one that is odd costs a while, and always says the same.
        prop_assume!(version & 1 == 0);
        let told = wall_clock(version, sec, nsec).read(Ktime::from_ns(since));
        prop_assert_eq!(told.is_ok(), version != 0 && nsec < 1_000_000_000);
        if let Ok(time) = told {
            prop_assert!(time.secs() >= i64::from(sec));
        }
    }
}

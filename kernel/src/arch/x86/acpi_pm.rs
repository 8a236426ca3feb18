//! The power management timer of ACPI (4.8.3.3): its counter as a clocksource.
//!
//! 3.579545 MHz, 24 bits or more, read from a port: slow, but it does not stop. On some chips a reading in the middle of a change is nonsense; so it is read three times until the
//! values are in order, which Linux does on the chips that it knows of.

use core::sync::atomic::{AtomicU16, Ordering::Relaxed};

use linkme::distributed_slice;
use x86::io::inl;

use crate::prelude::*;
use crate::time::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};

/// Counts per second: Linux's `PMTMR_TICKS_PER_SEC`.
const HERTZ: u64 = 3_579_545;
/// Machines whose counter has 32 bits have these as well.
const MASK: u32 = 0xff_ffff;

/// How often the counter is looked at to see whether it is one, and how many readings may pass until it has moved: Linux's `ACPI_PM_MONOTONICITY_CHECKS` and `ACPI_PM_READ_CHECKS`.
const CHECKS: u32 = 10;
const READS: u32 = 10_000;

/// After so many tries the counter is taken as it is: the watchdog will see.
const TRIES: u32 = 3;

/// 0 without.
static PORT: AtomicU16 = AtomicU16::new(0);
static ACPI_PM: Clocksource = Clocksource::new("acpi_pm", 200, 24, read_verified, ClocksourceFlags::CONTINUOUS);

/// `pmtmr=PORT`: the port of the power management timer, where the tables are wrong; 0: does not use it.
#[early_param("pmtmr")]
#[init]
fn parse_port(value: Option<&'static str>) -> Result<(), Errno> {
    let port: u16 = incipit_lib::param::parse_int(value.unwrap_or_default().as_bytes()).map_err(|_| Errno::EINVAL)?;
    GIVEN.call_once(|| port);
    Ok(())
}

static GIVEN: spin::Once<u16> = spin::Once::new();

fn read_port(port: u16) -> u32 {
    // SAFETY: the port is that of the timer, by the tables or by the command line; reading it changes nothing.
    unsafe { inl(port) & MASK }
}

/// The middle one of three readings in order, or the last of so many tries.
fn read_verified() -> u64 {
    let port = PORT.load(Relaxed);
    let mut readings = [0; 3];
    for _ in 0..TRIES {
        readings = [read_port(port), read_port(port), read_port(port)];
        if is_in_order(readings) {
            break;
        }
    }
    readings[1].into()
}

/// Whether each is a little behind the one before it, modulo the counter's length.
const fn is_in_order([first, second, third]: [u32; 3]) -> bool {
    let (one, two) = (second.wrapping_sub(first) & MASK, third.wrapping_sub(second) & MASK);
    one <= MASK / 4 && two <= MASK / 4
}

#[distributed_slice(CLOCKSOURCES)]
static PROBE: fn() = probe;

#[init_ref("called by late_time_init only")]
fn probe() {
    let told = || crate::acpi::fadt().and_then(|fadt| fadt.pm_timer_port());
    let Some(port) = GIVEN.get().copied().or_else(told).filter(|port| *port != 0) else {
        return;
    };
    if !check(|| read_port(port)) {
        return;
    }
    PORT.store(port, Relaxed);
    if let Err(error) = clocksource::register(&ACPI_PM, HERTZ) {
        pr_err!("acpi_pm: cannot be a clocksource: {error}");
    }
}

/// Whether what is read counts up.
#[init]
fn check(mut read: impl FnMut() -> u32) -> bool {
    for _ in 0..CHECKS {
        let first = read();
        let Some(moved) = (0..READS).map(|_| read()).find(|value| *value != first) else {
            pr_warn!("acpi_pm: PM-Timer had no reasonable result: {first:#x} - aborting");
            return false;
        };
        // Once round is as good as forward, but not far.
        if moved < first && !(first > 0xff_f000 && moved < 0xfff) {
            pr_warn!("acpi_pm: PM-Timer had inconsistent results: {first:#x}, {moved:#x} - aborting");
            return false;
        }
    }
    true
}

#[ktest]
fn a_counter_that_stands_or_goes_back_is_none() {
    let mut values = (0xff_fffe_u32..).step_by(1).map(|value| value & MASK);
    assert!(check(|| values.next().unwrap_or_default()));
    assert!(!check(|| 7));
    let mut back = (0..1000_u32).rev();
    assert!(!check(|| back.next().unwrap_or_default()));
    assert!(is_in_order([MASK, 0, 1]) && is_in_order([5, 5, 5]));
    assert!(!is_in_order([5, 4, 6]) && !is_in_order([5, 0x80_0000, 6]));
}

//! Devices that interrupt a CPU at a time that it sets: Linux's clock events.
//!
//! Each CPU has one, the best that was registered for it. What it is set to is [`super::hrtimer`]'s to say; how it is made to do it is the device's.

use core::fmt;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use incipit_lib::time::NSEC_PER_SEC;

use crate::prelude::*;

bitflags::bitflags! {
    /// What a device can do.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Features: u32 {
        /// Interrupts again and again.
        const PERIODIC = 0x01;
        /// Interrupts once, after a time that is set anew each time.
        const ONESHOT = 0x02;
        /// Stops when its CPU sleeps deeply.
        const C3STOP = 0x08;
        /// Belongs to one CPU.
        const PERCPU = 0x40;
    }
}

/// A device, or one of each CPU that are all alike.
pub struct ClockEventDevice {
    /// What the log calls it.
    pub name: &'static str,
    /// How good it is: the best is used.
    pub rating: u32,
    /// What it can do.
    pub features: Features,
    /// Counts of the device in 2³² nanoseconds.
    pub mult: AtomicU64,
    /// The shortest distance in ns that it can be set to without missing it.
    pub min_delta_ns: u64,
    /// The most counts that it can be set to.
    pub max_delta_ticks: u64,
    /// Lets it interrupt this CPU in so many counts.
    pub set_next_event: fn(u64),
    /// Makes this CPU's ready for that.
    pub set_oneshot: fn(),
    /// Keeps this CPU's from interrupting.
    pub shutdown: fn(),
}

/// The device of each CPU; null without one.
#[percpu]
static DEVICE: AtomicPtr<ClockEventDevice> = AtomicPtr::new(core::ptr::null_mut());

/// How many counts of a device with `hertz` are 2³² ns.
#[must_use]
pub const fn mult(hertz: u64) -> u64 {
    let mult = ((hertz as u128) << 32) / NSEC_PER_SEC as u128;
    if mult > u64::MAX as u128 { u64::MAX } else { mult as u64 }
}

impl ClockEventDevice {
    /// Sets it to interrupt this CPU in `delta` ns, rather sooner than it can than never: who is woken too early looks at the clock.
    #[inline]
    pub fn program(&self, delta: u64) {
        let delta = delta.max(self.min_delta_ns);
        let ticks = (u128::from(delta) * u128::from(self.mult.load(Relaxed))) >> 32;
        let ticks = u64::try_from(ticks).unwrap_or(u64::MAX).min(self.max_delta_ticks);
        (self.set_next_event)(ticks.max(1));
    }
}

/// The device of this CPU. Interrupts are off.
#[inline]
#[must_use]
pub fn this_cpu() -> Option<&'static ClockEventDevice> {
    let device = DEVICE.with_this_cpu(|device| device.load(Relaxed));
    // SAFETY: either null or what `register` was given, which is static.
    unsafe { device.as_ref() }
}

/// Lets this CPU use `device`, unless it has a better one. Says whether it does. Interrupts are off.
pub fn register(device: &'static ClockEventDevice) -> bool {
    if this_cpu().is_some_and(|old| old.rating >= device.rating) {
        return false;
    }
    replace(device);
    true
}

/// Lets this CPU use `device`, however good its own is; it is set to nothing yet. Interrupts are off.
pub fn replace(device: &'static ClockEventDevice) {
    if let Some(old) = this_cpu() {
        (old.shutdown)();
    }
    DEVICE.with_this_cpu(|slot| slot.store(core::ptr::from_ref(device).cast_mut(), Relaxed));
    (device.set_oneshot)();
}

/// Lets this CPU do without its device, as it is about to stop. Interrupts are off.
pub(super) fn release() {
    if let Some(device) = this_cpu() {
        (device.shutdown)();
        DEVICE.with_this_cpu(|slot| slot.store(core::ptr::null_mut(), Relaxed));
    }
}

/// Writes what device `cpu` has, for `timer_list`.
pub(super) fn list(cpu: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    let device = DEVICE.per_cpu(cpu).map_or(core::ptr::null_mut(), |device| device.load(Relaxed));
    // SAFETY: as in `this_cpu`.
    let Some(device) = (unsafe { device.as_ref() }) else {
        return writeln!(out, "Clock Event Device: <NULL>");
    };
    writeln!(out, "Clock Event Device: {}", device.name)?;
    writeln!(out, "  rating: {}, min_delta_ns: {}", device.rating, device.min_delta_ns)?;
    writeln!(out, "  mult: {}, shift: 32", device.mult.load(Relaxed))
}

#[ktest]
fn a_device_is_set_to_what_it_can_do() {
    use core::sync::atomic::AtomicU64;
    static SET: AtomicU64 = AtomicU64::new(0);
    let device = ClockEventDevice {
        name: "test",
        rating: 1,
        features: Features::ONESHOT,
        mult: AtomicU64::new(mult(NSEC_PER_SEC / 4)),
        min_delta_ns: 100,
        max_delta_ticks: 1 << 32,
        set_next_event: |ticks| SET.store(ticks, Relaxed),
        set_oneshot: || {},
        shutdown: || {},
    };
    for (delta, ticks) in [(4000, 1000), (0, 25), (u64::MAX, 1 << 32)] {
        device.program(delta);
        assert_eq!(SET.load(Relaxed), ticks, "{delta} ns");
    }
}

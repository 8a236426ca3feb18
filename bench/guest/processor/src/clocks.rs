//! Clocks, and timers that wait among others for what does not come.

use incipit::irq::IrqGuard;
use incipit::time::hrtimer::{Clock, Context, HrTimer, Mode, Restart};
use incipit::time::{HZ, Timer, jiffies, ktime_get};
use incipit_bench_meter::measure_loop;

use crate::TURNS;

static TIMER: Timer = Timer::new(|_| {});
static HRTIMER: HrTimer = HrTimer::new(Clock::Monotonic, Context::Hard, |_| Restart::No);

/// An hour, in ns: later than anything that waits.
const LATER: u64 = 3_600_000_000_000;

pub fn measure_all() {
    let _no_tick_comes = IrqGuard::new();
    measure_loop("time/ktime_get", TURNS, || ktime_get().as_ns() != 0);
    measure_loop("time/timer", TURNS, || {
        TIMER.mod_timer(jiffies() + HZ);
        TIMER.del()
    });
    let expires = ktime_get().as_ns() + LATER;
    measure_loop("time/hrtimer", TURNS, || {
        HRTIMER.start(expires, Mode::Absolute);
        HRTIMER.cancel()
    });
}

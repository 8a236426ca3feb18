//! The local APIC's timer where it compares the time-stamp counter with a deadline (SDM 3, 11.5.4.1), and what becomes of it when that counter is wrong.
//!
//! A deadline is as good as the counter. Set back, the counter comes to a deadline by so much too late; and an emulator that compares with another counter (Bochs, which leaves
//! out what was added to it) interrupts without end. So a CPU's timer that is early again and again, or a counter that is given up as a clock, ends it for all CPUs: they go on with
//! the timer that counts. Nothing here is on the way of an interrupt where the timer counts.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use incipit_lib::tsc::deadline::{MAX_EARLY, Streak, is_early};

use super::access::{Register, write};
use super::send_ipi;
use super::timer::{LAPIC, mask};
use crate::arch::x86::cpu::features::{boot_cpu_has, feature};
use crate::arch::x86::cpu::masks;
use crate::arch::x86::irq::LOCAL_TIMER_VECTOR;
use crate::arch::x86::msr::wrmsr;
use crate::arch::x86::tsc::{rdtsc, tsc_khz};
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::time::clockevents::{self, ClockEventDevice, Features};

/// Interrupts when the time-stamp counter reaches [`IA32_TSC_DEADLINE`].
const LVT_TSC_DEADLINE: u32 = 2 << 17;
const IA32_TSC_DEADLINE: u32 = 0x6e0;
/// A hypervisor may interrupt a little early, as it takes a while to arrive: a second has so many of what is not called early.
const SLACKS_PER_SECOND: u64 = 100_000;

static NOT_WANTED: AtomicBool = AtomicBool::new(false);
/// All CPUs go on without deadlines.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// What this CPU's timer is set to; 0 if it goes by no deadline.
#[percpu]
static DEADLINE: AtomicU64 = AtomicU64::new(0);
#[percpu]
static STREAK: Streak = Streak::new();

pub(super) static LAPIC_DEADLINE: ClockEventDevice = ClockEventDevice {
    name: "lapic-deadline",
    rating: 150,
    features: Features::ONESHOT.union(Features::C3STOP).union(Features::PERCPU),
    mult: AtomicU64::new(0),
    min_delta_ns: 1000,
    max_delta_ticks: i64::MAX as u64,
    set_next_event: |ticks| {
        let deadline = rdtsc().wrapping_add(ticks);
        DEADLINE.this_cpu_write(deadline);
        // SAFETY: the register is there where the device is, and what it brings has a handler.
        unsafe { wrmsr(IA32_TSC_DEADLINE, deadline) };
    },
    set_oneshot: || {
        // SAFETY: as above.
        unsafe { write(Register::LvtTimer, u32::from(LOCAL_TIMER_VECTOR) | LVT_TSC_DEADLINE) };
        // The write to the register must not overtake that to memory (SDM 3, 11.5.4.1).
        // SAFETY: waits.
        unsafe { core::arch::asm!("mfence", options(nostack, preserves_flags)) };
    },
    shutdown: || {
        DEADLINE.this_cpu_write(0);
        mask();
    },
};

/// `lapic=notscdeadline`: lets the timer count instead of comparing the time-stamp counter with a deadline.
#[init]
#[early_param("lapic")]
fn lapic(value: Option<&'static str>) -> Result<(), Errno> {
    match value {
        // Linux's word for switching on an APIC that firmware has left off, which is done anyway.
        None => {}
        Some("notscdeadline") => NOT_WANTED.store(true, Relaxed),
        Some(_) => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// Whether timers go by deadlines. They do rather than not at all: without a rate that was measured nothing can be counted.
pub(super) fn is_usable() -> bool {
    let is_believed = !GIVEN_UP.load(Relaxed) || LAPIC.mult.load(Relaxed) == 0;
    boot_cpu_has(feature::TSC_DEADLINE_TIMER) && !NOT_WANTED.load(Relaxed) && is_believed
}

/// The timer of this CPU has interrupted, or another CPU in its place: looks whether it is the time that it was set to.
#[inline]
pub(super) fn look() {
    let deadline = DEADLINE.this_cpu_read();
    if deadline != 0 {
        judge(deadline);
    }
}

#[inline(never)]
fn judge(deadline: u64) {
    let slack = tsc_khz() * 1000 / SLACKS_PER_SECOND;
    let is_early = is_early(deadline, rdtsc(), slack);
    if STREAK.with_this_cpu(|streak| streak.note(is_early)) {
        give_up(format_args!(
            "the timer of CPU {} was early {MAX_EARLY} times in a row",
            smp_processor_id()
        ));
    }
    // Who handles the interrupt sets the device that is there then.
    if !is_usable() {
        clockevents::replace(&LAPIC);
    }
}

/// The time-stamp counter is not believed any more: neither are deadlines. Any context but an NMI's.
pub(in crate::arch::x86) fn tsc_is_unstable() {
    give_up(format_args!("the time-stamp counter is not believed"));
}

fn give_up(reason: core::fmt::Arguments<'_>) {
    if GIVEN_UP.swap(true, Relaxed) || LAPIC_DEADLINE.mult.load(Relaxed) == 0 {
        return;
    }
    if is_usable() {
        return pr_err!("clockevents: {reason}, but there is no other timer than lapic-deadline");
    }
    pr_warn!("clockevents: {reason}: lapic-deadline gives way to lapic on all CPUs");
    masks::ONLINE.iter().for_each(interrupt);
}

/// Interrupts `cpu`, which may be this one, as its timer would: it looks at what is due, and sets its device anew. Any context but an NMI's.
pub fn interrupt(cpu: usize) {
    if let Some(streak) = STREAK.per_cpu(cpu) {
        streak.forget();
    }
    send_ipi(cpu, LOCAL_TIMER_VECTOR);
}

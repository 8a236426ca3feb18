//! The time-stamp counter (SDM 3, 18.17): reading it, and finding out how fast it counts.
//!
//! Where CPUID does not tell the rate, it is measured against the interval timer without waiting for it: the timer is started with the first instructions,
//! and what the kernel does in between is the measured interval. A first result is good enough for the log's time stamps; `time_init` refines it.

mod clocksource;
pub mod compare;
#[cfg(CONFIG_SMP)]
pub(crate) mod sync;

pub use clocksource::{early_clocksource, is_unstable, mark_tsc_unstable};

use core::arch::asm;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use incipit_lib::param::parse_int;
use incipit_lib::tsc as told;

use crate::arch::x86::apic;
use crate::arch::x86::cpu::common;
use crate::arch::x86::i8253::{self, PIT_TICK_RATE};
use crate::irq::IrqGuard;
use crate::prelude::*;
use crate::time::{calibrate, clock};

/// Ticks of the interval timer that make the first measurement good enough for time stamps: 50 µs.
const EARLY_TICKS: u32 = PIT_TICK_RATE / 20_000;
/// The same for the second, which stays: 100 µs. The boot has mostly taken longer by then, so nothing is waited for.
const REFINE_TICKS: u32 = PIT_TICK_RATE / 10_000;
/// What is assumed without any means to measure.
const ASSUMED_KHZ: u64 = 1_000_000;

static TSC_KHZ: AtomicU64 = AtomicU64::new(0);

/// The counter. It is not a serialising instruction: instructions around it may be reordered.
#[inline]
#[must_use]
pub fn rdtsc() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading the counter has no effect, and kernel code may always.
    unsafe { asm!("rdtsc", out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// The counter, not before what stands before it. What stands behind needs the value, or comes later by itself as a store.
#[inline]
#[must_use]
pub fn rdtsc_ordered() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading the counter has no effect, and kernel code may always. Memory counts as used, so that the compiler keeps the order, too.
    unsafe { asm!("lfence", "rdtsc", out("eax") low, out("edx") high, options(nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Whether the counter counts instructions, as it does in QEMU with `-icount shift=0`: then a number of ticks is a number of instructions.
///
/// Measured, by running loops of known lengths. Elsewhere the counter may hit one of them by chance, but not all.
#[must_use]
pub fn counts_instructions() -> bool {
    let overhead = ticks_of_loop(0);
    (1..=8u64).all(|turns| ticks_of_loop(turns * 16).wrapping_sub(overhead) == turns * 16 * 2)
}

/// How far the counter goes between two readings with `turns` turns of two instructions between them; a few more stand around the loop.
fn ticks_of_loop(turns: u64) -> u64 {
    let _guard = IrqGuard::new();
    let ticks: u32;
    // SAFETY: reads the counter and counts a register down; nothing else changes. The readings are inside, or the compiler might put other instructions
    // between them, and not the same ones for each number of turns.
    unsafe {
        asm!(
            "rdtsc",
            "mov {start:e}, eax",
            "test {turns}, {turns}",
            "jz 3f",
            "2:",
            "dec {turns}",
            "jnz 2b",
            "3:",
            "rdtsc",
            "sub eax, {start:e}",
            turns = inout(reg) turns => _,
            start = out(reg) _,
            out("eax") ticks,
            out("edx") _,
            options(nomem, nostack)
        );
    }
    ticks.into()
}

/// Counts per millisecond, 0 before [`tsc_early_init`].
#[must_use]
pub fn tsc_khz() -> u64 {
    TSC_KHZ.load(Relaxed)
}

/// How the rate was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Source {
    /// It is not known, and 1000 MHz are as good as anything.
    Assumed,
    /// `tsc_early_khz=`.
    CommandLine,
    /// The processor says it: leaf 0x15.
    Crystal,
    /// The processor says it, rounded: leaf 0x16.
    BaseFrequency,
    /// The hypervisor says it.
    Hypervisor,
    /// Measured by the interval timer.
    Pit,
    /// Measured by another clocksource.
    Reference,
}

impl Source {
    const ALL: [Source; 7] = [
        Source::Assumed,
        Source::CommandLine,
        Source::Crystal,
        Source::BaseFrequency,
        Source::Hypervisor,
        Source::Pit,
        Source::Reference,
    ];

    /// Whether somebody has said it, so that it was not measured.
    #[must_use]
    pub const fn is_told(self) -> bool {
        !matches!(self, Source::Assumed | Source::Pit | Source::Reference)
    }
}

impl From<told::Source> for Source {
    fn from(source: told::Source) -> Self {
        match source {
            told::Source::Crystal => Source::Crystal,
            told::Source::BaseFrequency => Source::BaseFrequency,
            told::Source::Hypervisor => Source::Hypervisor,
        }
    }
}

impl core::fmt::Display for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Source::Assumed => "assumption",
            Source::CommandLine => "tsc_early_khz=",
            Source::Crystal => "CPUID 0x15",
            Source::BaseFrequency => "CPUID 0x16",
            Source::Hypervisor => "the hypervisor",
            Source::Pit => "the interval timer",
            Source::Reference => "another clock",
        })
    }
}

static SOURCE: AtomicU8 = AtomicU8::new(Source::Assumed as u8);

/// How the rate in use was found.
#[must_use]
pub fn source() -> Source {
    Source::ALL[usize::from(SOURCE.load(Relaxed))]
}

/// Goes on with another rate, everywhere.
fn set_khz(khz: u64, source: Source) {
    let old = TSC_KHZ.swap(khz, Relaxed);
    SOURCE.store(source as u8, Relaxed);
    clock::set_rate(rdtsc(), khz);
    clocksource::rate_has_changed(khz);
    calibrate::rate_has_changed();
    apic::timer::rate_has_changed(old, khz);
}

/// Over how many ticks of the interval timer the rate was measured.
static MEASURED_TICKS: AtomicU32 = AtomicU32::new(0);

/// What `tsc_early_khz=` gives; 0 without it.
static TSC_EARLY_KHZ: AtomicU64 = AtomicU64::new(0);

/// `tsc_early_khz=KHZ`: how many times the time-stamp counter counts in a millisecond, for machines on which the measurement is not to be trusted, or not to be waited for.
#[early_param("tsc_early_khz")]
#[init]
fn early_khz(value: Option<&'static str>) -> Result<(), Errno> {
    TSC_EARLY_KHZ.store(parse_khz(value)?, Relaxed);
    Ok(())
}

#[init]
fn parse_khz(value: Option<&str>) -> Result<u64, Errno> {
    let khz: u32 = parse_int(value.unwrap_or_default().as_bytes()).map_err(|_| Errno::EINVAL)?;
    if khz == 0 { Err(Errno::EINVAL) } else { Ok(khz.into()) }
}

/// Finds the counter's rate and starts the clock of the log with it: Linux's `tsc_early_init`.
#[init]
pub fn tsc_early_init() {
    let (khz, source) = if let khz @ 1.. = TSC_EARLY_KHZ.load(Relaxed) {
        (khz, Source::CommandLine)
    } else if let Some((khz, who)) = common::tsc_told().khz() {
        (khz, who.into())
    } else if let Some(khz) = measure(EARLY_TICKS) {
        (khz, Source::Pit)
    } else {
        (ASSUMED_KHZ, Source::Assumed)
    };
    set_khz(khz, source);
    match source {
        Source::Pit => pr_info!("tsc: Fast TSC calibration using PIT"),
        Source::Assumed => pr_err!("tsc: Unable to calibrate against PIT, and CPUID does not tell the rate: assuming 1000 MHz"),
        told => pr_info!("tsc: the rate is that of {told}"),
    }
    print_rate("processor");
}

/// Measures once more over the longer interval that has passed since, unless the timer has come to its end: what `time_init` does.
#[init]
pub fn tsc_refine() {
    if source() != Source::Pit || i8253::is_over() && MEASURED_TICKS.load(Relaxed) >= REFINE_TICKS {
        return;
    }
    if let Some(khz) = measure(REFINE_TICKS) {
        set_khz(khz, Source::Pit);
        print_rate("TSC");
    }
}

/// The hypervisor has said the rate where its clock is. Nobody knows it better but who wrote the command line.
#[cfg(CONFIG_KVM_GUEST)]
#[init]
pub(super) fn told_by_hypervisor(khz: u64) {
    if source() != Source::CommandLine {
        set_khz(khz, Source::Hypervisor);
        pr_info!("tsc: the rate is that of {}", Source::Hypervisor);
        print_rate("TSC");
    }
}

fn print_rate(what: &str) {
    let khz = tsc_khz();
    pr_info!("tsc: Detected {}.{:03} MHz {what}", khz / 1000, khz % 1000);
}

/// The rate in kHz over the interval since [`i8253::start`], which is at least `ticks` of the timer.
#[init]
fn measure(ticks: u32) -> Option<u64> {
    let interval = i8253::interval(ticks)?;
    MEASURED_TICKS.store(interval.ticks, Relaxed);
    let khz = u128::from(interval.tsc) * u128::from(PIT_TICK_RATE) / (u128::from(interval.ticks) * 1000);
    u64::try_from(khz).ok().filter(|&khz| khz != 0)
}

#[ktest]
fn the_counter_counts() {
    let first = rdtsc();
    assert!(rdtsc() > first);
    assert!(tsc_khz() > 0);
}

#[ktest]
fn a_rate_on_the_command_line_is_a_number_above_0() {
    assert_eq!(parse_khz(Some("2394454")), Ok(2_394_454));
    for wrong in [None, Some(""), Some("0"), Some("2.4GHz"), Some("-1"), Some("4294967296")] {
        assert_eq!(parse_khz(wrong), Err(Errno::EINVAL), "{wrong:?}");
    }
}

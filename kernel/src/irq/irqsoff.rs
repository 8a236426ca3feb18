//! The longest time for which each CPU kept interrupts off, and from where to where (Linux's tracer `irqsoff`).
//!
//! [`super::flags`] and the interrupts themselves tell when that begins and ends. While nobody measures, each of these places has one `nop` more; with `ftrace=irqsoff`, or
//! `irqsoff on` in the monitor, it is a call.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::dumpstack;
use crate::jump_label::StaticKeyFalse;
use crate::panic::ReturnAddress;
use crate::prelude::*;
use crate::time::sched_clock;

/// Whether it is measured.
pub static TRACING: StaticKeyFalse = StaticKeyFalse::new();

/// What a CPU has measured: addresses are those behind the calls of the functions here.
struct Section {
    /// When interrupts went off, 0 if they are on or nobody saw it, and where.
    since: AtomicU64,
    begin: AtomicUsize,
    /// The longest time, and where it began and ended.
    longest_ns: AtomicU64,
    longest_begin: AtomicUsize,
    longest_end: AtomicUsize,
}

#[percpu]
static SECTION: Section = Section {
    since: AtomicU64::new(0),
    begin: AtomicUsize::new(0),
    longest_ns: AtomicU64::new(0),
    longest_begin: AtomicUsize::new(0),
    longest_end: AtomicUsize::new(0),
};

/// `ftrace=irqsoff`: measures from the beginning of the boot for how long each CPU keeps interrupts off, at the longest. Other tracers are not there.
#[early_param("ftrace")]
#[init]
fn ftrace(value: Option<&'static str>) -> Result<(), Errno> {
    if value != Some("irqsoff") {
        pr_warn!("ftrace: irqsoff is the only tracer that there is");
        return Err(Errno::EINVAL);
    }
    TRACING.enable();
    Ok(())
}

/// Interrupts have just gone off, having been on. The caller is the place that is shown.
#[cold]
#[inline(never)]
pub fn hardirqs_off() {
    let begin = dumpstack::return_address();
    // SAFETY: interrupts are off, so this CPU's copy is nobody else's but an NMI's, which finds interrupts off and changes nothing.
    let section = unsafe { &*SECTION.this_cpu_ptr() };
    if section.since.load(Relaxed) == 0 {
        section.begin.store(begin, Relaxed);
        section.since.store(sched_clock().max(1), Relaxed);
    }
}

/// Interrupts are about to go on, having been off. The caller is the place that is shown.
#[cold]
#[inline(never)]
pub fn hardirqs_on() {
    let end = dumpstack::return_address();
    // SAFETY: as above.
    let section = unsafe { &*SECTION.this_cpu_ptr() };
    let since = section.since.load(Relaxed);
    section.since.store(0, Relaxed);
    if since == 0 {
        return;
    }
    let lasted = sched_clock().saturating_sub(since);
    if lasted > section.longest_ns.load(Relaxed) {
        section.longest_begin.store(section.begin.load(Relaxed), Relaxed);
        section.longest_end.store(end, Relaxed);
        section.longest_ns.store(lasted, Relaxed);
    }
}

/// Writes each CPU's longest time and its two places; CPUs that have measured none are left out.
///
/// # Errors
///
/// What `out` says.
pub fn show(out: &mut dyn Write) -> fmt::Result {
    for (cpu, section) in ONLINE.iter().filter_map(|cpu| Some((cpu, SECTION.per_cpu(cpu)?))) {
        let ns = section.longest_ns.load(Relaxed);
        if ns != 0 {
            writeln!(out, "CPU {cpu}: {}.{:03} us", ns / 1000, ns % 1000)?;
            writeln!(out, "  => started at: {}", ReturnAddress(section.longest_begin.load(Relaxed)))?;
            writeln!(out, "  => ended at:   {}", ReturnAddress(section.longest_end.load(Relaxed)))?;
        }
    }
    Ok(())
}

/// Measures from now on. A time that had begun when it was measured last is not one.
fn start() {
    for section in ONLINE.iter().filter_map(|cpu| SECTION.per_cpu(cpu)) {
        section.since.store(0, Relaxed);
    }
    TRACING.enable();
}

/// Forgets what all CPUs have measured.
pub fn reset() {
    for section in ONLINE.iter().filter_map(|cpu| SECTION.per_cpu(cpu)) {
        section.longest_ns.store(0, Relaxed);
    }
}

/// The monitor's `irqsoff`.
#[cfg(CONFIG_KDB)]
mod command {
    use core::fmt::Write;

    use linkme::distributed_slice;

    use super::{TRACING, reset, show, start};
    use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

    #[distributed_slice(KDB_COMMANDS)]
    static IRQSOFF: Command = Command {
        name: "irqsoff",
        usage: "[on | off | reset]",
        help: "Display the longest time with interrupts off on each cpu; measure it, or not, or anew",
        run: irqsoff,
    };

    fn irqsoff(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
        match arguments {
            [] if TRACING.is_enabled() => show(screen)?,
            [] => {
                writeln!(screen, "diag: not measured: irqsoff on")?;
                show(screen)?;
            }
            ["on"] => start(),
            ["off"] => TRACING.disable(),
            ["reset"] => reset(),
            _ => return Err(CommandError::ArgumentCount),
        }
        Ok(Then::Stay)
    }
}

#[ktest]
fn a_section_is_as_long_as_interrupts_are_off_in_it() {
    use crate::irq::{IrqGuard, local_irq_disable, local_irq_enable};
    let as_before = IrqGuard::new();
    local_irq_enable();
    reset();
    start();
    {
        let _off = IrqGuard::new();
        let _still_off = IrqGuard::new();
        crate::time::udelay(2000);
    }
    TRACING.disable();
    local_irq_disable();
    drop(as_before);
    SECTION.with_this_cpu(|section| {
        assert!(section.longest_ns.load(Relaxed) >= 2_000_000);
        for place in [&section.longest_begin, &section.longest_end].map(|place| place.load(Relaxed)) {
            assert!(crate::mm::sections::is_text(place), "{place:#x}");
        }
    });
}

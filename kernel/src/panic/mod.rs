//! The end of things that go wrong: panics, reports of faults, warnings, and the taint they leave.
//!
//! The reports have Linux's form, line by line, so that its tools (`decodecode`, `decode_stacktrace.sh`, syzkaller's parsers) read them. Everything here works in
//! any context, allocates nothing, and expects that memory, locks and stacks may be what is broken.

pub mod line;
pub mod oops;
pub mod symbols;
pub mod taint;
pub mod task;
pub mod warn;

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::Relaxed};

pub use line::Line;
pub use symbols::{ReturnAddress, Symbol};

pub use crate::arch::x86::reboot;
use crate::arch::x86::{dumpstack, irqflags};
use crate::config::CONFIG_PANIC_TIMEOUT;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::{console, irq, preempt, printk, time};

/// No CPU has panicked.
const NO_CPU: u32 = u32::MAX;

/// The CPU that panicked first: the only one that reports.
static PANIC_CPU: AtomicU32 = AtomicU32::new(NO_CPU);

/// How often the panic path has been entered, on whichever CPU reports.
static DEPTH: AtomicU32 = AtomicU32::new(0);

/// What to do after a panic: seconds until the machine restarts, never if 0, at once if negative.
static PANIC_TIMEOUT: AtomicI32 = AtomicI32::new(CONFIG_PANIC_TIMEOUT as i32);

/// Whether an oops is a panic.
static PANIC_ON_OOPS: AtomicBool = AtomicBool::new(cfg!(CONFIG_PANIC_ON_OOPS));

/// Whether a warning is a panic.
static PANIC_ON_WARN: AtomicBool = AtomicBool::new(false);

/// `panic=n`: restarts `n` seconds after a panic, at once if `n` is negative, never if it is 0. `CONFIG_PANIC_TIMEOUT` is the default.
#[early_param("panic")]
#[init]
fn panic_setup(value: Option<&'static str>) -> Result<(), Errno> {
    let seconds = value.and_then(|value| value.parse().ok()).ok_or(Errno::EINVAL)?;
    PANIC_TIMEOUT.store(seconds, Relaxed);
    Ok(())
}

/// `oops=panic`: makes an oops a panic.
#[early_param("oops")]
#[init]
fn oops_setup(value: Option<&'static str>) -> Result<(), Errno> {
    if value.ok_or(Errno::EINVAL)? == "panic" {
        PANIC_ON_OOPS.store(true, Relaxed);
    }
    Ok(())
}

/// `panic_on_oops[=n]`: makes an oops a panic, unless `n` is 0.
#[early_param("panic_on_oops")]
#[init]
fn panic_on_oops_setup(value: Option<&'static str>) -> Result<(), Errno> {
    set_flag(&PANIC_ON_OOPS, value)
}

/// `panic_on_warn[=n]`: makes a warning a panic, unless `n` is 0.
#[early_param("panic_on_warn")]
#[init]
fn panic_on_warn_setup(value: Option<&'static str>) -> Result<(), Errno> {
    set_flag(&PANIC_ON_WARN, value)
}

#[init]
fn set_flag(flag: &AtomicBool, value: Option<&'static str>) -> Result<(), Errno> {
    let number: i32 = value.unwrap_or("1").parse().map_err(|_| Errno::EINVAL)?;
    flag.store(number != 0, Relaxed);
    Ok(())
}

/// What a Rust panic ends in: its message is the reason.
#[cfg(target_os = "none")]
#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo<'_>) -> ! {
    if printk::ENABLED {
        panic(format_args!("{}", info.message()), info.location())
    }
    // Reads nothing of the reason, so that no reason and no place is kept in the image for anybody.
    panic(format_args!(""), None)
}

/// Reports `reason` and stops the system: Linux's `panic`. A second panic while the first is reported says so and stops.
pub fn panic(reason: fmt::Arguments<'_>, location: Option<&core::panic::Location<'_>>) -> ! {
    crate::init::initcall::turn();
    irq::local_irq_disable();
    preempt::disable();
    PANIC_ON_WARN.store(false, Relaxed);
    let cpu = smp_processor_id() as u32;
    if let Err(first) = PANIC_CPU.compare_exchange(NO_CPU, cpu, Relaxed, Relaxed)
        && first != cpu
    {
        irqflags::halt_forever();
    }
    printk::oops_enter();
    printk::console_verbose();
    printk::close_open_line();
    match DEPTH.fetch_add(1, Relaxed) {
        0 => report(reason, location),
        1 => {
            pr_emerg!("Kernel panic - not syncing: {reason}");
            pr_emerg!("panic: that was a panic while another was reported, stopping here");
        }
        // The log itself fails.
        _ => irqflags::halt_forever(),
    }
    stop(reason)
}

fn report(reason: fmt::Arguments<'_>, location: Option<&core::panic::Location<'_>>) {
    pr_emerg!("Kernel panic - not syncing: {reason}");
    if let Some(location) = location {
        pr_emerg!("panicked at {location}");
    }
    // The report of an oops has shown the stack that matters.
    if !taint::has(taint::Taint::Die) {
        dumpstack::dump_stack();
    }
}

/// Restarts the machine if `panic=` asks for it, or stops it for ever.
fn stop(reason: fmt::Arguments<'_>) -> ! {
    const STEP_MS: u64 = 100;
    #[cfg(CONFIG_SMP)]
    crate::arch::x86::smpboot::stop::stop_other_cpus();
    console::flush_on_panic();
    let timeout = PANIC_TIMEOUT.load(Relaxed);
    if timeout > 0 {
        pr_emerg!("Rebooting in {timeout} seconds..");
        for _ in 0..u64::from(timeout.unsigned_abs()) * 1000 / STEP_MS {
            time::mdelay(STEP_MS);
        }
    }
    if timeout != 0 {
        reboot::emergency_restart();
    }
    if printk::ENABLED {
        let mut end = Line::<1024>::new();
        // A reason that is too long for the line is cut off, as the log would cut it.
        let _ = write!(end, "---[ end Kernel panic - not syncing: {reason} ]---");
        pr_emerg!("{}", end.as_str());
        console::flush_on_panic();
    }
    irqflags::halt_forever()
}

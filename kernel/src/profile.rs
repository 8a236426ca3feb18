//! Where the kernel spends its time, by a look at each tick: `profile=` and the monitor's `profile` (Linux's `kernel/profile.c` and `readprofile`).
//!
//! The text is divided into pieces of a power of two, each with a count. Without the option there are no counts, and a tick costs one `nop` more.

use core::fmt::{self, Write};
use core::sync::atomic::{
    AtomicPtr, AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::irq::get_irq_regs;
use crate::jump_label::StaticKeyFalse;
use crate::mm::sections;
use crate::mm::vmalloc::vzalloc;
use crate::panic::symbols;
use crate::prelude::*;
use crate::static_branch_unlikely;

/// The shift of an image that is not profiled.
const OFF: u32 = u32::MAX;

/// The pieces have two to the power of this many bytes.
static PROF_SHIFT: AtomicU32 = AtomicU32::new(OFF);

/// The counts, one for each piece of the text, and how many they are.
static PROF_BUFFER: AtomicPtr<AtomicU32> = AtomicPtr::new(core::ptr::null_mut());
static PROF_LEN: AtomicUsize = AtomicUsize::new(0);

/// Whether ticks are counted.
static PROF_ON: StaticKeyFalse = StaticKeyFalse::new();

/// `profile=n`: counts at each tick which piece of 2^`n` bytes of the kernel's code was running. `schedule`, `sleep` and `kvm`, which Linux counts other things by, are refused:
/// there are none of these here.
#[setup("profile=")]
#[init]
fn profile_setup(value: &'static str) -> SetupResult {
    let kind = value.split(',').next().unwrap_or_default();
    if matches!(kind, "schedule" | "sleep" | "kvm") {
        pr_warn!("profile: this kernel has no {kind} to profile");
        return SetupResult::Consumed;
    }
    match value.parse() {
        Ok(shift) if shift < usize::BITS => {
            PROF_SHIFT.store(shift, Relaxed);
            pr_info!("kernel profiling enabled (shift: {shift})");
        }
        _ => pr_warn!("profile: '{value}' is no shift: it must be a number below {}", usize::BITS),
    }
    SetupResult::Consumed
}

/// Gets memory for the counts and lets ticks be counted, if the command line asks for it: Linux's stage of the same name.
#[stage(after(crate::time::time_init), before(crate::smp::call_function_init))]
#[init]
pub fn profile_init() {
    let shift = PROF_SHIFT.load(Relaxed);
    if shift == OFF {
        return;
    }
    let len = (sections::core_text().len() >> shift) + 1;
    let Some(memory) = len.checked_mul(size_of::<AtomicU32>()).and_then(vzalloc) else {
        pr_err!("profile: no memory for {len} counts");
        return;
    };
    PROF_LEN.store(len, Relaxed);
    PROF_BUFFER.store(memory.cast().as_ptr(), Release);
    PROF_ON.enable();
}

/// The counts; none if nothing is profiled.
fn buffer() -> &'static [AtomicU32] {
    let buffer = PROF_BUFFER.load(Acquire);
    if buffer.is_null() {
        return &[];
    }
    // SAFETY: so many zeroed words were allocated for this, and they stay.
    unsafe { core::slice::from_raw_parts(buffer, PROF_LEN.load(Relaxed)) }
}

/// Counts what the tick has interrupted: Linux's `profile_tick`. In the interrupt of the tick.
#[inline]
pub fn tick() {
    if static_branch_unlikely!(PROF_ON)
        && let Some(regs) = get_irq_regs()
    {
        hit(regs.ip as usize);
    }
}

/// Counts the piece that `address` lies in; code outside the text counts as its last piece, as in Linux.
fn hit(address: usize) {
    let counts = buffer();
    let piece = address.wrapping_sub(sections::core_text().start_address()) >> PROF_SHIFT.load(Relaxed);
    if let Some(count) = counts.get(piece.min(counts.len().saturating_sub(1))) {
        count.fetch_add(1, Relaxed);
    }
}

/// A function's share: how often it was running, its name, its size.
struct Share {
    ticks: u64,
    name: Option<&'static str>,
    size: u64,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load = self.ticks * 10_000 / self.size.max(1);
        let name = self.name.unwrap_or("unknown");
        write!(f, "{:6} {name:<60} {:4}.{:04}", self.ticks, load / 10_000, load % 10_000)
    }
}

/// Writes how often each function was running that was, with the count per byte of it, and the sum: what `readprofile` writes. `false` if nothing is profiled.
///
/// # Errors
///
/// What `out` says.
pub fn show(out: &mut dyn Write) -> Result<bool, fmt::Error> {
    let counts = buffer();
    if counts.is_empty() {
        return Ok(false);
    }
    let text = sections::core_text();
    let mut total = 0;
    let mut share = Share {
        ticks: 0,
        name: None,
        size: 0,
    };
    for (piece, count) in counts.iter().enumerate() {
        let ticks = u64::from(count.load(Relaxed));
        if ticks == 0 {
            continue;
        }
        total += ticks;
        let symbol = symbols::lookup(text.start_address() + (piece << PROF_SHIFT.load(Relaxed)));
        let (name, size) = symbol.map_or((None, 0), |symbol| (Some(symbol.name), symbol.size));
        if name == share.name {
            share.ticks += ticks;
            continue;
        }
        if share.ticks != 0 {
            writeln!(out, "{share}")?;
        }
        share = Share { ticks, name, size };
    }
    if share.ticks != 0 {
        writeln!(out, "{share}")?;
    }
    let size = text.len() as u64;
    writeln!(
        out,
        "{}",
        Share {
            ticks: total,
            name: Some("total"),
            size
        }
    )?;
    Ok(true)
}

/// Makes all counts 0.
pub fn reset() {
    buffer().iter().for_each(|count| count.store(0, Relaxed));
}

/// The monitor's `profile`.
#[cfg(CONFIG_KDB)]
mod command {
    use core::fmt::Write;

    use linkme::distributed_slice;

    use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

    #[distributed_slice(KDB_COMMANDS)]
    static PROFILE: Command = Command {
        name: "profile",
        usage: "[-r]",
        help: "Display which functions ticks have interrupted, as readprofile; -r: count anew",
        run: profile,
    };

    fn profile(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
        match arguments {
            [] if !super::show(screen)? => writeln!(screen, "diag: nothing is counted: profile=2 on the command line asks for it")?,
            [] => {}
            ["-r"] => super::reset(),
            _ => return Err(CommandError::ArgumentCount),
        }
        Ok(Then::Stay)
    }
}

//! The hook of the monitor: where a crate that looks into the stopped kernel plugs in.
//!
//! The core knows only that there may be one. Commands are declared where what they show lives, through [`KDB_COMMANDS`]; the monitor finds them there.
//! Nothing here prints or reads.

use core::fmt;
use core::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use linkme::distributed_slice;
use spin::Once;

use crate::arch::x86::ptregs::PtRegs;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::smp;

static MONITOR: Once<Monitor> = Once::new();
static REQUESTED: AtomicBool = AtomicBool::new(false);
/// The CPU on which the monitor runs: breakpoints that it comes to itself are nobody's business.
static OWNER: AtomicUsize = AtomicUsize::new(NOBODY);
/// No CPU.
const NOBODY: usize = usize::MAX;
/// The registers of what an exception has interrupted, while the monitor runs for that.
static REGS: AtomicPtr<PtRegs> = AtomicPtr::new(core::ptr::null_mut());

/// Takes over the console until the user lets the kernel go on; called with the reason, in words.
pub type Monitor = fn(&str);

/// Makes `monitor` the one that [`enter`] calls. The first one stays.
pub fn register_monitor(monitor: Monitor) {
    crate::init::initcall::turn();
    MONITOR.call_once(|| monitor);
}

/// Asks for the monitor to be entered at the end of the boot.
pub fn request() {
    REQUESTED.store(true, Relaxed);
}

/// Whether [`request`] was called.
#[must_use]
pub fn is_requested() -> bool {
    REQUESTED.load(Relaxed)
}

/// Whether the monitor runs.
#[must_use]
pub fn is_active() -> bool {
    OWNER.load(Relaxed) != NOBODY
}

/// Enters the monitor on this CPU and comes back when the user lets the kernel go on. Other CPUs are held meanwhile; one that enters, too, has its turn afterwards. `false`: there is
/// none.
pub fn enter(reason: &str) -> bool {
    enter_with(reason, core::ptr::null_mut())
}

/// [`enter`] from an exception: what it has interrupted can be seen and changed by [`with_regs`] meanwhile, and goes on with that. An exception of the monitor's own is passed over, and
/// so is one of what another CPU does for the monitor, which may be waiting for it.
pub fn enter_from_exception(reason: &str, regs: &mut PtRegs) -> bool {
    enter_with(reason, regs)
}

fn enter_with(reason: &str, regs: *mut PtRegs) -> bool {
    let Some(monitor) = MONITOR.get() else { return false };
    if wait_for_turn(reason) {
        REGS.store(regs, Relaxed);
        #[cfg(CONFIG_SMP)]
        let held = smp::hold_other_cpus();
        monitor(reason);
        // Timers may not have come meanwhile.
        crate::time::watchdog::touch();
        #[cfg(CONFIG_LOCKUP_DETECTOR)]
        crate::watchdog::touch_all_softlockup_watchdogs();
        #[cfg(CONFIG_SMP)]
        drop(held);
        REGS.store(core::ptr::null_mut(), Relaxed);
        OWNER.store(NOBODY, Release);
    }
    true
}

/// Makes this CPU the monitor's as soon as it is no other's. `false` if it is already, or if the CPU that has it waits for this one.
fn wait_for_turn(reason: &str) -> bool {
    let this = smp_processor_id();
    while let Err(owner) = OWNER.compare_exchange(NOBODY, this, Acquire, Relaxed) {
        if owner == this {
            return false;
        }
        if smp::is_working_for_holder() {
            pr_warn!("kdb: CPU {this} goes on, for the monitor on CPU {owner} needs it: {reason}");
            return false;
        }
        core::hint::spin_loop();
    }
    true
}

/// Calls `f` with the registers of what was interrupted for the monitor; `None` if it was not interrupted, but came by itself. For commands.
pub fn with_regs<R>(f: impl FnOnce(&mut PtRegs) -> R) -> Option<R> {
    // SAFETY: null, or the registers that `enter_from_exception` was lent and has not given back, for it has not returned; commands come one after the other.
    unsafe { REGS.load(Relaxed).as_mut() }.map(f)
}

/// A command of the monitor.
///
/// ```ignore
/// #[distributed_slice(KDB_COMMANDS)]
/// static UPTIME: Command = Command { name: "uptime", usage: "", help: "Time since boot", run: uptime };
/// ```
pub struct Command {
    /// What the user types.
    pub name: &'static str,
    /// Its arguments, as the help shows them; empty if it takes none.
    pub usage: &'static str,
    /// One line on what it does.
    pub help: &'static str,
    /// Does it: gets the words behind the name, and where to write.
    pub run: fn(&[&str], &mut dyn fmt::Write) -> Result<Then, CommandError>,
}

/// What the monitor does when a command is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Asks for the next one.
    Stay,
    /// Lets the kernel go on.
    Leave,
}

/// Why a command did nothing, in the words of Linux's kdb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// Too few arguments, or too many.
    ArgumentCount,
    /// An argument that must be a number is none.
    BadNumber,
    /// Nothing can be read at this address.
    BadAddress(u64),
    /// The output went nowhere.
    Output,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArgumentCount => f.write_str("Improper argument count, see usage."),
            Self::BadNumber => f.write_str("Illegal numeric value"),
            Self::BadAddress(address) => write!(f, "Invalid address: {address:#x}"),
            Self::Output => f.write_str("The output was refused"),
        }
    }
}

impl From<fmt::Error> for CommandError {
    fn from(_: fmt::Error) -> Self {
        Self::Output
    }
}

/// The commands of the monitor, wherever they are declared.
#[distributed_slice]
pub static KDB_COMMANDS: [Command];

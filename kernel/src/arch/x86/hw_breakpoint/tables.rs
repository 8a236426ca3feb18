//! Who has which of the four breakpoints, what it watches, and how a CPU takes that over.
//!
//! Nothing here takes a lock: breakpoints are set in the monitor, which may have stopped any CPU anywhere, and looked at in exceptions that can come at any instruction.

use core::arch::asm;
use core::sync::atomic::{
    AtomicPtr, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use super::watch::{self, Handler, Watch};
use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::registers::{self, DR7_DISARMED, DR7_RESERVED};
use crate::prelude::*;

/// Breakpoints of a CPU.
pub(super) const HBP_NUM: usize = 4;
/// Resume, in the flags: the next instruction raises no debug exception.
const X86_EFLAGS_RF: u64 = 1 << 16;

/// For each breakpoint the CPUs that have it, a bit each.
static CLAIMED: [AtomicU64; HBP_NUM] = [const { AtomicU64::new(0) }; HBP_NUM];
const _: () = assert!(NR_CPUS <= u64::BITS as usize, "a bit for each CPU");

/// How often the tables have changed: who has taken them over compares.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// What this CPU alone watches.
#[percpu]
pub(super) static THIS_CPU: Table = Table::new();

/// What all CPUs watch. No breakpoint is armed in both: the claims exclude each other.
pub(super) static ALL_CPUS: Table = Table::new();

/// The right to a breakpoint of one CPU, or of all, until dropped.
pub(super) struct Claim {
    slot: usize,
    cpus: u64,
}

impl Claim {
    /// A breakpoint that is free on `cpu`.
    pub(super) fn of_cpu(cpu: usize) -> Option<Claim> {
        Self::new(1 << cpu)
    }

    /// A breakpoint that is free on all CPUs, whether they are there or not.
    pub(super) fn of_all_cpus() -> Option<Claim> {
        Self::new(u64::MAX)
    }

    fn new(cpus: u64) -> Option<Claim> {
        let is_taken = |claimed: &AtomicU64| {
            claimed
                .fetch_update(AcqRel, Acquire, |claimed| (claimed & cpus == 0).then_some(claimed | cpus))
                .is_ok()
        };
        let slot = CLAIMED.iter().position(is_taken)?;
        Some(Claim { slot, cpus })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        CLAIMED[self.slot].fetch_and(!self.cpus, Release);
    }
}

/// What a breakpoint watches: nothing while `dr7` is 0.
struct Entry {
    address: AtomicUsize,
    handler: AtomicPtr<()>,
    dr7: AtomicU64,
}

impl Entry {
    fn is_armed(&self) -> bool {
        self.dr7.load(Acquire) != 0
    }
}

/// What the breakpoints of a CPU watch, or of all.
pub(super) struct Table([Entry; HBP_NUM]);

impl Table {
    const fn new() -> Self {
        Table(
            [const {
                Entry {
                    address: AtomicUsize::new(0),
                    handler: AtomicPtr::new(core::ptr::null_mut()),
                    dr7: AtomicU64::new(0),
                }
            }; HBP_NUM],
        )
    }

    /// What the claimed breakpoint is to watch from when a CPU takes it over.
    pub(super) fn set(&self, claim: &Claim, watch: Option<&Watch>) {
        let entry = &self.0[claim.slot];
        if let Some(watch) = watch {
            entry.address.store(watch.address, Relaxed);
            entry.handler.store(watch.handler as *mut (), Relaxed);
        }
        entry.dr7.store(watch.map_or(0, |watch| watch.dr7(claim.slot)), Release);
        CHANGES.fetch_add(1, AcqRel);
    }
}

/// What this CPU is to watch with breakpoint `slot`.
fn wanted(this_cpu: &Table, slot: usize) -> Option<&Entry> {
    [this_cpu, &ALL_CPUS]
        .map(|table| &table.0[slot])
        .into_iter()
        .find(|entry| entry.is_armed())
}

/// This CPU's breakpoints are disarmed until this is dropped, which arms what is to be watched then. Inside of another one it changes nothing. What comes between is marked in DR7
/// itself, so that there is no instruction at which an NMI could mistake it.
#[must_use = "the breakpoints are armed when this is dropped"]
pub struct Disarmed {
    is_outermost: bool,
}

impl Disarmed {
    /// Disarms them.
    #[inline(always)]
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> Disarmed {
        let is_outermost = registers::dr7() != DR7_DISARMED;
        // SAFETY: no breakpoint is armed by this value.
        unsafe { registers::write_dr7(DR7_DISARMED) };
        Disarmed { is_outermost }
    }
}

impl Drop for Disarmed {
    #[inline(always)]
    fn drop(&mut self) {
        if self.is_outermost {
            load();
        }
    }
}

/// Has this CPU watch what it is to watch, or at the end of the exception that is being handled.
pub fn reload() {
    drop(Disarmed::new());
}

/// Arms what is to be watched. It is entry code, since what follows in an exception runs with armed breakpoints on a stack that the next exception would begin anew.
#[unsafe(link_section = ".entry.text")]
#[inline(never)]
fn load() {
    loop {
        let changes = CHANGES.load(Acquire);
        let dr7 = write_addresses();
        // SAFETY: the exception is handled wherever the addresses may lie: that was asked when they were set.
        unsafe { registers::write_dr7(dr7) };
        // What comes by an NMI until here finds the breakpoints marked as disarmed, and leaves it to this.
        if CHANGES.load(Acquire) == changes {
            return;
        }
        // SAFETY: as in `Disarmed::new`.
        unsafe { registers::write_dr7(DR7_DISARMED) };
    }
}

/// Where [`load`] looks when it has armed the breakpoints: eight bytes, by which the address can be divided.
pub(super) fn looked_at_while_armed() -> usize {
    (&raw const CHANGES).addr()
}

/// Sets DR0 to DR3 as far as they are wanted, and says what DR7 is to be.
#[inline(never)]
fn write_addresses() -> u64 {
    THIS_CPU.with_this_cpu(|table| {
        (0..HBP_NUM).fold(DR7_RESERVED, |dr7, slot| {
            let Some(entry) = wanted(table, slot) else { return dr7 };
            write_address(slot, entry.address.load(Relaxed));
            dr7 | entry.dr7.load(Relaxed)
        })
    })
}

fn write_address(slot: usize, address: usize) {
    // SAFETY: the address counts only where DR7 arms it, which the caller decides.
    unsafe {
        match slot {
            0 => asm!("mov dr0, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
            1 => asm!("mov dr1, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
            2 => asm!("mov dr2, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
            _ => asm!("mov dr3, {}", in(reg) address, options(nomem, nostack, preserves_flags)),
        }
    }
}

/// Calls the handlers of the breakpoints that `reason`, DR6, names, and says whether there was one. A handler may drop breakpoints. One that this CPU has come to before it took over
/// that its breakpoint is to watch nothing, or something else, has none.
pub(in crate::arch::x86) fn handle(reason: u64, regs: &mut PtRegs) -> bool {
    let addresses = [registers::dr0(), registers::dr1(), registers::dr2(), registers::dr3()];
    let mut found = false;
    for (slot, address) in addresses.into_iter().enumerate().filter(|(slot, _)| reason >> slot & 1 != 0) {
        let armed = THIS_CPU.with_this_cpu(|table| {
            let entry = wanted(table, slot).filter(|entry| entry.address.load(Relaxed) as u64 == address)?;
            Some((entry.handler.load(Relaxed), entry.dr7.load(Relaxed)))
        });
        let Some((handler, dr7)) = armed.filter(|(handler, _)| !handler.is_null()) else {
            continue;
        };
        found = true;
        // SAFETY: not null, so made of a `Handler`.
        let handler = unsafe { core::mem::transmute::<*mut (), Handler>(handler) };
        handler(regs);
        if watch::is_code(dr7, slot) {
            regs.flags |= X86_EFLAGS_RF;
        }
    }
    found
}

//! Breakpoints of the processor's: four addresses for each CPU that raise a debug exception when they are run, written or accessed (SDM 3, 18.2).
//!
//! A breakpoint is a value, and dropping it disarms it: [`Breakpoint`] is of one CPU, [`WideBreakpoint`] of all, those too that come later. What is to be watched stands in two tables,
//! each CPU's own and the one of all; a CPU takes it over with [`reload`]. The exception is handled in [`super::traps::debug`], with all breakpoints disarmed.

mod tables;
mod watch;

use core::marker::PhantomData;

use crate::irq::IrqGuard;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::{preempt, smp};

pub(super) use tables::handle;
use tables::{ALL_CPUS, Claim, THIS_CPU};
pub use tables::{Disarmed, reload};
use watch::Watch;
pub use watch::{Access, Handler};

/// An armed breakpoint of this CPU. It must be dropped on the CPU that has set it.
#[must_use = "a breakpoint that is dropped is disarmed"]
pub struct Breakpoint {
    claim: Claim,
    this_cpu: PhantomData<*const ()>,
}

impl Breakpoint {
    /// Arms a free breakpoint of this CPU for `access` to the `len` bytes at `address`.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the length is not 1, 2, 4 or 8, if the address is not a multiple of it, if code is watched by more than a byte, or if the address lies in the
    /// entry code, on the exception stacks, or where a CPU looks when it has armed its breakpoints: there the exception could not be handled; `ENOSPC` if all are in use.
    pub fn new(address: usize, len: usize, access: Access, handler: Handler) -> Result<Breakpoint, Errno> {
        let watch = Watch::new(address, len, access, handler)?;
        let _no_interrupts = IrqGuard::new();
        let claim = Claim::of_cpu(smp_processor_id()).ok_or(Errno::ENOSPC)?;
        THIS_CPU.with_this_cpu(|table| table.set(&claim, Some(&watch)));
        reload();
        Ok(Breakpoint {
            claim,
            this_cpu: PhantomData,
        })
    }
}

impl Drop for Breakpoint {
    fn drop(&mut self) {
        let _no_interrupts = IrqGuard::new();
        THIS_CPU.with_this_cpu(|table| table.set(&self.claim, None));
        reload();
    }
}

/// A breakpoint that is armed on all CPUs, and on each that comes online: Linux's `register_wide_hw_breakpoint`.
#[must_use = "a breakpoint that is dropped is disarmed"]
pub struct WideBreakpoint {
    claim: Claim,
}

impl WideBreakpoint {
    /// Arms a breakpoint that is free on all CPUs for `access` to the `len` bytes at `address`. The others have it when this returns; those that the caller
    /// [holds](smp::hold_other_cpus) have it when they go on. Otherwise the caller may call functions on them, as for [`smp::on_each_cpu`].
    ///
    /// # Errors
    ///
    /// As [`Breakpoint::new`], where `ENOSPC` is that none is free on all CPUs; `EBUSY` in an interrupt or an exception that does not hold the other CPUs.
    pub fn new(address: usize, len: usize, access: Access, handler: Handler) -> Result<WideBreakpoint, Errno> {
        let watch = Watch::new(address, len, access, handler)?;
        if preempt::in_interrupt() && !smp::are_others_held() {
            return Err(Errno::EBUSY);
        }
        let claim = Claim::of_all_cpus().ok_or(Errno::ENOSPC)?;
        ALL_CPUS.set(&claim, Some(&watch));
        reload_everywhere();
        Ok(WideBreakpoint { claim })
    }
}

impl Drop for WideBreakpoint {
    fn drop(&mut self) {
        ALL_CPUS.set(&self.claim, None);
        // Its number is given back behind this.
        reload_everywhere();
    }
}

/// Has all CPUs take over what is to be watched. Where they cannot be called, held ones do when they go on, and others when they come to what is not to be watched any more.
fn reload_everywhere() {
    if preempt::in_interrupt() || smp::are_others_held() {
        reload();
    } else {
        smp::on_each_cpu(&reload);
    }
}

/// A CPU that comes watches from its first states on, one that goes no longer than to its last.
#[cpu_state(starting, name = "x86/hw_breakpoint:starting", teardown = disarm_this_cpu)]
fn arm_this_cpu(_cpu: usize) -> Result<(), Errno> {
    reload();
    Ok(())
}

fn disarm_this_cpu(_cpu: usize) {
    core::mem::forget(Disarmed::new());
}

#[cfg(CONFIG_KUNIT)]
mod tests;

//! Exceptions and NMIs that come while another one is handled.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use incipit::arch::x86::apic;
use incipit::arch::x86::maccess::get_kernel_nofault;
use incipit::arch::x86::nmi::{NMI_HANDLERS, NmiHandler};
use incipit::arch::x86::ptregs::PtRegs;
use incipit::arch::x86::traps::{Vector, debug::set_hook};
use incipit::percpu::smp_processor_id;
use incipit::prelude::*;
use incipit::time::udelay;
use linkme::distributed_slice;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};
use crate::external::NMI_MICROSECONDS;
use crate::instructions::UNMAPPED;

/// NMIs are taken by the next of these that is set.
static SEND_ANOTHER: AtomicBool = AtomicBool::new(false);
static EXPECT_ANOTHER: AtomicBool = AtomicBool::new(false);
static FAULT: AtomicBool = AtomicBool::new(false);
/// How many NMIs are being handled.
static DEPTH: AtomicU32 = AtomicU32::new(0);

#[distributed_slice(NMI_HANDLERS)]
static TAKE_NMI: NmiHandler = take_nmi;

#[inline(never)]
fn take_nmi(_regs: &mut PtRegs) -> bool {
    if FAULT.swap(false, Relaxed) {
        write_null();
    }
    if SEND_ANOTHER.swap(false, Relaxed) {
        DEPTH.fetch_add(1, Relaxed);
        send_nmi();
        // A fault's `iretq` lets the other one in.
        let is_there = get_kernel_nofault(core::ptr::without_provenance::<u64>(UNMAPPED)).is_ok();
        pr_info!("lkdtm: the first NMI has faulted{}", if is_there { " not" } else { "" });
        DEPTH.fetch_sub(1, Relaxed);
        return true;
    }
    if EXPECT_ANOTHER.swap(false, Relaxed) {
        let depth = DEPTH.load(Relaxed);
        pr_info!("lkdtm: the second NMI is handled inside of {depth} others");
        return true;
    }
    false
}

fn send_nmi() {
    apic::send_nmi(smp_processor_id());
    udelay(NMI_MICROSECONDS);
}

#[inline(never)]
fn write_null() {
    // SAFETY: the first page is never mapped, so the write faults.
    unsafe { access::write(0, 0) };
}

/// The second one comes when the first has faulted, and is handled when the first is done.
#[inline(never)]
pub fn nmi_in_nmi() -> Outcome {
    EXPECT_ANOTHER.store(true, Relaxed);
    SEND_ANOTHER.store(true, Relaxed);
    send_nmi();
    if EXPECT_ANOTHER.load(Relaxed) {
        return Err("the second NMI got lost");
    }
    Ok(())
}

/// Raises a breakpoint that `claim` takes.
#[inline(always)]
fn breakpoint(claim: fn(&mut PtRegs, Vector) -> bool) {
    let hook = set_hook(Some(claim));
    // SAFETY: the exception comes back behind the instruction, if it does.
    unsafe { asm!("int3") };
    set_hook(hook);
}

/// Nobody takes the NMI, which is reported; the exception goes on.
#[inline(never)]
pub fn nmi_in_exception() -> Outcome {
    breakpoint(|_regs, _vector| {
        send_nmi();
        true
    });
    Ok(())
}

#[inline(never)]
pub fn fault_in_exception() -> Outcome {
    breakpoint(|_regs, vector| {
        if vector == Vector::Breakpoint {
            write_null();
        }
        false
    });
    SURVIVED
}

#[inline(never)]
pub fn fault_in_nmi() -> Outcome {
    FAULT.store(true, Relaxed);
    send_nmi();
    SURVIVED
}

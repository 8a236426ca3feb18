//! What comes from outside the instruction stream: NMI, machine check, another CPU's silence.

use incipit::arch::x86::cpu::masks::ONLINE;
use incipit::arch::x86::mm::pgtable::{Entry, Flags};
use incipit::arch::x86::msr::{self, IA32_APIC_BASE};
use incipit::prelude::*;
use incipit::smp;
use incipit::time::{mdelay, udelay};

use crate::crashpoints::Outcome;
use crate::window::Window;

/// The local APIC is on, and is used through registers of the processor rather than memory ([`IA32_APIC_BASE`]; SDM 3, 11.4.4 and 11.12.1).
const APIC_ENABLED: u64 = 1 << 11;
const X2APIC_ENABLED: u64 = 1 << 10;
/// Uncached, in a page table entry.
const PCD: u64 = 1 << 4;

/// Registers, by their offset in memory (SDM 3, table 11-1).
const APIC_ID: usize = 0x20;
const APIC_ICR_LOW: usize = 0x300;
const APIC_ICR_HIGH: usize = 0x310;
/// The interrupt command register where the registers are the processor's.
const X2APIC_ICR: u32 = 0x830;
/// To the CPU that is named, as an NMI, edge (SDM 3, figure 11-12).
const DELIVER_NMI: u32 = 0x4400;

/// How long an NMI may take from one end of a CPU to the other.
pub const NMI_MICROSECONDS: u64 = 1000;

/// Sends this CPU an NMI by way of its local APIC, which need not have been set up for that. Comes back: an NMI without a known reason is survived.
#[inline(never)]
pub fn nmi() -> Outcome {
    let base = msr::rdmsr_safe(IA32_APIC_BASE).unwrap_or(0);
    if base & APIC_ENABLED == 0 {
        return Err("this processor has no local APIC, or it is off");
    }
    if base & X2APIC_ENABLED != 0 {
        let id = u64::from(incipit::arch::x86::cpu::boot_cpu_apic_id());
        // SAFETY: the register exists in this mode; the interrupt is one that the kernel survives at any time.
        unsafe { msr::wrmsr(X2APIC_ICR, id << 32 | u64::from(DELIVER_NMI)) };
    } else {
        let page = Entry::new(base & 0x000f_ffff_ffff_f000, Flags::READ_WRITE);
        let Some(window) = Window::open(Entry(page.0 | PCD)) else {
            return Err("the window is in use");
        };
        let register = |offset: usize| core::ptr::with_exposed_provenance_mut::<u32>(window.address() + offset);
        // SAFETY: the window leads to the registers of the local APIC; the interrupt is one that the kernel survives at any time.
        unsafe {
            let id = register(APIC_ID).read_volatile();
            register(APIC_ICR_HIGH).write_volatile(id);
            register(APIC_ICR_LOW).write_volatile(DELIVER_NMI);
        }
    }
    udelay(NMI_MICROSECONDS);
    Ok(())
}

/// For how long another CPU does nothing.
const STUCK_MILLISECONDS: u64 = 300;

/// Lets the last CPU wait with interrupts off, and calls it meanwhile. Comes back: `smp.csd_lock_timeout=` says after how long that is reported.
#[inline(never)]
pub fn call_of_a_stuck_cpu() -> Outcome {
    let Some(cpu) = ONLINE.iter().last().filter(|&cpu| cpu != 0) else {
        return Err("there is no other CPU");
    };
    let is_asked = smp::call_function_single_nowait(cpu, &be_stuck).and_then(|()| smp::call_function_single(cpu, &|| ()));
    is_asked.map_err(|_| "the other CPU has gone")
}

#[inline(never)]
fn be_stuck() {
    (0..STUCK_MILLISECONDS).for_each(|_| mdelay(1));
}

/// For how long a CPU is locked up.
const LOCKUP_MILLISECONDS: u64 = 4000;

/// Does nothing for longer than `watchdog_thresh=1` lets an initcall, and comes back.
#[inline(never)]
pub fn soft_lockup() -> Outcome {
    (0..LOCKUP_MILLISECONDS).for_each(|_| mdelay(1));
    Ok(())
}

/// Lets the last CPU do so with interrupts off.
#[inline(never)]
pub fn hard_lockup() -> Outcome {
    let Some(cpu) = ONLINE.iter().last().filter(|&cpu| cpu != 0) else {
        return Err("there is no other CPU");
    };
    if smp::call_function_single_nowait(cpu, &lock_up).is_err() {
        return Err("the other CPU has gone");
    }
    soft_lockup()
}

#[inline(never)]
fn lock_up() {
    (0..LOCKUP_MILLISECONDS).for_each(|_| mdelay(1));
}

/// How long the host has to inject the machine check.
const PATIENCE_MILLISECONDS: u64 = 10_000;

/// Waits for the host: QEMU's monitor takes `mce 0 0 0xb200000000000000 4 0 0`, an uncorrected error that the processor cannot go on from.
#[inline(never)]
pub fn machine_check() -> Outcome {
    pr_info!("lkdtm: waiting {PATIENCE_MILLISECONDS} ms for a machine check");
    for _ in 0..PATIENCE_MILLISECONDS {
        mdelay(1);
    }
    Err("no machine check came")
}

//! Non-maskable interrupts: another CPU wants something at once, or the machine says that something is wrong, and mostly not what.
//!
//! Who sends them declares who takes them, as an entry of [`NMI_HANDLERS`]. What is nobody's is reported, and survived. The handlers run on a stack of their own, whatever they interrupt:
//! they take no lock that others take, and what they log may be shown later.

use core::sync::atomic::AtomicU64;

use linkme::distributed_slice;
use x86::io::{inb, outb};

use crate::arch::x86::dumpstack;
use crate::arch::x86::hw_breakpoint::Disarmed;
use crate::arch::x86::i8253::CONTROL_B;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::registers;
use crate::percpu::smp_processor_id;
use crate::preempt;
use crate::prelude::*;

// In system control port B, which says why, and takes the acknowledgement; its low bits gate the speaker.
/// A device raised SERR#.
const REASON_SERR: u8 = 0x80;
/// A device raised IOCHK#.
const REASON_IOCHK: u8 = 0x40;
/// Bits that are written back as they were.
const KEPT: u8 = 0x0f;
const CLEAR_SERR: u8 = 0x04;
const CLEAR_IOCHK: u8 = 0x08;

/// Looks whether an NMI is for it, does what is to be done if so, and says so. All are asked: two that come close together are one.
pub type NmiHandler = fn(&mut PtRegs) -> bool;

/// All handlers.
#[distributed_slice]
pub static NMI_HANDLERS: [NmiHandler];

/// Where the last NMI struck that more than one handler took: the next one, if it strikes there too, was for the second of them. 0 is nowhere.
#[percpu]
static SWALLOW_AT: AtomicU64 = AtomicU64::new(0);

/// Handles a non-maskable interrupt. What it interrupts may be the beginning of a page fault or of a debug exception, so CR2 is left as it is found, and so are the breakpoints there.
///
/// It is entry code: it may have interrupted a debug exception that has not disarmed the breakpoints yet, and those must not strike here before it has.
#[unsafe(link_section = ".entry.text")]
pub(super) extern "C" fn exc_nmi(regs: &mut PtRegs, _error_code: u64, _vector: u64) {
    let (cr2, disarmed) = (registers::cr2(), Disarmed::new());
    #[cfg(CONFIG_SMP)]
    crate::arch::x86::smpboot::stop::stop_if_asked();
    preempt::add(preempt::NMI_OFFSET | preempt::HARDIRQ_OFFSET);
    let swallow_at = SWALLOW_AT.this_cpu_read();
    SWALLOW_AT.this_cpu_write(0);
    match NMI_HANDLERS.iter().filter(|handler| handler(regs)).count() {
        0 if swallow_at != 0 && swallow_at == regs.ip => {}
        0 => report(regs),
        1 => {}
        _ => SWALLOW_AT.this_cpu_write(regs.ip),
    }
    preempt::sub(preempt::NMI_OFFSET | preempt::HARDIRQ_OFFSET);
    drop(disarmed);
    if registers::cr2() != cr2 {
        registers::write_cr2(cr2);
    }
}

/// Says what the machine says, and goes on, as Linux does.
#[cold]
fn report(regs: &PtRegs) {
    let cpu = smp_processor_id();
    // SAFETY: reading the port has no effect.
    let reason = unsafe { inb(CONTROL_B) };
    if reason & REASON_SERR != 0 {
        pr_emerg!("NMI: PCI system error (SERR) for reason {reason:02x} on CPU {cpu}.");
        acknowledge(reason, CLEAR_SERR);
    } else if reason & REASON_IOCHK != 0 {
        pr_emerg!("NMI: IOCK error (debug interrupt?) for reason {reason:02x} on CPU {cpu}.");
        dumpstack::show_regs(regs);
        acknowledge(reason, CLEAR_IOCHK);
    } else {
        pr_emerg!("Uhhuh. NMI received for unknown reason {reason:02x} on CPU {cpu}.");
    }
    pr_emerg!("Dazed and confused, but trying to continue");
}

/// Takes the line back and lets it be raised again.
fn acknowledge(reason: u8, clear: u8) {
    let kept = reason & KEPT & !clear;
    // SAFETY: the bits clear and re-arm the line that was reported; the speaker's stay as they were.
    unsafe {
        outb(CONTROL_B, kept | clear);
        outb(CONTROL_B, kept);
    }
}

#[cfg(CONFIG_KUNIT)]
mod tests;

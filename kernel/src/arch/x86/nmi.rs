//! Non-maskable interrupts: the machine says that something is wrong, and mostly not what.

use x86::io::{inb, outb};

use crate::arch::x86::dumpstack;
use crate::arch::x86::ptregs::PtRegs;
use crate::percpu::smp_processor_id;
use crate::preempt;
use crate::prelude::*;

/// System control port B: says why, and takes the acknowledgement; its low bits gate the speaker.
const NMI_REASON_PORT: u16 = 0x61;
/// A device raised SERR#.
const REASON_SERR: u8 = 0x80;
/// A device raised IOCHK#.
const REASON_IOCHK: u8 = 0x40;
/// Bits that are written back as they were.
const KEPT: u8 = 0x0f;
const CLEAR_SERR: u8 = 0x04;
const CLEAR_IOCHK: u8 = 0x08;

/// Handles a non-maskable interrupt, on a stack of its own: reports it and goes on, as Linux does.
pub(super) extern "C" fn exc_nmi(regs: &mut PtRegs, _error_code: u64, _vector: u64) {
    #[cfg(CONFIG_SMP)]
    crate::arch::x86::smpboot::stop::stop_if_asked();
    preempt::add(preempt::NMI_OFFSET | preempt::HARDIRQ_OFFSET);
    let cpu = smp_processor_id();
    // SAFETY: reading the port has no effect.
    let reason = unsafe { inb(NMI_REASON_PORT) };
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
    preempt::sub(preempt::NMI_OFFSET | preempt::HARDIRQ_OFFSET);
}

/// Takes the line back and lets it be raised again.
fn acknowledge(reason: u8, clear: u8) {
    let kept = reason & KEPT & !clear;
    // SAFETY: the bits clear and re-arm the line that was reported; the speaker's stay as they were.
    unsafe {
        outb(NMI_REASON_PORT, kept | clear);
        outb(NMI_REASON_PORT, kept);
    }
}

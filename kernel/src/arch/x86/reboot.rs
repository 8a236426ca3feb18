//! Restarting the machine without any help: keyboard controller, PCI reset register, triple fault.

use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use x86::io::{inb, outb};

use super::{idt, irqflags};
use crate::prelude::*;
use crate::time::udelay;

/// The keyboard controller's status and command port; pulsing its output line resets the processor.
const KBD_COMMAND: u16 = 0x64;
const KBD_INPUT_FULL: u8 = 1 << 1;
const KBD_PULSE_RESET: u8 = 0xfe;

/// The reset control register of PCI chip sets.
const RESET_CONTROL: u16 = 0xcf9;
const RESET_HARD: u8 = 1 << 1;
const RESET_CPU: u8 = 1 << 2;
const RESET_FULL: u8 = 1 << 3;

/// The ways to restart, as `reboot=` has them.
const KEYBOARD: u8 = b'k';
const PCI: u8 = b'p';
const TRIPLE_FAULT: u8 = b't';

/// The way that is tried first.
static FIRST: AtomicU8 = AtomicU8::new(KEYBOARD);

/// `reboot=k|p|t[,…]`: which way to restart is tried first: the keyboard controller, PCI's reset register, or a triple fault. The last one counts.
#[setup("reboot=")]
#[init]
fn reboot_setup(value: &'static str) -> SetupResult {
    for word in value.split(',') {
        match word.as_bytes().first() {
            Some(&way @ (KEYBOARD | PCI | TRIPLE_FAULT)) => FIRST.store(way, Relaxed),
            _ => pr_warn!("reboot: '{word}' is no way to restart: k (keyboard controller), p (PCI) or t (triple fault)"),
        }
    }
    SetupResult::Consumed
}

/// Restarts the machine at once, in whatever state it is: Linux's `emergency_restart`. Tries one way after the other; the last one cannot fail.
pub fn emergency_restart() -> ! {
    irqflags::cli();
    match FIRST.load(Relaxed) {
        PCI => by_pci(),
        TRIPLE_FAULT => by_triple_fault(),
        _ => {}
    }
    by_keyboard();
    by_pci();
    by_triple_fault()
}

/// Stops the machine without switching it off: Linux's `kernel_halt`.
pub fn halt() -> ! {
    pr_emerg!("reboot: System halted");
    irqflags::halt_forever()
}

fn by_keyboard() {
    const ATTEMPTS: u32 = 10;
    const STATUS_READS: u32 = 1000;
    for _ in 0..ATTEMPTS {
        // SAFETY: the machine is to be reset; without a keyboard controller nothing happens.
        unsafe {
            for _ in 0..STATUS_READS {
                if inb(KBD_COMMAND) & KBD_INPUT_FULL == 0 {
                    break;
                }
                udelay(2);
            }
            outb(KBD_COMMAND, KBD_PULSE_RESET);
        }
        udelay(50);
    }
}

fn by_pci() {
    let bits = RESET_HARD | RESET_CPU | RESET_FULL;
    // SAFETY: the machine is to be reset; without the register nothing happens. The reset starts when the processor's bit rises.
    unsafe {
        let others = inb(RESET_CONTROL) & !bits;
        outb(RESET_CONTROL, others | RESET_HARD);
        udelay(50);
        outb(RESET_CONTROL, others | bits);
        udelay(50);
    }
}

/// An exception without a gate is a double fault, and that without a gate a shutdown, which machines answer with a reset.
fn by_triple_fault() -> ! {
    // SAFETY: the reset is wanted.
    unsafe {
        idt::invalidate_idt();
        asm!("int3", options(nostack));
    }
    irqflags::halt_forever()
}

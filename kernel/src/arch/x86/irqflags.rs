//! The interrupt flag: what `irq` builds its interface from.

use core::arch::asm;

/// The interrupt flag in RFLAGS.
pub const X86_EFLAGS_IF: u64 = 1 << 9;
/// The trap flag in RFLAGS: a debug exception after each instruction.
pub const X86_EFLAGS_TF: u64 = 1 << 8;

/// RFLAGS as it is.
#[inline]
#[must_use]
pub fn save_flags() -> u64 {
    let flags;
    // SAFETY: pushes one word and pops it again. Memory is clobbered so that accesses do not move across a reading of the interrupt flag.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags, options(preserves_flags)) };
    flags
}

/// Clears the interrupt flag.
#[inline]
pub fn cli() {
    // SAFETY: interrupts may be off at any time. Memory is clobbered so that nothing moves out of the section that starts here.
    unsafe { asm!("cli", options(nostack, preserves_flags)) };
}

/// Sets the interrupt flag.
#[inline]
pub fn sti() {
    // SAFETY: each vector has a gate from `idt_setup_early_handler` on, so an interrupt that nobody expects is reported and survived. Memory is clobbered so
    // that nothing moves out of the section that ends here.
    unsafe { asm!("sti", options(nostack, preserves_flags)) };
}

/// Stops the processor until an interrupt comes; with interrupts off, for ever but for NMI.
#[inline]
pub fn halt() {
    // SAFETY: waits and changes nothing.
    unsafe { asm!("hlt", options(nomem, nostack, preserves_flags)) };
}

/// Lets interrupts come and stops the processor until one does; none comes between the two (SDM 2B, STI).
#[inline]
pub fn safe_halt() {
    // SAFETY: as for `sti`.
    unsafe { asm!("sti", "hlt", options(nostack, preserves_flags)) };
}

/// Stops the processor for ever.
pub fn halt_forever() -> ! {
    loop {
        cli();
        halt();
    }
}

//! The registers of this CPU's local APIC, in either of its modes.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

use crate::arch::x86::msr::{IA32_APIC_BASE, rdmsr, wrmsr};

/// A register, by its offset in memory (SDM 3, table 11-1); in x2APIC mode its number is a sixteenth of that behind 0x800.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[allow(missing_docs, reason = "the names are the manual's")]
pub enum Register {
    Id = 0x20,
    Version = 0x30,
    TaskPriority = 0x80,
    Eoi = 0xb0,
    LogicalDestination = 0xd0,
    DestinationFormat = 0xe0,
    SpuriousVector = 0xf0,
    /// The first of eight.
    InService = 0x100,
    /// The first of eight.
    InterruptRequest = 0x200,
    ErrorStatus = 0x280,
    /// The low half of the interrupt command.
    InterruptCommand = 0x300,
    InterruptCommandHigh = 0x310,
    LvtTimer = 0x320,
    LvtThermal = 0x330,
    LvtPerformance = 0x340,
    LvtLint0 = 0x350,
    LvtLint1 = 0x360,
    LvtError = 0x370,
    TimerInitialCount = 0x380,
    TimerCurrentCount = 0x390,
    TimerDivide = 0x3e0,
}

impl Register {
    /// The register of this kind that holds the bit of `vector`.
    #[must_use]
    pub fn word_of(self, vector: u8) -> u16 {
        self as u16 + u16::from(vector / 32) * 0x10
    }
}

/// In an entry of the local vector table: the interrupt is not taken.
pub(super) const LVT_MASKED: u32 = 1 << 16;
/// [`IA32_APIC_BASE`]: the APIC is on.
pub(super) const APIC_ENABLE: u64 = 1 << 11;
/// [`IA32_APIC_BASE`]: it is in x2APIC mode.
pub(super) const X2APIC_ENABLE: u64 = 1 << 10;

/// Where the registers are mapped, on every CPU the same; null before [`map`].
static MAPPED: AtomicPtr<u32> = AtomicPtr::new(ptr::null_mut());
static X2APIC: AtomicBool = AtomicBool::new(false);

/// Whether there is a local APIC, and it is used.
#[inline]
#[must_use]
pub fn is_present() -> bool {
    is_x2apic() || !MAPPED.load(Relaxed).is_null()
}

/// Whether the registers are model-specific ones: x2APIC mode.
#[inline]
#[must_use]
pub fn is_x2apic() -> bool {
    X2APIC.load(Relaxed)
}

/// Lets the registers be reached by memory, at `registers`.
///
/// # Safety
///
/// The page must be that of the local APICs, mapped uncached for good.
pub(super) unsafe fn map(registers: *mut u32) {
    MAPPED.store(registers, Relaxed);
}

/// Notes that this and all other CPUs use x2APIC mode.
pub(super) fn set_x2apic() {
    X2APIC.store(true, Relaxed);
}

/// Switches this CPU's APIC on, in the mode that all use. What is on already is not touched: some of the ways between the modes are faults.
pub(super) fn enable_mode() {
    let base = rdmsr(IA32_APIC_BASE);
    let wanted = base | APIC_ENABLE | if is_x2apic() { X2APIC_ENABLE } else { 0 };
    if base & APIC_ENABLE == 0 {
        // SAFETY: switches it on where firmware has it.
        unsafe { wrmsr(IA32_APIC_BASE, base | APIC_ENABLE) };
    }
    if wanted != base {
        // SAFETY: from on to x2APIC, which the CPU has (`set_x2apic`).
        unsafe { wrmsr(IA32_APIC_BASE, wanted) };
    }
}

const fn msr_of(offset: u16) -> u32 {
    0x800 + (offset >> 4) as u32
}

/// Reads a register, by its offset. 0 without an APIC.
#[inline]
#[must_use]
pub(super) fn read_at(offset: u16) -> u32 {
    if is_x2apic() {
        return rdmsr(msr_of(offset)) as u32;
    }
    let base = MAPPED.load(Relaxed);
    if base.is_null() {
        return 0;
    }
    // SAFETY: the page is mapped for good (`map`), and the offset lies in it; reading changes nothing.
    unsafe { base.byte_add(offset.into()).read_volatile() }
}

/// Reads a register. 0 without an APIC.
#[inline]
#[must_use]
pub fn read(register: Register) -> u32 {
    read_at(register as u16)
}

/// Writes a register. Nothing without an APIC.
///
/// # Safety
///
/// What the register controls must allow the value: it decides which vectors arrive.
#[inline]
pub unsafe fn write(register: Register, value: u32) {
    if is_x2apic() {
        // SAFETY: the caller vouches for the value.
        unsafe { wrmsr(msr_of(register as u16), value.into()) };
        return;
    }
    let base = MAPPED.load(Relaxed);
    if !base.is_null() {
        // SAFETY: the page is mapped for good (`map`), and the offset lies in it; the caller vouches for the value.
        unsafe { base.byte_add(register as usize).write_volatile(value) };
    }
}

/// The interrupt goes to this APIC, or to all: no destination is named (SDM 3, figure 11-12).
pub(super) const SHORTHAND: u32 = 3 << 18;

/// Writes the interrupt command, by which an interrupt goes to the APIC `destination`. The caller has seen to it that the last one has been taken ([`super::ipi`]).
/// A non-maskable interrupt may come between the two halves: what it sends to its own CPU leaves the destination alone.
///
/// # Safety
///
/// As for [`write()`].
#[inline]
pub(super) unsafe fn write_command(command: u32, destination: u32) {
    if is_x2apic() {
        // Stores to memory before the interrupt must be seen by who gets it, and this write, unlike one to memory, does not wait for them (SDM 3, 11.12.3).
        // SAFETY: fences change nothing; the caller vouches for the value.
        unsafe {
            core::arch::asm!("mfence", "lfence", options(nostack, preserves_flags));
            wrmsr(
                msr_of(Register::InterruptCommand as u16),
                u64::from(destination) << 32 | u64::from(command),
            );
        }
        return;
    }
    // SAFETY: the caller vouches for the value; the write of the low half sends.
    unsafe {
        if command & SHORTHAND == 0 {
            write(Register::InterruptCommandHigh, destination << 24);
        }
        write(Register::InterruptCommand, command);
    }
}

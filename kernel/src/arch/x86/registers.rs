//! Control, debug and segment registers as plain numbers.
//!
//! Reading has no effect and is safe. Writing changes how the processor works and is `unsafe`; the one place that writes a register says why it may.

use core::arch::asm;

bitflags::bitflags! {
    /// Bits of CR0 (SDM 3, 2.5) that the kernel sets or tests.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Cr0: u64 {
        /// `wait` obeys TS.
        const MP = 1 << 1;
        /// There is no floating-point unit: its instructions fault.
        const EM = 1 << 2;
        /// The floating-point state is another task's: using it faults.
        const TS = 1 << 3;
        /// Errors of x87 are exceptions rather than interrupts.
        const NE = 1 << 5;
        /// Write protection holds in kernel mode too.
        const WP = 1 << 16;
        /// With caches off, writes that hit one stay there.
        const NW = 1 << 29;
        /// Nothing new is cached.
        const CD = 1 << 30;
        /// Paging.
        const PG = 1 << 31;
    }

    /// Bits of CR4 (SDM 3, 2.5) that the kernel sets or tests.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Cr4: u64 {
        /// Machine checks raise an exception instead of shutting down.
        const MCE = 1 << 6;
        /// Global pages stay in the TLB when CR3 changes.
        const PGE = 1 << 7;
        /// `fxsave` and the SSE instructions work.
        const OSFXSR = 1 << 9;
        /// Errors of SSE are exceptions of their own.
        const OSXMMEXCPT = 1 << 10;
        /// `sgdt`, `sidt`, `sldt`, `smsw` and `str` fault in user mode.
        const UMIP = 1 << 11;
        /// `rdfsbase` and its kin work.
        const FSGSBASE = 1 << 16;
        /// `xsave` works, and XCR0 is there.
        const OSXSAVE = 1 << 18;
        /// The kernel cannot execute user pages.
        const SMEP = 1 << 20;
        /// The kernel cannot read or write user pages unless it says so.
        const SMAP = 1 << 21;
    }
}

macro_rules! read_register {
    ($($(#[$doc:meta])* $name:ident = $register:literal;)*) => {$(
        $(#[$doc])*
        #[inline]
        #[must_use]
        pub fn $name() -> u64 {
            let value;
            // SAFETY: reading the register changes nothing; the kernel runs at privilege level 0, where it does not fault.
            unsafe { asm!(concat!("mov {}, ", $register), out(reg) value, options(nomem, nostack, preserves_flags)) };
            value
        }
    )*};
}

read_register! {
    /// CR0: the processor's mode.
    cr0 = "cr0";
    /// CR2: the address of the last page fault.
    cr2 = "cr2";
    /// CR3: the physical address of the top page table, and flags.
    cr3 = "cr3";
    /// CR4: which extensions are on.
    cr4 = "cr4";
    /// DR0: the first breakpoint's address.
    dr0 = "dr0";
    /// DR1: the second breakpoint's address.
    dr1 = "dr1";
    /// DR2: the third breakpoint's address.
    dr2 = "dr2";
    /// DR3: the fourth breakpoint's address.
    dr3 = "dr3";
    /// DR6: why the last debug exception came.
    dr6 = "dr6";
    /// DR7: which breakpoints are armed.
    dr7 = "dr7";
    /// The selector in DS.
    ds = "ds";
    /// The selector in ES.
    es = "es";
    /// The selector in FS.
    fs = "fs";
    /// The selector in GS.
    gs = "gs";
}

/// What DR6 holds when it reports nothing (SDM 3, 18.2.3): its reserved bits and those that report by being clear.
pub const DR6_RESERVED: u64 = 0xffff_0ff0;

/// What DR7 holds when no breakpoint is armed.
pub const DR7_RESERVED: u64 = 0x400;

/// What DR7 holds while breakpoints are disarmed for the time being: nothing is armed, and the bit is set that asked processors of old to be exact (SDM 3, 18.2.4).
pub const DR7_DISARMED: u64 = DR7_RESERVED | 1 << 9;

/// Sets CR0.
///
/// # Safety
///
/// The value must keep paging and protection on.
#[inline]
pub unsafe fn write_cr0(value: u64) {
    // SAFETY: the caller vouches for the value. Memory is clobbered because write protection decides which stores fault.
    unsafe { asm!("mov cr0, {}", in(reg) value, options(nostack, preserves_flags)) };
}

/// Sets CR2, which nobody but page faults and their handler use: for what can come between the two.
#[inline]
pub fn write_cr2(value: u64) {
    // SAFETY: the register only reports.
    unsafe { asm!("mov cr2, {}", in(reg) value, options(nomem, nostack, preserves_flags)) };
}

/// The selector of the local descriptor table in use; 0 is none.
#[inline]
#[must_use]
pub fn sldt() -> u16 {
    let selector: u16;
    // SAFETY: reading the register changes nothing.
    unsafe { asm!("sldt {:x}", out(reg) selector, options(nomem, nostack, preserves_flags)) };
    selector
}

/// Sets CR3 and with it drops the TLB's entries of pages that are not global.
///
/// # Safety
///
/// The tables that start there must map all that runs now, at the addresses at which it runs: code, stack, descriptor tables, data in use.
#[inline]
pub unsafe fn write_cr3(value: u64) {
    // SAFETY: the caller vouches for the tables. Memory is clobbered because addresses mean something else afterwards.
    unsafe { asm!("mov cr3, {}", in(reg) value, options(nostack, preserves_flags)) };
}

/// Sets CR4.
///
/// # Safety
///
/// The processor must have what the value switches on, and physical address extension must stay on.
#[inline]
pub unsafe fn write_cr4(value: u64) {
    // SAFETY: the caller vouches for the value. Memory is clobbered because SMAP and PGE decide what memory accesses do.
    unsafe { asm!("mov cr4, {}", in(reg) value, options(nostack, preserves_flags)) };
}

/// Resets DR6, which the processor never does (SDM 3, 18.2.3).
pub fn clear_dr6() {
    // SAFETY: the register only reports; the value is the one of reset.
    unsafe { asm!("mov dr6, {}", in(reg) DR6_RESERVED, options(nomem, nostack, preserves_flags)) };
}

/// Sets DR7, which arms breakpoints.
///
/// # Safety
///
/// The exceptions of what is armed can be handled wherever they come.
#[inline(always)]
pub unsafe fn write_dr7(value: u64) {
    // SAFETY: the caller vouches for the value. Memory is clobbered because accesses before this are not watched, or accesses behind it.
    unsafe { asm!("mov dr7, {}", in(reg) value, options(nostack, preserves_flags)) };
}

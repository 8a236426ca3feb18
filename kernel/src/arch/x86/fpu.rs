//! Floating point and vector registers: switched on, sized, and given to kernel code for as long as it says so.
//!
//! The compiler is told to use none of them in the kernel. Code that wants them, written in assembly, asks with [`kernel_fpu_begin`], whose guard keeps others of this
//! CPU out. Nobody else has anything in the registers: there are no tasks with a state of their own that would have to be saved.

use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, _XCR_XFEATURE_ENABLED_MASK};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::cpu::features::{Feature, boot_cpu_has, clear_cpu_cap};
use super::registers::{self, Cr0, Cr4};
use crate::preempt;
use crate::prelude::*;

const XSAVE: Feature = Feature::named("xsave");
const XSAVEOPT: Feature = Feature::named("xsaveopt");

/// The leaf of CPUID that tells of extended states (SDM 1, 13.2).
const XSTATE_LEAF: u32 = 0xd;
/// Bytes of what `fxsave` leaves.
const FXSAVE_SIZE: u32 = 512;
/// The MXCSR of reset: all errors masked (SDM 1, 10.2.3).
const MXCSR_DEFAULT: u32 = 0x1f80;

/// The states that user code may have, by their bits in XCR0, with Linux's names.
const FEATURES: [(u32, &str); 9] = [
    (0, "x87 floating point registers"),
    (1, "SSE registers"),
    (2, "AVX registers"),
    (3, "MPX bounds registers"),
    (4, "MPX CSR"),
    (5, "AVX-512 opmask"),
    (6, "AVX-512 Hi256"),
    (7, "AVX-512 ZMM_Hi256"),
    (9, "Protection Keys User registers"),
];

/// The states that are switched on, as XCR0 has them; 0 without XSAVE.
static XFEATURES: AtomicU64 = AtomicU64::new(0);
/// Bytes of all states of a task.
static CONTEXT_SIZE: AtomicU32 = AtomicU32::new(FXSAVE_SIZE);

/// Whether code of this CPU has the registers.
#[percpu]
static IN_KERNEL_FPU: AtomicBool = AtomicBool::new(false);

/// Switches the registers on and says what they are: Linux's `fpu__init_system`, for the boot CPU.
#[init]
pub(super) fn init_system() {
    init_cpu_basic();
    if !boot_cpu_has(XSAVE) {
        pr_info!("x86/fpu: x87 FPU will use FXSAVE");
        return;
    }
    let leaf = __cpuid_count(XSTATE_LEAF, 0);
    let supported = u64::from(leaf.edx) << 32 | u64::from(leaf.eax);
    let mine = FEATURES.iter().filter(|(bit, _)| supported >> bit & 1 != 0);
    for (bit, name) in mine.clone() {
        pr_info!("x86/fpu: Supporting XSAVE feature {:#05x}: '{name}'", 1_u64 << bit);
    }
    let mask = mine.fold(0, |mask, (bit, _)| mask | 1 << bit);
    XFEATURES.store(mask, Relaxed);
    init_cpu_xstate();
    for bit in (2..64).filter(|bit| mask >> bit & 1 != 0) {
        let state = __cpuid_count(XSTATE_LEAF, bit);
        pr_info!(
            "x86/fpu: xstate_offset[{bit}]: {:4}, xstate_sizes[{bit}]: {:4}",
            state.ebx,
            state.eax
        );
    }
    // What the states that are on need, by the leaf that follows XCR0.
    let size = __cpuid_count(XSTATE_LEAF, 0).ebx;
    CONTEXT_SIZE.store(size, Relaxed);
    pr_info!("x86/fpu: Enabled xstate features {mask:#x}, context size is {size} bytes, using 'standard' format.");
}

/// Switches the registers on as on the boot CPU.
#[cfg(CONFIG_SMP)]
pub(super) fn init_secondary() {
    init_cpu_basic();
    init_cpu_xstate();
}

/// Linux's `fpu__init_cpu_generic`.
fn init_cpu_basic() {
    let mut cr4 = registers::cr4() | Cr4::OSFXSR.bits() | Cr4::OSXMMEXCPT.bits();
    if boot_cpu_has(XSAVE) {
        cr4 |= Cr4::OSXSAVE.bits();
    }
    let cr0 = registers::cr0() & !(Cr0::TS | Cr0::EM).bits();
    // SAFETY: every CPU that can run this has FXSAVE and SSE, and XSAVE was asked for; the bits of CR0 concern floating point alone.
    unsafe {
        registers::write_cr4(cr4);
        registers::write_cr0(cr0 | (Cr0::MP | Cr0::NE).bits());
    }
}

/// Linux's `fpu__init_cpu_xstate`.
fn init_cpu_xstate() {
    let mask = XFEATURES.load(Relaxed);
    if mask == 0 {
        return;
    }
    // SAFETY: OSXSAVE is on, and the CPU says that it has these states.
    unsafe {
        asm!("xsetbv", in("ecx") _XCR_XFEATURE_ENABLED_MASK, in("eax") mask as u32, in("edx") (mask >> 32) as u32, options(nomem, nostack, preserves_flags));
    }
}

/// Bytes that all states of a task take.
#[must_use]
pub fn context_size() -> usize {
    CONTEXT_SIZE.load(Relaxed) as usize
}

/// `noxsave`: does without XSAVE, and with it without AVX and what came after.
#[early_param("noxsave")]
#[init]
fn noxsave(_: Option<&'static str>) -> Result<(), Errno> {
    clear_cpu_cap(XSAVE);
    Ok(())
}

/// `noxsaveopt`: does without the form of XSAVE that leaves out what has not changed.
#[early_param("noxsaveopt")]
#[init]
fn noxsaveopt(_: Option<&'static str>) -> Result<(), Errno> {
    clear_cpu_cap(XSAVEOPT);
    Ok(())
}

/// `nofxsr`: does without FXSAVE where that can be, which is not on x86-64: the option is named and has no effect.
#[early_param("nofxsr")]
#[init]
fn nofxsr(_: Option<&'static str>) -> Result<(), Errno> {
    pr_warn!("x86/fpu: nofxsr: every x86-64 CPU has FXSAVE, and this image needs it");
    Ok(())
}

/// The right to use the registers on this CPU, whose preemption is off meanwhile: Linux's `kernel_fpu_begin` and `kernel_fpu_end`.
#[must_use = "the registers are given up when this is dropped"]
pub struct KernelFpu {
    this_cpu: PhantomData<*const ()>,
}

/// Takes the registers, with all of them as after a reset of the unit.
///
/// # Errors
///
/// `EBUSY` if an interrupt asks while what it has interrupted has them, and in a non-maskable interrupt: Linux's `irq_fpu_usable`.
pub fn kernel_fpu_begin() -> Result<KernelFpu, Errno> {
    preempt::disable();
    let is_taken = preempt::in_nmi() || IN_KERNEL_FPU.with_this_cpu(|taken| taken.swap(true, Relaxed));
    if is_taken {
        preempt::enable();
        return Err(Errno::EBUSY);
    }
    let mxcsr = MXCSR_DEFAULT;
    // SAFETY: nobody has anything in the registers.
    unsafe { asm!("fninit", "ldmxcsr [{}]", in(reg) &raw const mxcsr, options(readonly, nostack, preserves_flags)) };
    Ok(KernelFpu { this_cpu: PhantomData })
}

impl Drop for KernelFpu {
    fn drop(&mut self) {
        IN_KERNEL_FPU.with_this_cpu(|taken| taken.store(false, Relaxed));
        preempt::enable();
    }
}

#[ktest]
fn the_registers_have_one_user_at_a_time() {
    let fpu = kernel_fpu_begin().expect("free registers");
    assert_eq!(kernel_fpu_begin().err(), Some(Errno::EBUSY));
    let (sum, one): (u64, u64);
    // SAFETY: the registers are ours.
    unsafe {
        asm!("mov {one}, 40", "movq xmm0, {one}", "paddq xmm0, xmm0", "movq {sum}, xmm0", one = out(reg) one, sum = out(reg) sum, options(nomem, nostack));
    }
    assert_eq!((one, sum), (40, 80));
    drop(fpu);
    drop(kernel_fpu_begin().expect("registers that were given up"));
}

#[ktest]
fn what_the_cpu_has_is_switched_on() {
    assert!(Cr4::from_bits_truncate(registers::cr4()).contains(Cr4::OSFXSR | Cr4::OSXMMEXCPT));
    assert_eq!(registers::cr4() & Cr4::OSXSAVE.bits() != 0, boot_cpu_has(XSAVE));
    let mask = XFEATURES.load(Relaxed);
    assert_eq!(mask & 0b11 == 0b11, boot_cpu_has(XSAVE));
    if mask != 0 {
        assert_eq!(__cpuid_count(XSTATE_LEAF, 0).ebx as usize, context_size());
    }
    assert!(context_size() >= FXSAVE_SIZE as usize);
}

//! NMIs that this CPU sends to itself.

use core::arch::asm;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::*;
use crate::arch::x86::apic;
use crate::arch::x86::maccess::get_kernel_nofault;
use crate::arch::x86::msr::{self, IA32_GS_BASE};
use crate::irq::IrqGuard;
use crate::mm::{PAGE_OFFSET, PAGE_SIZE};

/// NMIs are the test's, with what it does in the first of them.
static MINE: AtomicBool = AtomicBool::new(false);
static SEND_ANOTHER: AtomicBool = AtomicBool::new(false);
/// How many came, how deep they were nested, and how often an NMI came while it had to be held back.
static CAME: AtomicU32 = AtomicU32::new(0);
static DEPTH: AtomicU32 = AtomicU32::new(0);
static TOO_DEEP: AtomicU32 = AtomicU32::new(0);

/// The page below the direct map, where nothing is mapped.
const UNMAPPED: usize = PAGE_OFFSET - PAGE_SIZE;

#[distributed_slice(NMI_HANDLERS)]
static TEST: NmiHandler = |_regs| {
    if !MINE.load(Relaxed) {
        return false;
    }
    CAME.fetch_add(1, Relaxed);
    if DEPTH.fetch_add(1, Relaxed) != 0 {
        TOO_DEEP.fetch_add(1, Relaxed);
    }
    if SEND_ANOTHER.swap(false, Relaxed) {
        apic::send_nmi(smp_processor_id());
        // The `iretq` of this fault lets the other NMI in, here.
        assert!(get_kernel_nofault(ptr::without_provenance::<u64>(UNMAPPED)).is_err());
    }
    DEPTH.fetch_sub(1, Relaxed);
    true
};

/// Runs `raise` with NMIs being the test's, and says how many came.
fn count(raise: impl FnOnce()) -> u32 {
    let _interrupts_off = IrqGuard::new();
    CAME.store(0, Relaxed);
    MINE.store(true, Relaxed);
    raise();
    // One that was sent may take a moment.
    crate::time::udelay(1000);
    MINE.store(false, Relaxed);
    assert_eq!((DEPTH.load(Relaxed), TOO_DEEP.load(Relaxed)), (0, 0));
    CAME.load(Relaxed)
}

#[ktest]
fn an_nmi_that_comes_in_the_handler_is_handled_behind_the_first() {
    if !apic::is_present() {
        return;
    }
    registers::write_cr2(0x5000);
    for _ in 0..10 {
        let came = count(|| {
            SEND_ANOTHER.store(true, Relaxed);
            apic::send_nmi(smp_processor_id());
        });
        assert_eq!(came, 2);
    }
    assert_eq!(registers::cr2(), 0x5000);
}

#[ktest]
fn one_nmi_is_handled_once() {
    if apic::is_present() {
        assert_eq!(count(|| apic::send_nmi(smp_processor_id())), 1);
    }
}

/// Raises a debug exception and an NMI with `base` as GS base, and says what the base is afterwards.
fn with_gs_base(base: u64) -> u64 {
    let kept = msr::rdmsr(IA32_GS_BASE);
    let (low, high): (u32, u32);
    // SAFETY: what runs in between uses no per-CPU data, but for the exceptions, which find the kernel's base by themselves. NMIs are the test's.
    unsafe {
        asm!(
            "wrmsr",
            "int 1",
            "int 2",
            "rdmsr",
            "mov {low:e}, eax",
            "mov {high:e}, edx",
            "mov eax, {kept_low:e}",
            "mov edx, {kept_high:e}",
            "wrmsr",
            low = out(reg) low,
            high = out(reg) high,
            kept_low = in(reg) kept as u32,
            kept_high = in(reg) (kept >> 32) as u32,
            in("ecx") IA32_GS_BASE,
            inout("eax") base as u32 => _,
            inout("edx") (base >> 32) as u32 => _,
        );
    }
    u64::from(high) << 32 | u64::from(low)
}

#[ktest]
fn exceptions_with_a_stack_of_their_own_find_the_kernels_data_whatever_gs_is() {
    // A program's, none, and one that looks like the kernel's.
    for base in [0x7fff_0000_1000, 0, 0xffff_8880_0000_0000] {
        assert_eq!(
            count(|| {
                assert_eq!(with_gs_base(base), base);
            }),
            1
        );
    }
}

//! The last that is done with the boot CPU before the others come up: its floating-point unit computes, it wakes up from `hlt`, and the code becomes what suits it best.

use core::arch::asm;

use crate::arch::x86::cpu::hypervisor::kvm_features;
use crate::arch::x86::registers::{self, Cr0};
use crate::arch::x86::{alternative, apic, irqflags, process};
use crate::init::InitMemory;
use crate::irq::IrqGuard;
use crate::irq_work::IrqWork;
use crate::prelude::*;

/// Linux's stage of the same name.
#[stage(after(crate::fs::vfs_caches_init))]
#[init]
pub(crate) fn check_bugs(init: InitMemory<'_>) {
    check_fpu();
    check_hlt();
    // SAFETY: the other CPUs come up in `kernel_init`, which the last stage becomes.
    unsafe { alternative::alternative_instructions(init) };
}

/// Divides by the numbers that the first Pentiums got wrong: Linux's `fpu__init_check_bugs`. Not on KVM, which needs a processor that is younger, and where it emulates one itself has no
/// floating-point unit.
#[init]
fn check_fpu() {
    if !kvm_features().is_empty() {
        pr_info!("Checking 386/387 coupling... skipped: no processor that KVM runs on has the FDIV bug");
    } else if registers::cr0() & Cr0::EM.bits() != 0 {
        pr_warn!("x86/fpu: No FPU emulation: floating-point instructions fault");
    } else if fdiv_remainder() != 0 {
        pr_warn!("Hmm, FPU with FDIV bug");
    } else {
        pr_info!("Checking 386/387 coupling... OK, FPU using exception 16 error reporting.");
    }
}

/// How often the CPU is stopped to see whether it wakes up again: Linux's number.
const HALTS: usize = 4;

/// Stops the CPU with an interrupt under way: Linux's function of the same name. One without a local APIC, which waits for the tick, is not made to wait.
#[init]
fn check_hlt() {
    static WAKE_UP: IrqWork = IrqWork::new(|_| ());
    if !process::hlt_works_ok() {
        pr_info!("Checking 'hlt' instruction... disabled");
    } else if apic::is_present() {
        let _no_interrupts = IrqGuard::new();
        crate::pr_begin!(Level::Info, "Checking 'hlt' instruction... ");
        for _ in 0..HALTS {
            WAKE_UP.queue();
            irqflags::safe_halt();
            irqflags::cli();
        }
        pr_cont!("OK.\n");
    }
}

/// What is left of 4195835 − 4195835 / 3145727 · 3145727, which is 0.
#[init]
fn fdiv_remainder() -> i32 {
    let _no_interrupts = IrqGuard::new();
    let mut remainder = 0_i32;
    let (x, y) = (4_195_835.0_f64, 3_145_727.0_f64);
    // SAFETY: CR0.EM is clear. The unit is set up anew and left empty; nobody has put anything there.
    unsafe {
        asm!(
            "fninit",
            "fld qword ptr [{x}]",
            "fdiv qword ptr [{y}]",
            "fmul qword ptr [{y}]",
            "fld qword ptr [{x}]",
            "fsubp st(1), st",
            "fistp dword ptr [{remainder}]",
            "fwait",
            "fninit",
            x = in(reg) &raw const x,
            y = in(reg) &raw const y,
            remainder = in(reg) &raw mut remainder,
            out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _, out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
            options(nostack),
        );
    }
    remainder
}

#[ktest]
fn the_floating_point_unit_divides() {
    assert_eq!(registers::cr0() & Cr0::EM.bits(), 0);
}

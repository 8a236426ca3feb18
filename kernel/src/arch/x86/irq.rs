//! Which vector is for what, and the way from the entry to the handler.
//!
//! Vectors from [`FIRST_SYSTEM_VECTOR`] on are the kernel's own: each is declared where its handler stands, as an entry of [`SYSVECS`]. Those below are devices'.

use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use linkme::distributed_slice;

use crate::arch::x86::apic;
use crate::arch::x86::ptregs::PtRegs;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// The first vector that is not a device's.
pub const FIRST_SYSTEM_VECTOR: u8 = 0xec;
/// The timer of the local APIC.
pub const LOCAL_TIMER_VECTOR: u8 = 0xec;
/// Work that a non-maskable interrupt has left for later.
pub const IRQ_WORK_VECTOR: u8 = 0xf6;
/// The CPU is to stop.
pub const REBOOT_VECTOR: u8 = 0xf8;
/// One CPU is to call a function.
pub const CALL_FUNCTION_SINGLE_VECTOR: u8 = 0xfb;
/// Several CPUs are to call a function.
pub const CALL_FUNCTION_VECTOR: u8 = 0xfc;
/// The CPU is to look at what it should run.
pub const RESCHEDULE_VECTOR: u8 = 0xfd;
/// The local APIC has found an error.
pub const ERROR_APIC_VECTOR: u8 = 0xfe;
/// The local APIC has nothing to deliver after all.
pub const SPURIOUS_APIC_VECTOR: u8 = 0xff;

/// System vectors that there can be.
const NR_SYSTEM_VECTORS: usize = 256 - FIRST_SYSTEM_VECTOR as usize;

/// A vector of the kernel's own, and what is to be done when it comes.
pub struct SysVec {
    /// Its number, from [`FIRST_SYSTEM_VECTOR`] on; two of the same are a bug that `init_IRQ` panics about.
    pub vector: u8,
    /// What `/proc/interrupts` has in front of its line.
    pub mnemonic: &'static str,
    /// What it has behind.
    pub description: &'static str,
    /// Called with interrupts off, in the context of a hard interrupt, after the APIC has been told that this one is done.
    pub handler: fn(&mut PtRegs),
}

/// All system vectors, each declared where its handler stands.
#[distributed_slice]
pub static SYSVECS: [SysVec];

/// Their handlers by vector; null where there is none.
static HANDLERS: [AtomicPtr<SysVec>; NR_SYSTEM_VECTORS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; NR_SYSTEM_VECTORS];

/// How often each has come to a CPU.
struct Counts([AtomicU64; NR_SYSTEM_VECTORS]);

#[percpu]
static SYSVEC_COUNTS: Counts = Counts([const { AtomicU64::new(0) }; NR_SYSTEM_VECTORS]);

fn index(vector: u8) -> Option<usize> {
    vector.checked_sub(FIRST_SYSTEM_VECTOR).map(usize::from)
}

/// How often the system vector `vector` has come to `cpu`.
#[must_use]
pub fn sysvec_count(vector: u8, cpu: usize) -> u64 {
    let counts = SYSVEC_COUNTS.per_cpu(cpu);
    index(vector).zip(counts).map_or(0, |(index, counts)| counts.0[index].load(Relaxed))
}

/// The boot CPU takes interrupts, and sends them to others.
#[capability]
pub struct Interrupts;

/// Makes the local APIC of the boot CPU ready, and lets the declared vectors be handled: Linux's stage of the same name.
///
/// # Panics
///
/// If two vectors are declared with the same number, or one with a device's.
#[init]
#[stage(
    after(crate::mm::vmalloc::vmalloc_init),
    before(crate::collections::nodes::prio_tree_init),
    provides(Interrupts)
)]
#[expect(non_snake_case, reason = "the name is Linux's")]
pub fn init_IRQ() {
    install_sysvecs();
    apic::setup_local_apic();
}

#[init]
fn install_sysvecs() {
    for sysvec in SYSVECS {
        let slot = index(sysvec.vector).map(|index| &HANDLERS[index]);
        let taken = slot.is_none_or(|slot| !slot.swap((&raw const *sysvec).cast_mut(), Relaxed).is_null());
        assert!(!taken, "system vector {:#x} ({}) is not to be had", sysvec.vector, sysvec.mnemonic);
    }
}

/// Handles all interrupts, on the stack that they interrupted, with interrupts off.
pub(super) extern "C" fn common_interrupt(regs: &mut PtRegs, vector: u64) {
    crate::softirq::irq_enter();
    let vector = vector as u8;
    // SAFETY: either null or an element of the slice.
    let sysvec = index(vector).and_then(|index| unsafe { HANDLERS[index].load(Relaxed).as_ref() });
    match sysvec {
        Some(sysvec) => handle_sysvec(sysvec, regs),
        None => pr_emerg_ratelimited!("{}.{vector} No irq handler for vector", smp_processor_id()),
    }
    crate::softirq::irq_exit();
}

#[inline]
fn handle_sysvec(sysvec: &SysVec, regs: &mut PtRegs) {
    // What is spurious has not been delivered, so there is nothing to be done with.
    if sysvec.vector != SPURIOUS_APIC_VECTOR {
        apic::eoi();
    }
    SYSVEC_COUNTS.with_this_cpu(|counts| counts.0[usize::from(sysvec.vector - FIRST_SYSTEM_VECTOR)].fetch_add(1, Relaxed));
    (sysvec.handler)(regs);
}

#[ktest]
fn a_vector_that_is_sent_to_oneself_arrives_once() {
    use crate::irq::{local_irq_restore, local_irq_save};
    let cpu = smp_processor_id();
    let before = sysvec_count(ERROR_APIC_VECTOR, cpu);
    if !apic::is_present() {
        return;
    }
    apic::send_ipi_self(ERROR_APIC_VECTOR);
    let flags = local_irq_save();
    crate::irq::local_irq_enable();
    core::hint::spin_loop();
    local_irq_restore(flags);
    assert_eq!(sysvec_count(ERROR_APIC_VECTOR, cpu), before + 1);
}

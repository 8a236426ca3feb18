//! Which vector is for what, and the way from the entry to the handler.
//!
//! Vectors from [`FIRST_SYSTEM_VECTOR`] on are the kernel's own: each is declared where its handler stands, as an entry of [`SYSVECS`]. Those below are devices': each CPU has a table
//! of them ([`vector`]), which leads to the line's descriptor, and from there the line is [`crate::irq`]'s.

pub mod vector;

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use linkme::distributed_slice;

use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::traps::irq_stack;
use crate::arch::x86::{apic, i8259};
use crate::irq::{handle_irq, interrupt_began, interrupt_ends, with_irq_regs};
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

/// Makes the interrupt controllers ready, and lets the declared vectors be handled: Linux's stage of the same name, and what later versions do in `late_time_init`.
///
/// # Panics
///
/// If two vectors are declared with the same number, or one with a device's.
#[init]
#[stage(
    after(crate::irq::early_irq_init),
    before(crate::collections::nodes::prio_tree_init),
    provides(Interrupts)
)]
#[expect(non_snake_case, reason = "the name is Linux's")]
pub fn init_IRQ() {
    install_sysvecs();
    if let Err(error) = irq_stack::irq_init_percpu_irqstack(smp_processor_id()) {
        panic!("no memory for the stack of interrupts ({error})");
    }
    i8259::init();
    apic::setup_local_apic();
    apic::io_apic::setup();
}

#[init]
fn install_sysvecs() {
    for sysvec in SYSVECS {
        let slot = index(sysvec.vector).map(|index| &HANDLERS[index]);
        let taken = slot.is_none_or(|slot| !slot.swap((&raw const *sysvec).cast_mut(), Relaxed).is_null());
        assert!(!taken, "system vector {:#x} ({}) is not to be had", sysvec.vector, sysvec.mnemonic);
    }
}

/// Handles all interrupts, on the stack for them, with interrupts off.
pub(super) extern "C" fn common_interrupt(regs: &mut PtRegs, vector: u64) {
    interrupt_began();
    crate::softirq::irq_enter();
    with_irq_regs(regs, |regs| dispatch(regs, vector as u8));
    crate::softirq::irq_exit();
    interrupt_ends();
}

#[inline]
fn dispatch(regs: &mut PtRegs, vector: u8) {
    if let Some(desc) = vector::desc_of(vector) {
        return handle_irq(desc);
    }
    // SAFETY: either null or an element of the slice.
    match index(vector).and_then(|index| unsafe { HANDLERS[index].load(Relaxed).as_ref() }) {
        Some(sysvec) => handle_sysvec(sysvec, regs),
        None => unexpected(vector),
    }
}

/// An interrupt that nobody is waiting for. Nothing more urgent can have come between, so it is the one that the APIC is told to be done, if it comes from there at all.
#[cold]
fn unexpected(vector: u8) {
    if apic::is_in_service(vector) {
        apic::eoi();
    }
    pr_emerg_ratelimited!("{}.{vector} No irq handler for vector", smp_processor_id());
}

#[inline]
fn handle_sysvec(sysvec: &SysVec, regs: &mut PtRegs) {
    // What is spurious has not been delivered, so there is nothing to be done with.
    if sysvec.vector != SPURIOUS_APIC_VECTOR {
        apic::eoi();
    }
    // SAFETY: in an interrupt the CPU stays the same; its copy is initialised for good.
    let counts = unsafe { &(*SYSVEC_COUNTS.this_cpu_ptr()).0 };
    if let Some(count) = index(sysvec.vector).and_then(|index| counts.get(index)) {
        // Only this CPU counts here, with interrupts off.
        count.store(count.load(Relaxed) + 1, Relaxed);
    }
    (sysvec.handler)(regs);
}

/// The part of `/proc/interrupts` about what is no device's, with a first column of `width`. Vectors with the same mnemonic are counted together.
///
/// # Errors
///
/// What `out` says.
pub(crate) fn show_interrupts(out: &mut dyn Write, width: usize) -> fmt::Result {
    for (place, sysvec) in SYSVECS.iter().enumerate() {
        let is_counted_before = SYSVECS[..place].iter().any(|other| other.mnemonic == sysvec.mnemonic);
        if is_counted_before || sysvec.mnemonic.is_empty() || sysvec.vector == ERROR_APIC_VECTOR {
            continue;
        }
        write!(out, "{:>width$}: ", sysvec.mnemonic)?;
        for cpu in ONLINE.iter() {
            let same = SYSVECS.iter().filter(|other| other.mnemonic == sysvec.mnemonic);
            write!(out, "{:>10} ", same.map(|other| sysvec_count(other.vector, cpu)).sum::<u64>())?;
        }
        writeln!(out, "  {}", sysvec.description)?;
    }
    let errors: u64 = ONLINE.iter().map(|cpu| sysvec_count(ERROR_APIC_VECTOR, cpu)).sum();
    writeln!(out, "{:>width$}: {:>10}", "ERR", errors + i8259::spurious_count())
}

#[ktest]
fn a_vector_that_is_sent_to_oneself_arrives_once() {
    use crate::irq::{local_irq_restore, local_irq_save};
    /// Longer than any interrupt takes.
    const TURNS: u32 = 1_000_000;
    let cpu = smp_processor_id();
    let before = sysvec_count(ERROR_APIC_VECTOR, cpu);
    if !apic::is_present() {
        return;
    }
    apic::send_ipi_self(ERROR_APIC_VECTOR);
    let flags = local_irq_save();
    crate::irq::local_irq_enable();
    // Who writes to the APIC does not wait until the interrupt is there.
    for _ in 0..TURNS {
        if sysvec_count(ERROR_APIC_VECTOR, cpu) != before {
            break;
        }
        core::hint::spin_loop();
    }
    local_irq_restore(flags);
    assert_eq!(sysvec_count(ERROR_APIC_VECTOR, cpu), before + 1);
}

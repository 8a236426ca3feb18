//! The interrupt descriptor table: which code runs on which exception or interrupt, and on which stack (SDM 3, 6.10 to 6.14).
//!
//! One table serves all CPUs. It is loaded before anything else with a gate for each vector; `trap_init` gives the exceptions that need one a stack of their own.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use x86::dtables::{DescriptorTablePointer, lidt};

use crate::arch::x86::segment::{Ist, KERNEL_CS};
use crate::arch::x86::traps::entry;
use crate::arch::x86::traps::paranoid;
use crate::prelude::*;

/// The first vector that the processor leaves to devices and software.
pub const FIRST_EXTERNAL_VECTOR: u8 = 32;

/// The vector of system calls by `int`, which no device gets.
pub const IA32_SYSCALL_VECTOR: u8 = 0x80;

/// Vectors in the table.
const NR_VECTORS: usize = 256;

/// A gate: low and high half, each written at once.
struct Gate([AtomicU64; 2]);

#[repr(C, align(4096))]
struct IdtTable([Gate; NR_VECTORS]);

static IDT_TABLE: IdtTable = IdtTable([const { Gate([const { AtomicU64::new(0) }; 2]) }; NR_VECTORS]);

/// From which privilege level on the `int` instruction may use a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dpl {
    Kernel = 0,
    User = 3,
}

/// Writes the gate of `vector`: an interrupt gate, so the handler starts with interrupts off.
fn set_gate(vector: u8, handler: usize, dpl: Dpl, ist: Ist) {
    const PRESENT: u64 = 1 << 47;
    const INTERRUPT_GATE: u64 = 0xe << 40;
    let handler = handler as u64;
    let low = (handler & 0xffff)
        | u64::from(KERNEL_CS) << 16
        | (ist as u64) << 32
        | INTERRUPT_GATE
        | (dpl as u64) << 45
        | PRESENT
        | (handler & 0xffff_0000) << 32;
    let gate = &IDT_TABLE.0[usize::from(vector)].0;
    gate[1].store(handler >> 32, Relaxed);
    gate[0].store(low, Relaxed);
}

/// The exceptions in the order of their vectors.
const EXCEPTIONS: [extern "C" fn(); FIRST_EXTERNAL_VECTOR as usize] = [
    entry::divide_error,
    entry::debug,
    entry::nmi,
    entry::breakpoint,
    entry::overflow,
    entry::bounds,
    entry::invalid_opcode,
    entry::device_not_available,
    entry::double_fault,
    entry::coprocessor_segment_overrun,
    entry::invalid_tss,
    entry::segment_not_present,
    entry::stack_segment,
    entry::general_protection,
    entry::page_fault,
    entry::spurious,
    entry::coprocessor_error,
    entry::alignment_check,
    entry::machine_check,
    entry::simd_error,
    entry::virtualization,
    entry::control_protection,
    entry::reserved_22,
    entry::reserved_23,
    entry::reserved_24,
    entry::reserved_25,
    entry::reserved_26,
    entry::reserved_27,
    entry::hypervisor_injection,
    entry::vmm_communication,
    entry::security,
    entry::reserved_31,
];

/// The exceptions that can come at any instruction, with the stack of each and the entry that relies on nothing.
const IST_ENTRIES: [(u8, Ist, extern "C" fn()); 4] = [
    (1, Ist::Debug, paranoid::debug),
    (2, Ist::Nmi, paranoid::nmi),
    (8, Ist::DoubleFault, paranoid::double_fault),
    (18, Ist::MachineCheck, paranoid::machine_check),
];

/// Who may call the gate of `vector`: Linux's choice.
const fn dpl(vector: u8) -> Dpl {
    match vector {
        3 | 4 | IA32_SYSCALL_VECTOR => Dpl::User,
        _ => Dpl::Kernel,
    }
}

/// Gives each vector a gate and makes this CPU use the table: Linux's `idt_setup_early_handler`.
///
/// All run on the interrupted stack, for there is no other yet. The handlers are the final ones: fixups and reports work from here on, and an interrupt that
/// nobody has asked for is reported by `common_interrupt`.
///
/// # Safety
///
/// The segment [`KERNEL_CS`] must be 64-bit kernel code in the descriptor table in use.
#[init]
pub unsafe fn idt_setup_early_handler() {
    for (vector, handler) in (0..).zip(EXCEPTIONS) {
        set_gate(vector, handler as usize, dpl(vector), Ist::None);
    }
    for vector in FIRST_EXTERNAL_VECTOR..=u8::MAX {
        set_gate(vector, entry::irq_entry(vector), Dpl::Kernel, Ist::None);
    }
    set_gate(
        IA32_SYSCALL_VECTOR,
        entry::int80 as *const () as usize,
        dpl(IA32_SYSCALL_VECTOR),
        Ist::None,
    );
    // SAFETY: each vector has a gate; the caller vouches for the segment.
    unsafe { load_current_idt() };
}

/// Gives the exceptions that need one their own stack: Linux's `idt_setup_ist_traps`.
///
/// # Safety
///
/// The task-state segment of each CPU that uses the table must name the stacks.
#[init]
pub unsafe fn idt_setup_ist_traps() {
    for (vector, ist, handler) in IST_ENTRIES {
        set_gate(vector, handler as usize, dpl(vector), ist);
    }
}

/// Makes this CPU use the table.
///
/// # Safety
///
/// As for [`idt_setup_early_handler`], which must have run.
pub unsafe fn load_current_idt() {
    let pointer = DescriptorTablePointer {
        base: (&raw const IDT_TABLE).cast::<u64>(),
        limit: (size_of::<IdtTable>() - 1) as u16,
    };
    // SAFETY: the table is a static with a gate for each exception.
    unsafe { lidt(&pointer) };
}

/// Makes this CPU use an empty table, so that the next exception resets the machine.
///
/// # Safety
///
/// The caller must want the reset.
pub unsafe fn invalidate_idt() {
    // SAFETY: the caller wants it.
    unsafe {
        lidt(&DescriptorTablePointer::<u64> {
            base: core::ptr::null(),
            limit: 0,
        })
    };
}

#[ktest]
fn every_vector_has_a_gate_and_the_seeds_attributes() {
    for (vector, gate) in (0_u16..).zip(&IDT_TABLE.0) {
        let low = gate.0[0].load(Relaxed);
        let ist = low >> 32 & 7;
        let expected_ist = match vector {
            8 => 1,
            2 => 2,
            1 => 3,
            18 => 4,
            _ => 0,
        };
        let expected_dpl = if matches!(vector, 3 | 4 | 0x80) { 3 } else { 0 };
        assert_eq!(
            (low >> 47 & 1, low >> 40 & 0xf, low >> 45 & 3, ist),
            (1, 0xe, expected_dpl, expected_ist),
            "vector {vector}"
        );
    }
}

#[ktest]
fn each_interrupts_gate_leads_to_the_stub_that_pushes_its_vector() {
    for vector in (FIRST_EXTERNAL_VECTOR..=u8::MAX).filter(|&vector| vector != IA32_SYSCALL_VECTOR) {
        let [low, high] = IDT_TABLE.0[usize::from(vector)].0.each_ref().map(|half| half.load(Relaxed));
        let handler = high << 32 | low >> 32 & 0xffff_0000 | low & 0xffff;
        // SAFETY: a gate leads to code, which is mapped and not changed.
        let code = unsafe { core::ptr::with_exposed_provenance::<[u8; 2]>(handler as usize).read() };
        assert_eq!(code, [0x6a, vector], "vector {vector}");
    }
}

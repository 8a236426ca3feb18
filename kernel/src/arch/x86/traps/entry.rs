//! The first instructions of each exception and interrupt: they save the registers as a `PtRegs`, call the handler and return.
//!
//! All interrupted code is kernel code with the kernel's GS base: there is no other yet. Where that must not be relied on, the entries of [`super::paranoid`] take over
//! as soon as they have their stacks. RBP points to the saved registers with its lowest bit set, which tells a backtrace that a
//! frame of this kind stands here (Linux's `ENCODE_FRAME_POINTER`).

use core::arch::naked_asm;

use crate::arch::x86::idt::{FIRST_EXTERNAL_VECTOR, IA32_SYSCALL_VECTOR};
use crate::arch::x86::ptregs::ORIG_AX;
use crate::arch::x86::traps::Vector;
use crate::prelude::*;

/// Saves the registers behind the error code (or what stands for it), and sets up the frame pointer and the alignment of the stack that the ABI wants.
macro_rules! save_registers {
    () => {
        "cld
        push rdi
        push rsi
        push rdx
        push rcx
        push rax
        push r8
        push r9
        push r10
        push r11
        push rbx
        push rbp
        push r12
        push r13
        push r14
        push r15
        mov rdi, rsp
        lea rbp, [rsp + 1]"
    };
}

/// Restores what [`save_registers!`] saved; the error code's place is left on the stack.
macro_rules! restore_registers {
    () => {
        "pop r15
        pop r14
        pop r13
        pop r12
        pop rbp
        pop rbx
        pop r11
        pop r10
        pop r9
        pop r8
        pop rax
        pop rcx
        pop rdx
        pop rsi
        pop rdi"
    };
}

/// Restores what [`save_registers!`] saved and returns to the interrupted code.
macro_rules! restore_registers_and_return {
    () => {
        concat!(restore_registers!(), "\nadd rsp, 8\niretq")
    };
}

pub(super) use {restore_registers, restore_registers_and_return, save_registers};

/// Stubs of exceptions: `name: vector => handler, error code or not`. A handler gets the registers, the error code (0 where there is none) and the vector.
macro_rules! exception_stubs {
    ($($name:ident: $vector:expr => $handler:path, $code:ident;)*) => {$(
        #[doc = concat!("Entry of the exception with the vector `", stringify!($vector), "`.")]
        #[unsafe(naked)]
        #[unsafe(link_section = ".entry.text")]
        pub extern "C" fn $name() {
            exception_stubs!(@ $code $handler, $vector)
        }
    )*};
    (@ error_code $handler:path, $vector:expr) => {
        naked_asm!(
            save_registers!(),
            "mov rsi, [rsp + {orig_ax}]",
            "mov qword ptr [rsp + {orig_ax}], -1",
            "mov edx, {vector}",
            "sub rsp, 8",
            "call {handler}",
            "add rsp, 8",
            restore_registers_and_return!(),
            orig_ax = const ORIG_AX,
            vector = const $vector as u8,
            handler = sym $handler,
        )
    };
    (@ no_error_code $handler:path, $vector:expr) => {
        naked_asm!(
            "push -1",
            save_registers!(),
            "xor esi, esi",
            "mov edx, {vector}",
            "sub rsp, 8",
            "call {handler}",
            "add rsp, 8",
            restore_registers_and_return!(),
            vector = const $vector as u8,
            handler = sym $handler,
        )
    };
}

exception_stubs! {
    divide_error: Vector::DivideError => super::exc_fault, no_error_code;
    debug: Vector::Debug => super::debug::exc_debug, no_error_code;
    nmi: Vector::Nmi => crate::arch::x86::nmi::exc_nmi, no_error_code;
    breakpoint: Vector::Breakpoint => super::debug::exc_int3, no_error_code;
    overflow: Vector::Overflow => super::exc_fault, no_error_code;
    bounds: Vector::Bounds => super::exc_fault, no_error_code;
    invalid_opcode: Vector::InvalidOpcode => super::exc_fault, no_error_code;
    device_not_available: Vector::DeviceNotAvailable => super::exc_device_not_available, no_error_code;
    double_fault: Vector::DoubleFault => super::fatal::exc_double_fault, error_code;
    coprocessor_segment_overrun: Vector::CoprocessorSegmentOverrun => super::exc_fault, no_error_code;
    invalid_tss: Vector::InvalidTss => super::exc_fault, error_code;
    segment_not_present: Vector::SegmentNotPresent => super::exc_fault, error_code;
    stack_segment: Vector::StackSegment => super::exc_fault, error_code;
    general_protection: Vector::GeneralProtection => super::exc_fault, error_code;
    page_fault: Vector::PageFault => super::page_fault::exc_page_fault, error_code;
    spurious: 15 => super::exc_reserved, no_error_code;
    coprocessor_error: Vector::CoprocessorError => super::exc_fault, no_error_code;
    alignment_check: Vector::AlignmentCheck => super::exc_fault, error_code;
    machine_check: Vector::MachineCheck => super::fatal::exc_machine_check, no_error_code;
    simd_error: Vector::SimdError => super::exc_fault, no_error_code;
    virtualization: 20 => super::exc_reserved, no_error_code;
    control_protection: 21 => super::exc_reserved, error_code;
    reserved_22: 22 => super::exc_reserved, no_error_code;
    reserved_23: 23 => super::exc_reserved, no_error_code;
    reserved_24: 24 => super::exc_reserved, no_error_code;
    reserved_25: 25 => super::exc_reserved, no_error_code;
    reserved_26: 26 => super::exc_reserved, no_error_code;
    reserved_27: 27 => super::exc_reserved, no_error_code;
    hypervisor_injection: 28 => super::exc_reserved, no_error_code;
    vmm_communication: 29 => super::exc_reserved, error_code;
    security: 30 => super::exc_reserved, error_code;
    reserved_31: 31 => super::exc_reserved, no_error_code;
    int80: IA32_SYSCALL_VECTOR => super::exc_int80, no_error_code;
}

/// Bytes between two stubs of [`irq_entries_start`].
const IRQ_ENTRY_SIZE: usize = 8;

/// The address of the stub of `vector`, which is at least [`FIRST_EXTERNAL_VECTOR`].
#[init]
pub fn irq_entry(vector: u8) -> usize {
    // A naked function's symbol is as aligned as the compiler likes: the stubs begin behind it where `.balign` puts them.
    let first = (irq_entries_start as *const () as usize).next_multiple_of(IRQ_ENTRY_SIZE);
    first + usize::from(vector - FIRST_EXTERNAL_VECTOR) * IRQ_ENTRY_SIZE
}

/// The stubs of the vectors from [`FIRST_EXTERNAL_VECTOR`] to 255, [`IRQ_ENTRY_SIZE`] bytes each: they leave the vector where an error code would be.
#[unsafe(naked)]
#[unsafe(link_section = ".entry.text")]
extern "C" fn irq_entries_start() {
    naked_asm!(
        ".balign {size}",
        ".set vector, {first}",
        ".rept 256 - {first}",
        // `push` with an 8-bit immediate sign-extends it; `common_interrupt_entry` takes the lowest byte.
        ".byte 0x6a, vector",
        "jmp {common}",
        ".balign {size}",
        ".set vector, vector + 1",
        ".endr",
        size = const IRQ_ENTRY_SIZE,
        first = const FIRST_EXTERNAL_VECTOR,
        common = sym common_interrupt_entry,
    )
}

/// What the stubs of [`irq_entries_start`] go on with: calls the handler on the stack for interrupts, unless that is in use.
#[unsafe(naked)]
#[unsafe(link_section = ".entry.text")]
extern "C" fn common_interrupt_entry() {
    naked_asm!(
        save_registers!(),
        "movzx esi, byte ptr [rsp + {orig_ax}]",
        "mov qword ptr [rsp + {orig_ax}], -1",
        // Taken or not there: stay. RBX is saved, and kept by the handler.
        "mov rbx, qword ptr gs:[{free_stack}]",
        "test rbx, rbx",
        "jz 2f",
        "mov qword ptr gs:[{free_stack}], 0",
        "mov [rbx - 8], rsp",
        "lea rsp, [rbx - 16]",
        "call {handler}",
        "mov qword ptr gs:[{free_stack}], rbx",
        "mov rsp, [rbx - 8]",
        "jmp 3f",
        "2:",
        "sub rsp, 8",
        "call {handler}",
        "add rsp, 8",
        "3:",
        restore_registers_and_return!(),
        orig_ax = const ORIG_AX,
        free_stack = sym super::irq_stack::HARDIRQ_STACK_PTR,
        handler = sym crate::arch::x86::irq::common_interrupt,
    )
}

//! The entries of what can come at any instruction: NMI, `#DB`, `#MC`, `#DF`, each on a stack of its own (Linux's `idtentry_mce_db`, `idtentry_df` and `asm_exc_nmi`).
//!
//! The saved privilege level does not say whose GS base is in use: between the entry from user mode and its `swapgs`, and between the `swapgs` of the way back and its `iretq`, the
//! kernel runs with the user's. Nor does the base itself, since CR4.FSGSBASE lets programs have any. So these entries make it the kernel's whatever it was, and put it back: the
//! descriptor table that the CPU uses lies in its per-CPU data, and the distance to the template's is the base.
//!
//! Nothing here branches on whose base it was: there is no branch whose misprediction could let the first loads go by the user's base and leave a trace of it in the cache
//! (CVE-2019-1125, what `lfence` behind a conditional `swapgs` is for). The one `lfence` keeps them behind the `wrmsr`, which not every processor serializes for this register. On the
//! way back `iretq` serializes.

use core::arch::naked_asm;

use super::Vector;
use super::entry::{restore_registers, restore_registers_and_return, save_registers};
use crate::arch::x86::cpu::entry_area::EXCEPTION_STACK_SIZE;
use crate::arch::x86::msr::IA32_GS_BASE;
use crate::arch::x86::ptregs::ORIG_AX;
use crate::arch::x86::segment::{GDT_PAGE, KERNEL_CS, KERNEL_DS};

/// Makes the GS base the kernel's. What it was is in RBX, which the handler keeps.
macro_rules! use_kernel_gs {
    () => {
        "mov ecx, {gs_base}
        rdmsr
        shl rdx, 32
        or rax, rdx
        mov rbx, rax
        sub rsp, 16
        sgdt [rsp + 6]
        mov rax, [rsp + 8]
        add rsp, 16
        lea rdx, [rip + {gdt}]
        sub rax, rdx
        mov rdx, rax
        shr rdx, 32
        wrmsr
        lfence"
    };
}

/// Makes the GS base again what it was.
macro_rules! restore_gs {
    () => {
        "mov ecx, {gs_base}
        mov eax, ebx
        mov rdx, rbx
        shr rdx, 32
        wrmsr"
    };
}

/// As the entries of [`super::entry`], for any GS base.
macro_rules! paranoid_stubs {
    ($($name:ident: $vector:expr => $handler:path, $error_code:literal;)*) => {$(
        #[doc = concat!("Entry of `", stringify!($vector), "`, on its own stack.")]
        #[unsafe(naked)]
        #[unsafe(link_section = ".entry.text")]
        pub extern "C" fn $name() {
            naked_asm!(
                ".ifeq {has_error_code}",
                "push -1",
                ".endif",
                save_registers!(),
                use_kernel_gs!(),
                "xor esi, esi",
                ".if {has_error_code}",
                "mov rsi, [rsp + {orig_ax}]",
                "mov qword ptr [rsp + {orig_ax}], -1",
                ".endif",
                "mov edx, {vector}",
                "sub rsp, 8",
                "call {handler}",
                "add rsp, 8",
                restore_gs!(),
                restore_registers_and_return!(),
                has_error_code = const $error_code,
                gs_base = const IA32_GS_BASE,
                gdt = sym GDT_PAGE,
                orig_ax = const ORIG_AX,
                vector = const $vector as u8,
                handler = sym $handler,
            )
        }
    )*};
}

paranoid_stubs! {
    debug: Vector::Debug => super::debug::exc_debug, 0;
    double_fault: Vector::DoubleFault => super::fatal::exc_double_fault, 1;
    machine_check: Vector::MachineCheck => super::fatal::exc_machine_check, 0;
}

/// Entry of NMIs.
///
/// The processor holds further NMIs back until the next `iretq`, whosever that is: an exception in the handler (a fault with a fixup, an `int3`) lets the next NMI in, which
/// starts at the top of the same stack and overwrites the processor's frame there. So the frame is copied twice, and a nested NMI does nothing but change where the first one
/// returns to. From the top of the stack downwards:
///
/// | words | what |
/// | --- | --- |
/// | 5 | the processor's frame, of whichever NMI came last |
/// | 1 | RDX |
/// | 1 | 1 while the first NMI is being handled |
/// | 5 | the frame that the first one returns by: to the interrupted code, or to `repeat` for what has come meanwhile |
/// | 5 | the frame of the interrupted code, which is the end of the saved registers |
///
/// An NMI knows that it is nested by the mark, or in the two instructions between clearing the mark and `iretq` by a stack pointer on this stack with the direction flag, which is
/// set for that: user code may bring any stack pointer into the first instructions of a system call, but not that flag. One that strikes while the frame to return by is being
/// written has nothing to add: the handler has not begun.
#[unsafe(naked)]
#[unsafe(link_section = ".entry.text")]
pub extern "C" fn nmi() {
    naked_asm!(
        "push rdx",
        // Writing the frame to return by?
        "lea rdx, [rip + 30f]",
        "cmp [rsp + 8], rdx",
        "jb 40f",
        "lea rdx, [rip + 31f]",
        "cmp [rsp + 8], rdx",
        "jb 43f",
        "40:",
        "cmp dword ptr [rsp - 8], 1",
        "je 42f",
        // About to return?
        "lea rdx, [rsp + 6 * 8]",
        "cmp [rsp + 4 * 8], rdx",
        "ja 41f",
        "sub rdx, {stack_size}",
        "cmp [rsp + 4 * 8], rdx",
        "jb 41f",
        "test dword ptr [rsp + 3 * 8], {direction}",
        "jnz 42f",
        // The first.
        "41:",
        "mov rdx, [rsp]",
        "push 0",
        "sub rsp, 5 * 8",
        ".rept 5",
        "push qword ptr [rsp + 11 * 8]",
        ".endr",
        // Again from here, for one that was nested.
        "30:",
        "mov qword ptr [rsp + 10 * 8], 1",
        "add rsp, 10 * 8",
        ".rept 5",
        "push qword ptr [rsp - 6 * 8]",
        ".endr",
        "sub rsp, 5 * 8",
        "31:",
        "push -1",
        save_registers!(),
        use_kernel_gs!(),
        "xor esi, esi",
        "mov edx, {vector}",
        "sub rsp, 8",
        "call {handler}",
        "add rsp, 8",
        restore_gs!(),
        restore_registers!(),
        "add rsp, 6 * 8",
        "std",
        "mov qword ptr [rsp + 5 * 8], 0",
        "iretq",
        // Nested: lets the first one return to `repeat`, with the stack pointer that it had there.
        "42:",
        "sub rsp, 8",
        "lea rdx, [rsp - 10 * 8]",
        "push {ss}",
        "push rdx",
        "pushfq",
        "push {cs}",
        "lea rdx, [rip + 30b]",
        "push rdx",
        "add rsp, 6 * 8",
        "43:",
        "pop rdx",
        "iretq",
        stack_size = const EXCEPTION_STACK_SIZE,
        direction = const 1 << 10,
        gs_base = const IA32_GS_BASE,
        gdt = sym GDT_PAGE,
        vector = const Vector::Nmi as u8,
        handler = sym crate::arch::x86::nmi::exc_nmi,
        ss = const KERNEL_DS,
        cs = const KERNEL_CS,
    )
}

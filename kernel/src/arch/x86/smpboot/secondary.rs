//! The first steps of a CPU other than the boot CPU: from the trampoline to the kernel's tables, its own stack and its own data, and on to what all CPUs have.
//!
//! Any number of CPUs take them at once: each finds out its number by its APIC id, without a word of memory that is not its own.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::arch::x86::apic::{self, APIC_IDS};
use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::arch::x86::cpu::{self, entry_area};
use crate::arch::x86::mm::init::init_pgd;
use crate::arch::x86::mm::pat;
use crate::arch::x86::traps::irq_stack;
use crate::arch::x86::{idt, msr, process, segment};
use crate::cpu::hotplug;
use crate::mm::kstack::{KernelStack, THREAD_SIZE};
use crate::mm::page_alloc::{Gfp, alloc_pages_exact, free_pages_exact};
use crate::mm::sections::Section;
use crate::mm::virt_to_phys;
use crate::percpu::PER_CPU_OFFSET;
use crate::preempt;
use crate::prelude::*;

/// Where each CPU's first stack ends; 0 for one that has none. It is the idle task's, and stays when the CPU stops.
static STACK_ENDS: [AtomicUsize; NR_CPUS] = [const { AtomicUsize::new(0) }; NR_CPUS];

/// The physical address of the kernel's top page table.
static PGD: AtomicU64 = AtomicU64::new(0);

/// Gives `cpu` what it cannot begin without: its stack, and its exception stacks. What it has from an earlier time stays.
///
/// # Errors
///
/// `ENOMEM`.
pub(super) fn prepare(cpu: usize) -> Result<(), Errno> {
    PGD.store(init_pgd(), Relaxed);
    irq_stack::irq_init_percpu_irqstack(cpu)?;
    let slot = STACK_ENDS.get(cpu).ok_or(Errno::EINVAL)?;
    if slot.load(Relaxed) != 0 {
        return Ok(());
    }
    let stack = KernelStack::new()?;
    let exceptions = alloc_pages_exact(entry_area::EXCEPTION_STACKS_SIZE, Gfp::KERNEL | Gfp::ZERO).ok_or(Errno::ENOMEM)?;
    // SAFETY: the memory was allocated for this.
    let mapped = unsafe { entry_area::map_exception_stacks(cpu, virt_to_phys(exceptions.as_ptr())) };
    if let Err(error) = mapped {
        // SAFETY: the CPU does not run, so that nobody uses what was mapped; it is mapped anew before it does.
        unsafe { free_pages_exact(exceptions, entry_area::EXCEPTION_STACKS_SIZE) };
        return Err(error);
    }
    slot.store(stack.leak().end_address(), Relaxed);
    Ok(())
}

/// From the trampoline: long mode, interrupts off, the trampoline's page tables and descriptors, no stack.
///
/// # Safety
///
/// For a CPU that [`prepare`] was called for, after it was started.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn secondary_startup_64() -> ! {
    naked_asm!(
        "mov rax, [rip + {pgd}]",
        "mov cr3, rax",
        // The APIC id, as `smp_setup_processor_id` reads it on the boot CPU.
        "xor eax, eax",
        "cpuid",
        "cmp eax, 0xb",
        "jb 2f",
        "mov eax, 0xb",
        "xor ecx, ecx",
        "cpuid",
        "test ebx, ebx",
        "jnz 3f",
        "2: mov eax, 1",
        "cpuid",
        "shr ebx, 24",
        "mov edx, ebx",
        // The number is where the id stands.
        "3: lea rsi, [rip + {apic_ids}]",
        "xor edi, edi",
        "4: cmp [rsi + rdi * 4], edx",
        "je 5f",
        "inc edi",
        "cmp edi, {nr_cpus}",
        "jb 4b",
        // Nobody has meant this CPU.
        "6: cli",
        "hlt",
        "jmp 6b",
        "5: lea rsi, [rip + {stack_ends}]",
        "mov rsp, [rsi + rdi * 8]",
        "test rsp, rsp",
        "jz 6b",
        "lea rsi, [rip + {offsets}]",
        "mov rax, [rsi + rdi * 8]",
        "mov rdx, rax",
        "shr rdx, 32",
        "mov ecx, {gs_base}",
        "wrmsr",
        "xor ebp, ebp",
        "push rbp",
        "push rbp",
        "call {start}",
        "ud2",
        pgd = sym PGD,
        apic_ids = sym APIC_IDS,
        nr_cpus = const NR_CPUS,
        stack_ends = sym STACK_ENDS,
        offsets = sym PER_CPU_OFFSET,
        gs_base = const msr::IA32_GS_BASE,
        start = sym start_secondary,
    )
}

/// Makes the CPU one of the kernel's: Linux's function of the same name. Interrupts are off, and there are no exceptions before the table of them is loaded.
extern "C" fn start_secondary(cpu: usize) -> ! {
    // SAFETY: the per-CPU area is never freed.
    unsafe { segment::load_direct_gdt() };
    preempt::set_count(preempt::PREEMPT_OFFSET);
    let end = STACK_ENDS[cpu].load(Relaxed);
    process::set_task_stack(Section::between(end - THREAD_SIZE, end));
    cpu::init::cpu_init_secondary();
    // SAFETY: the boot CPU has filled the table, and this CPU has the stacks that it names.
    unsafe { idt::load_current_idt() };
    #[cfg(CONFIG_MTRR)]
    cpu::mtrr::secondary::mtrr_ap_init();
    pat::pat_cpu_init();
    apic::setup_local_apic();
    hotplug::run_secondary(cpu, cpu::likeness::is_like_boot_cpu(cpu))
}

/// Stops this CPU until it is started anew: Linux's `play_dead`. Its caches hold nothing that is not in memory, and only INIT gets it back; what else wakes it finds it asleep again.
pub(crate) fn play_dead() -> ! {
    crate::arch::x86::irqflags::cli();
    // SAFETY: writes the caches back, which changes nothing that can be seen.
    unsafe { core::arch::asm!("wbinvd", options(nostack, preserves_flags)) };
    crate::arch::x86::irqflags::halt_forever()
}

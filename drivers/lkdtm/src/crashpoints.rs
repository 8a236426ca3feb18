//! The list of crash points.

use crate::{bugs, debug, descriptors, external, fpu, gate, heap, init, instructions, nested, pages, perms, stack, vmalloc};

/// What became of a crash point that came back: it was to, or it was not, and why that is wrong.
pub type Outcome = Result<(), &'static str>;

/// The outcome of a point that ought to have ended the boot.
pub const SURVIVED: Outcome = Err("survived, and should not have");

/// One way to crash.
pub struct Crashpoint {
    /// What `cpoint_type=` calls it.
    pub name: &'static str,
    /// What happens, for the log.
    pub shows: &'static str,
    /// Makes it happen.
    pub trigger: fn() -> Outcome,
}

const fn point(name: &'static str, shows: &'static str, trigger: fn() -> Outcome) -> Crashpoint {
    Crashpoint { name, shows, trigger }
}

/// All of them: first those that Linux has, too, then one or more for each vector, in order. A `(gate)` says that the processor cannot be made to raise the
/// exception, and that its frame is built by hand.
pub static CRASHPOINTS: &[Crashpoint] = &[
    point("PANIC", "a panic", bugs::panic),
    point("BUG", "a condition that the code says cannot be", bugs::bug),
    point("WARNING", "a warning", bugs::warning),
    point("WARNING_MESSAGE", "a warning with a message", bugs::warning_message),
    point(
        "SPINLOCKUP",
        "a lock that is taken and kept; the second time, it is waited for for ever",
        bugs::spinlockup,
    ),
    point("SPINLOCK_UNLOCK", "a lock given back that nobody has", bugs::spinlock_unlock),
    point("EXCEPTION", "a write to the null pointer", bugs::exception),
    point("ARRAY_BOUNDS", "an index behind the end of an array", bugs::array_bounds),
    point("EXHAUST_STACK", "a recursion without end", stack::exhaust_stack),
    point(
        "STACK_GUARD_PAGE_LEADING",
        "a read of the byte below the stack",
        stack::stack_guard_page_leading,
    ),
    point(
        "STACK_GUARD_PAGE_TRAILING",
        "a read of the byte behind the stack",
        stack::stack_guard_page_trailing,
    ),
    point(
        "STACK_GUARD_PAGE_EXCEPTION",
        "a read of the byte below the stack for NMIs",
        stack::stack_guard_page_exception,
    ),
    point(
        "STACK_GUARD_PAGE_IRQ",
        "a recursion without end in an interrupt",
        stack::exhaust_irq_stack,
    ),
    point(
        "VMALLOC_LINEAR_OVERFLOW",
        "a write behind the end of vmalloc memory",
        vmalloc::linear_overflow,
    ),
    point(
        "VMALLOC_READ_AFTER_FREE",
        "a read of vmalloc memory that is freed",
        vmalloc::read_after_free,
    ),
    point("VMALLOC_FREE_WRONG", "vfree inside of an area, and twice", vmalloc::free_wrong),
    point("VMALLOC_FAILURE", "vmalloc of more than is free", vmalloc::failure),
    point("SLAB_LINEAR_OVERFLOW", "a write behind an object", heap::slab_linear_overflow),
    point("WRITE_AFTER_FREE", "a write to an object that is free", heap::write_after_free),
    point("SLAB_FREE_DOUBLE", "an object freed twice", heap::slab_free_double),
    point("SLAB_FREE_CROSS", "an object freed to another cache", heap::slab_free_cross),
    point("SLAB_FREE_PAGE", "a page freed to a cache", heap::slab_free_page),
    point(
        "SLAB_FREE_INVALID",
        "an object freed by an address inside it",
        heap::slab_free_invalid,
    ),
    point("SLAB_FREE_FOREIGN", "a constant freed", heap::slab_free_foreign),
    point("SLAB_LEAK", "objects that nobody knows of any more", heap::slab_leak),
    point(
        "SLAB_DESTROY_IN_USE",
        "the end of a cache that has an object in use",
        heap::slab_destroy_in_use,
    ),
    point("WRITE_RO", "a write to read-only data", perms::write_ro),
    point("WRITE_KERN", "a write to code", perms::write_kern),
    point(
        "WRITE_RO_ALIAS",
        "a write to read-only data by its address in the direct map",
        perms::write_ro_alias,
    ),
    point(
        "WRITE_KERN_ALIAS",
        "a write to code by its address in the direct map",
        perms::write_kern_alias,
    ),
    point("READ_INIT", "a read of init data when it is gone", init::read_init),
    point("WRITE_INIT", "a write to init data when it is gone", init::write_init),
    point("EXEC_INIT", "a call of an init function when it is gone", init::exec_init),
    point("EXEC_DATA", "a call of data", perms::exec_data),
    point("EXEC_STACK", "a call of the stack", perms::exec_stack),
    point("EXEC_KMALLOC", "a call of the heap", perms::exec_kmalloc),
    point("EXEC_VMALLOC", "a call of vmalloc memory", perms::exec_vmalloc),
    point("EXEC_RODATA", "a call of read-only data", perms::exec_rodata),
    point("EXEC_NULL", "a call of the null pointer", perms::exec_null),
    point("ACCESS_NULL", "a read of the null pointer", perms::access_null),
    point("DIVIDE_ERROR", "vector 0, a division by zero", instructions::divide_error),
    point("DEBUG_STEP", "vector 1, a single step that nobody waits for", debug::step),
    point("DEBUG_DATA", "vector 1, a data breakpoint that nobody waits for", debug::data),
    point("DEBUG_SOFTWARE", "vector 1, int 1", debug::software),
    point("NMI", "vector 2, an NMI that this CPU sends to itself", external::nmi),
    point("NMI_NESTED", "vector 2, an NMI while another one is handled", nested::nmi_in_nmi),
    point(
        "NMI_IN_EXCEPTION",
        "vector 2, an NMI while an exception is handled",
        nested::nmi_in_exception,
    ),
    point("BREAKPOINT", "vector 3, int3", instructions::breakpoint),
    point("OVERFLOW", "vector 4, int 4", instructions::overflow),
    point("BOUNDS", "vector 5, int 5", instructions::bounds),
    point("INVALID_OPCODE", "vector 6, ud2", instructions::invalid_opcode),
    point(
        "DEVICE_NOT_AVAILABLE",
        "vector 7, an x87 instruction with CR0.TS set",
        fpu::device_not_available,
    ),
    point(
        "DEVICE_EMULATED",
        "vector 7, an x87 instruction with CR0.EM set",
        fpu::device_emulated,
    ),
    point(
        "DOUBLE_FAULT",
        "vector 8, a push with the stack pointer where nothing is mapped",
        stack::double_fault,
    ),
    point("COPROC_OVERRUN", "vector 9, int 9", instructions::coproc_overrun),
    point(
        "INVALID_TSS",
        "vector 10, a stack switch behind the limit of the TSS",
        descriptors::invalid_tss,
    ),
    point(
        "SEGMENT_NOT_PRESENT",
        "vector 11, a data segment that is not present",
        descriptors::segment_not_present,
    ),
    point(
        "STACK_SEGMENT",
        "vector 12, a stack segment that is not present",
        descriptors::stack_segment,
    ),
    point(
        "GENERAL_PROTECTION",
        "vector 13, a read of a non-canonical address",
        instructions::general_protection,
    ),
    point(
        "GENERAL_PROTECTION_MSR",
        "vector 13, a value that an MSR does not take",
        instructions::general_protection_msr,
    ),
    point(
        "GENERAL_PROTECTION_SELECTOR",
        "vector 13, a selector behind the limit of the GDT",
        descriptors::general_protection_selector,
    ),
    point(
        "PAGE_FAULT_READ",
        "vector 14, a read where nothing is mapped",
        instructions::page_fault_read,
    ),
    point(
        "PAGE_FAULT_WRITE",
        "vector 14, a write where nothing is mapped",
        instructions::page_fault_write,
    ),
    point(
        "PAGE_FAULT_EXEC",
        "vector 14, a call where nothing is mapped",
        instructions::page_fault_exec,
    ),
    point(
        "PAGE_FAULT_RESERVED",
        "vector 14, a reserved bit in a page table",
        instructions::page_fault_reserved,
    ),
    point(
        "PAGE_FAULT_NESTED",
        "vector 14, a write to the null pointer while an exception is handled",
        nested::fault_in_exception,
    ),
    point(
        "PAGE_FAULT_IN_NMI",
        "vector 14, a write to the null pointer while an NMI is handled",
        nested::fault_in_nmi,
    ),
    point("SPURIOUS", "vector 15, int 15", instructions::spurious),
    point("MATH", "vector 16, an unmasked x87 division by zero", fpu::math),
    point("ALIGNMENT", "vector 17 (gate)", gate::alignment),
    point(
        "MACHINE_CHECK",
        "vector 18, a machine check that the host injects",
        external::machine_check,
    ),
    point("SIMD", "vector 19, an unmasked SSE division by zero", fpu::simd),
    point("VIRTUALIZATION", "vector 20, int 20", instructions::virtualization),
    point("CONTROL_PROTECTION", "vector 21 (gate)", gate::control_protection),
    point("RESERVED_22", "vector 22, int 22", instructions::reserved_22),
    point("RESERVED_23", "vector 23, int 23", instructions::reserved_23),
    point("RESERVED_24", "vector 24, int 24", instructions::reserved_24),
    point("RESERVED_25", "vector 25, int 25", instructions::reserved_25),
    point("RESERVED_26", "vector 26, int 26", instructions::reserved_26),
    point("RESERVED_27", "vector 27, int 27", instructions::reserved_27),
    point("HV_INJECTION", "vector 28, int 28", instructions::hv_injection),
    point("VMM_COMMUNICATION", "vector 29 (gate)", gate::vmm_communication),
    point("SECURITY", "vector 30 (gate)", gate::security),
    point("RESERVED_31", "vector 31, int 31", instructions::reserved_31),
    point("SYSTEM_CALL", "vector 128, int 128", instructions::system_call),
    point("UNEXPECTED_INTERRUPT", "vector 239, int 239", instructions::unexpected_interrupt),
    point(
        "UNALIGNED_LOAD_STORE_WRITE",
        "accesses that are not aligned, which are no fault",
        perms::unaligned_load_store_write,
    ),
    point(
        "SMP_CALL_STUCK",
        "a function call on another CPU that does nothing for 300 ms",
        external::call_of_a_stuck_cpu,
    ),
    point("SOFTLOCKUP", "a loop of four seconds with interrupts on", external::soft_lockup),
    point(
        "HARDLOCKUP",
        "a loop of four seconds with interrupts off, on another CPU",
        external::hard_lockup,
    ),
    point("PAGE_DOUBLE_FREE", "a page given back twice", pages::page_double_free),
    point("PAGE_FREE_RESERVED", "a page of the image given back", pages::page_free_reserved),
    point(
        "PAGE_FREE_WRONG_ORDER",
        "a compound page given back as one of another order",
        pages::page_free_wrong_order,
    ),
    point(
        "READ_BUDDY_AFTER_FREE",
        "a read of a page that was given back",
        pages::read_buddy_after_free,
    ),
    point(
        "WRITE_BUDDY_AFTER_FREE",
        "a write to a page that was given back",
        pages::write_buddy_after_free,
    ),
    point(
        "PAGE_ALLOC_FAILURE",
        "more memory asked for than there is",
        pages::page_alloc_failure,
    ),
    point(
        "PAGE_ALLOC_NOFAIL",
        "a page that there must be, when there is none",
        pages::page_alloc_nofail,
    ),
    point(
        "SLEEPING_ALLOCATION",
        "memory asked for under a lock by who may sleep",
        pages::sleeping_allocation,
    ),
    point(
        "MEMBLOCK_LATE",
        "memory asked of memblock when the page allocator has it",
        pages::memblock_late,
    ),
];

/// The crash point called `name`.
pub fn find(name: &[u8]) -> Option<&'static Crashpoint> {
    CRASHPOINTS.iter().find(|point| point.name.as_bytes() == name)
}

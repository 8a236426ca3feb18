//! Every crash point, and what the kernel has to make of it: the words are Linux 6.1's.

use crate::expect::Address::{Announced, Symbol, Value};
use crate::expect::Expect::{GoesOn, Panic, PanicBehind};
use crate::expect::Rip::{After, At, AtOrAfter, Data, Heap, Number};
use crate::expect::{Case, after_the_boot, anywhere, case, guard_page, on_two_processors, oops, page_fault, page_fault_inside, with_words};

/// The page below the direct map, where nothing is mapped.
const UNMAPPED: u64 = 0xffff_887f_ffff_f000;

const NULL_POINTER: &str = "BUG: kernel NULL pointer dereference, address: 0000000000000000";
const BAD_ADDRESS: &str = "BUG: unable to handle page fault for address: ";
const READ: &str = "#PF: supervisor read access in kernel mode";
const WRITE: &str = "#PF: supervisor write access in kernel mode";
const FETCH: &str = "#PF: supervisor instruction fetch in kernel mode";
const NO_EXECUTE: &str = "kernel tried to execute NX-protected page - exploit attempt? (uid: 0)";
const NOT_PRESENT: [&str; 3] = [
    "#PF: error_code(0x0000) - not-present page",
    "#PF: error_code(0x0002) - not-present page",
    "#PF: error_code(0x0010) - not-present page",
];
const READ_ONLY: &[&str] = &[BAD_ADDRESS, WRITE, "#PF: error_code(0x0003) - permissions violation"];
const NOT_EXECUTABLE: &[&str] = &[NO_EXECUTE, BAD_ADDRESS, FETCH, "#PF: error_code(0x0011) - permissions violation"];
const NULL_READ: &[&str] = &[NULL_POINTER, READ, NOT_PRESENT[0]];
const NULL_WRITE: &[&str] = &[NULL_POINTER, WRITE, NOT_PRESENT[1]];
const NULL_CALL: &[&str] = &[NULL_POINTER, FETCH, NOT_PRESENT[2]];
const UNMAPPED_READ: &[&str] = &[BAD_ADDRESS, READ, NOT_PRESENT[0]];
const UNMAPPED_WRITE: &[&str] = &[BAD_ADDRESS, WRITE, NOT_PRESENT[1]];
const UNMAPPED_CALL: &[&str] = &[BAD_ADDRESS, FETCH, NOT_PRESENT[2]];
const FREED_READ: &[&str] = &[
    "kernel tried to read freed init memory: incipit_lkdtm::init::INIT_DATA+",
    " (.init.data)",
    BAD_ADDRESS,
    READ,
    NOT_PRESENT[0],
];
const FREED_WRITE: &[&str] = &[
    "kernel tried to write freed init memory: incipit_lkdtm::init::INIT_DATA+",
    " (.init.data)",
    BAD_ADDRESS,
    WRITE,
    NOT_PRESENT[1],
];
const FREED_CALL: &[&str] = &[
    "kernel tried to execute freed init function incipit_lkdtm::init::do_nothing+",
    " (exploit or section mismatch?)",
    BAD_ADDRESS,
    FETCH,
    NOT_PRESENT[2],
];
const RESERVED_BIT: &[&str] = &[BAD_ADDRESS, READ, "#PF: error_code("];
const GUARD_PAGE: &[&str] = &["BUG: TASK stack guard page was hit at "];

const CUT_HERE: &str = "------------[ cut here ]------------";
const END_TRACE: &str = "---[ end trace 0000000000000000 ]---";

/// All of them, in the order in which the kernel lists them.
pub const CASES: &[Case] = &[
    case("PANIC", Panic("dumptest")),
    case("BUG", Panic("internal error: entered unreachable code: dumptest")),
    case(
        "WARNING",
        GoesOn(&[
            CUT_HERE,
            "WARNING: CPU: 0 PID: 1 at ",
            "drivers/lkdtm/src/bugs.rs:",
            "incipit_lkdtm::bugs::warning+",
            "incipit_lkdtm::trigger::lkdtm_module_init+",
            END_TRACE,
        ]),
    ),
    case(
        "WARNING_MESSAGE",
        GoesOn(&[
            CUT_HERE,
            "incipit_lkdtm::bugs::warning_message+",
            "Warning message trigger count: 1",
            "incipit_lkdtm::trigger::lkdtm_module_init+",
            END_TRACE,
        ]),
    ),
    // Reported in an image with CONFIG_DEBUG_SPINLOCK, which `tests/builds/checked.rs` has.
    case("SPINLOCKUP", GoesOn(&[])),
    case("SPINLOCK_UNLOCK", GoesOn(&[])),
    case("EXCEPTION", page_fault(&[2], "bugs::exception", At(&["mov"]), NULL_WRITE, Value(0))),
    case("ARRAY_BOUNDS", Panic("index out of bounds: the len is 8 but the index is 8")),
    case(
        "EXHAUST_STACK",
        anywhere(
            "stack guard page",
            "stack::recursive_loop",
            At(&["call", "addr32", "push"]),
            GUARD_PAGE,
        ),
    ),
    case(
        "STACK_GUARD_PAGE_LEADING",
        guard_page("stack::stack_guard_page_leading", &["BUG: TASK stack guard page was hit at "]),
    ),
    case(
        "STACK_GUARD_PAGE_TRAILING",
        page_fault(&[0], "stack::stack_guard_page_trailing", At(&["mov"]), UNMAPPED_READ, Announced),
    ),
    case(
        "STACK_GUARD_PAGE_EXCEPTION",
        guard_page("stack::stack_guard_page_exception", &["BUG: NMI stack guard page was hit at "]),
    ),
    case(
        "STACK_GUARD_PAGE_IRQ",
        anywhere(
            "stack guard page",
            "stack::recursive_loop",
            At(&["call", "addr32", "push"]),
            &["BUG: IRQ stack guard page was hit at "],
        ),
    ),
    case(
        "VMALLOC_LINEAR_OVERFLOW",
        page_fault(&[2], "vmalloc::linear_overflow", At(&["mov"]), UNMAPPED_WRITE, Announced),
    ),
    case(
        "VMALLOC_READ_AFTER_FREE",
        page_fault(&[0], "vmalloc::read_after_free", At(&["mov"]), UNMAPPED_READ, Announced),
    ),
    case(
        "VMALLOC_FREE_WRONG",
        GoesOn(&[
            CUT_HERE,
            "Trying to vfree() bad address (ffffc9",
            "incipit_lkdtm::vmalloc::free_wrong+",
            END_TRACE,
            CUT_HERE,
            "Trying to vfree() nonexistent vm area (ffffc9",
            "incipit_lkdtm::vmalloc::free_wrong+",
            END_TRACE,
        ]),
    ),
    case(
        "VMALLOC_FAILURE",
        GoesOn(&[
            "swapper/0: vmalloc error: size ",
            ", page order 0, failed to allocate pages, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0",
            "incipit_lkdtm::vmalloc::failure+",
            "Mem-Info:",
            " pages reserved",
        ]),
    ),
    with_words(
        "slub_debug=FZPU",
        case(
            "SLAB_LINEAR_OVERFLOW",
            GoesOn(&[
                "BUG kmalloc-64 (",
                "): Right Redzone overwritten",
                "First byte 0x78 instead of 0xcc",
                "Allocated in incipit_lkdtm::heap::slab_linear_overflow+",
                " age=",
                " cpu=0 pid=1",
                "Slab 0x",
                " objects=",
                " used=",
                "Object 0x",
                "Redzone  ffff",
                ": cc cc",
                "Object   ffff",
                ": 6b 6b",
                "Redzone  ffff",
                ": 78 56 34 12 00 00 00 00 ",
                "Call Trace:",
                "incipit_lkdtm::heap::slab_linear_overflow+",
                "FIX kmalloc-64: Restoring Right Redzone 0xffff",
                "=0xcc",
                "FIX kmalloc-64: Object at 0xffff",
                " not freed",
            ]),
        ),
    ),
    with_words(
        "slub_debug=FZPU",
        case(
            "WRITE_AFTER_FREE",
            GoesOn(&[
                "BUG kmalloc-64 (",
                "): Poison overwritten",
                "First byte 0xf0 instead of 0x6b",
                "Allocated in incipit_lkdtm::heap::write_after_free+",
                "Freed in incipit_lkdtm::heap::write_after_free+",
                "Object   ffff",
                "f0 de bc 0a 00 00 00 00 6b",
                "FIX kmalloc-64: Restoring Poison 0xffff",
                "=0x6b",
                "FIX kmalloc-64: Marking all objects used",
            ]),
        ),
    ),
    case(
        "SLAB_FREE_DOUBLE",
        GoesOn(&[
            "BUG kmalloc-64 (",
            "): Object already free",
            "Slab 0x",
            "Object 0x",
            "incipit_lkdtm::heap::slab_free_double+",
            "FIX kmalloc-64: Object at 0xffff",
            " not freed",
        ]),
    ),
    case(
        "SLAB_FREE_CROSS",
        GoesOn(&[
            "WARNING: CPU: 0 PID: 1 at ",
            "cache_from_obj: Wrong slab cache. lkdtm-heap-b but object is from lkdtm-heap-a",
            "incipit_lkdtm::heap::slab_free_cross+",
            END_TRACE,
        ]),
    ),
    case(
        "SLAB_FREE_PAGE",
        GoesOn(&[
            "WARNING: CPU: 0 PID: 1 at ",
            "virt_to_cache: Object is not a Slab page!",
            "incipit_lkdtm::heap::slab_free_page+",
            END_TRACE,
        ]),
    ),
    with_words(
        "slub_debug=F,kmalloc-64",
        case(
            "SLAB_FREE_INVALID",
            GoesOn(&[
                "BUG kmalloc-64 (",
                "): Invalid object pointer 0xffff",
                "Slab 0x",
                "incipit_lkdtm::heap::slab_free_invalid+",
                "FIX kmalloc-64: Object at 0xffff",
                " not freed",
            ]),
        ),
    ),
    case(
        "SLAB_FREE_FOREIGN",
        GoesOn(&[
            "WARNING: CPU: 0 PID: 1 at ",
            "object pointer: 0xffffffff8",
            "incipit_lkdtm::heap::slab_free_foreign+",
            END_TRACE,
        ]),
    ),
    case("SLAB_LEAK", GoesOn(&[])),
    with_words(
        "slub_debug=U,lkdtm-*",
        case(
            "SLAB_DESTROY_IN_USE",
            GoesOn(&[
                "BUG lkdtm-heap-used (",
                "): Objects remaining in lkdtm-heap-used on __kmem_cache_shutdown()",
                "Object 0xffff",
                " @offset=",
                "Allocated in incipit_lkdtm::heap::slab_destroy_in_use+",
                "kmem_cache_destroy lkdtm-heap-used: Slab cache still has objects when called from incipit_lkdtm::heap::slab_destroy_in_use+",
                END_TRACE,
            ]),
        ),
    ),
    case("WRITE_RO", page_fault(&[3], "perms::write_ro", At(&["mov"]), READ_ONLY, Announced)),
    case(
        "WRITE_KERN",
        page_fault(&[3], "perms::write_kern", At(&["mov"]), READ_ONLY, Announced),
    ),
    after_the_boot(
        "WRITE_RO_ALIAS",
        page_fault(&[3], "perms::write_ro_alias", At(&["mov"]), READ_ONLY, Announced),
    ),
    after_the_boot(
        "WRITE_KERN_ALIAS",
        page_fault(&[3], "perms::write_kern_alias", At(&["mov"]), READ_ONLY, Announced),
    ),
    after_the_boot(
        "READ_INIT",
        page_fault(&[0], "init::read_init", At(&["mov"]), FREED_READ, Announced),
    ),
    after_the_boot(
        "WRITE_INIT",
        page_fault(&[2], "init::write_init", At(&["mov"]), FREED_WRITE, Announced),
    ),
    after_the_boot(
        "EXEC_INIT",
        page_fault(
            &[0x10],
            "init::exec_init",
            Data("incipit_lkdtm::init::do_nothing"),
            FREED_CALL,
            Announced,
        ),
    ),
    case(
        "EXEC_DATA",
        page_fault(
            &[0x11],
            "perms::exec_data",
            Data("incipit_lkdtm::perms::DATA_AREA"),
            NOT_EXECUTABLE,
            Announced,
        ),
    ),
    case(
        "EXEC_STACK",
        page_fault(&[0x11], "perms::exec_stack", Heap, NOT_EXECUTABLE, Announced),
    ),
    case(
        "EXEC_KMALLOC",
        page_fault(&[0x11], "perms::exec_kmalloc", Heap, NOT_EXECUTABLE, Announced),
    ),
    case(
        "EXEC_VMALLOC",
        page_fault(&[0x11], "perms::exec_vmalloc", Heap, NOT_EXECUTABLE, Announced),
    ),
    case(
        "EXEC_RODATA",
        page_fault(
            &[0x11],
            "perms::exec_rodata",
            Data("incipit_lkdtm::perms::RODATA"),
            NOT_EXECUTABLE,
            Announced,
        ),
    ),
    case("EXEC_NULL", page_fault(&[0x10], "perms::exec_null", Number(0), NULL_CALL, Value(0))),
    case(
        "ACCESS_NULL",
        page_fault(&[0], "perms::access_null", At(&["mov"]), NULL_READ, Value(0)),
    ),
    case(
        "DIVIDE_ERROR",
        oops("divide error", &[0], "instructions::divide_error", At(&["div"])),
    ),
    case(
        "DEBUG_STEP",
        GoesOn(&[
            CUT_HERE,
            "WARNING: ",
            "single step at incipit_lkdtm::debug::step+",
            "incipit_lkdtm::trigger::lkdtm_module_init+",
            END_TRACE,
        ]),
    ),
    case("DEBUG_DATA", GoesOn(&[])),
    case("DEBUG_SOFTWARE", GoesOn(&[])),
    case(
        "NMI",
        GoesOn(&[
            "Uhhuh. NMI received for unknown reason ",
            " on CPU 0.",
            "Dazed and confused, but trying to continue",
        ]),
    ),
    case(
        "NMI_NESTED",
        GoesOn(&[
            "lkdtm: the first NMI has faulted\n",
            "lkdtm: the second NMI is handled inside of 0 others\n",
        ]),
    ),
    case(
        "NMI_IN_EXCEPTION",
        GoesOn(&[
            "Uhhuh. NMI received for unknown reason ",
            " on CPU 0.",
            "Dazed and confused, but trying to continue",
        ]),
    ),
    case("BREAKPOINT", anywhere("int3", "instructions::breakpoint", After(&["int3"]), &[])),
    case("OVERFLOW", oops("overflow", &[0], "instructions::overflow", After(&["int"]))),
    case("BOUNDS", oops("bounds", &[0], "instructions::bounds", After(&["int"]))),
    case(
        "INVALID_OPCODE",
        oops("invalid opcode", &[0], "instructions::invalid_opcode", At(&["ud2"])),
    ),
    case(
        "DEVICE_NOT_AVAILABLE",
        GoesOn(&[
            CUT_HERE,
            "WARNING: ",
            "CR0.TS was set",
            "incipit_lkdtm::fpu::device_not_available+",
            END_TRACE,
        ]),
    ),
    case(
        "DEVICE_EMULATED",
        oops("unexpected #NM exception", &[0], "fpu::device_emulated", At(&["fninit"])),
    ),
    case(
        "DOUBLE_FAULT",
        anywhere(
            "double fault",
            "stack::double_fault",
            At(&["push"]),
            &["PANIC: double fault, error_code: 0x0"],
        ),
    ),
    case(
        "COPROC_OVERRUN",
        oops("coprocessor segment overrun", &[0], "instructions::coproc_overrun", After(&["int"])),
    ),
    case(
        "INVALID_TSS",
        oops("invalid TSS", &[0x40], "descriptors::invalid_tss", At(&["int"])),
    ),
    case(
        "SEGMENT_NOT_PRESENT",
        oops("segment not present", &[0x78], "descriptors::segment_not_present", At(&["mov"])),
    ),
    case(
        "STACK_SEGMENT",
        oops("stack segment", &[0x78], "descriptors::stack_segment", At(&["mov"])),
    ),
    case(
        "GENERAL_PROTECTION",
        oops(
            "general protection fault, probably for non-canonical address 0x8000000000000000",
            &[0],
            "instructions::general_protection",
            At(&["mov"]),
        ),
    ),
    case(
        "GENERAL_PROTECTION_MSR",
        oops(
            "general protection fault",
            &[0],
            "instructions::general_protection_msr",
            At(&["wrmsr"]),
        ),
    ),
    case(
        "GENERAL_PROTECTION_SELECTOR",
        oops(
            "segment-related general protection fault",
            &[0xfff8],
            "descriptors::general_protection_selector",
            At(&["mov"]),
        ),
    ),
    case(
        "PAGE_FAULT_READ",
        page_fault(&[0], "instructions::page_fault_read", At(&["mov"]), UNMAPPED_READ, Value(UNMAPPED)),
    ),
    case(
        "PAGE_FAULT_WRITE",
        page_fault(
            &[2],
            "instructions::page_fault_write",
            At(&["mov"]),
            UNMAPPED_WRITE,
            Value(UNMAPPED),
        ),
    ),
    case(
        "PAGE_FAULT_EXEC",
        page_fault(
            &[0x10],
            "instructions::page_fault_exec",
            Number(UNMAPPED),
            UNMAPPED_CALL,
            Value(UNMAPPED),
        ),
    ),
    case(
        "PAGE_FAULT_RESERVED",
        page_fault(
            // QEMU 7.2 leaves out the bit that says the page is present.
            // QEMU 7.2 does not say that the page is present.
            &[9, 8],
            "instructions::page_fault_reserved",
            At(&["mov"]),
            RESERVED_BIT,
            Symbol("incipit_lkdtm::window::PAGE", 0),
        ),
    ),
    case("PAGE_FAULT_NESTED", page_fault_inside("nested::write_null", NULL_WRITE)),
    case("PAGE_FAULT_IN_NMI", page_fault_inside("nested::write_null", NULL_WRITE)),
    case(
        "SPURIOUS",
        GoesOn(&["vector 0x0f, error code 0x0000, at incipit_lkdtm::instructions::spurious+"]),
    ),
    case("MATH", oops("fpu exception", &[0], "fpu::math", At(&["fwait"]))),
    case("ALIGNMENT", oops("alignment check", &[0], "gate::alignment", After(&["jmp"]))),
    case("MACHINE_CHECK", Panic("Fatal machine check")),
    case("SIMD", oops("simd exception", &[0], "fpu::simd", AtOrAfter(&["divss"], &["int"]))),
    case(
        "VIRTUALIZATION",
        GoesOn(&["vector 0x14, error code 0x0000, at incipit_lkdtm::instructions::virtualization+"]),
    ),
    case(
        "CONTROL_PROTECTION",
        GoesOn(&["vector 0x15, error code 0x0001, at incipit_lkdtm::gate::control_protection+"]),
    ),
    case(
        "RESERVED_22",
        GoesOn(&["vector 0x16, error code 0x0000, at incipit_lkdtm::instructions::reserved_22+"]),
    ),
    case(
        "RESERVED_23",
        GoesOn(&["vector 0x17, error code 0x0000, at incipit_lkdtm::instructions::reserved_23+"]),
    ),
    case(
        "RESERVED_24",
        GoesOn(&["vector 0x18, error code 0x0000, at incipit_lkdtm::instructions::reserved_24+"]),
    ),
    case(
        "RESERVED_25",
        GoesOn(&["vector 0x19, error code 0x0000, at incipit_lkdtm::instructions::reserved_25+"]),
    ),
    case(
        "RESERVED_26",
        GoesOn(&["vector 0x1a, error code 0x0000, at incipit_lkdtm::instructions::reserved_26+"]),
    ),
    case(
        "RESERVED_27",
        GoesOn(&["vector 0x1b, error code 0x0000, at incipit_lkdtm::instructions::reserved_27+"]),
    ),
    case(
        "HV_INJECTION",
        GoesOn(&["vector 0x1c, error code 0x0000, at incipit_lkdtm::instructions::hv_injection+"]),
    ),
    case(
        "VMM_COMMUNICATION",
        GoesOn(&["vector 0x1d, error code 0x0072, at incipit_lkdtm::gate::vmm_communication+"]),
    ),
    case(
        "SECURITY",
        GoesOn(&["vector 0x1e, error code 0x0001, at incipit_lkdtm::gate::security+"]),
    ),
    case(
        "RESERVED_31",
        GoesOn(&["vector 0x1f, error code 0x0000, at incipit_lkdtm::instructions::reserved_31+"]),
    ),
    case("SYSTEM_CALL", Panic("Unexpected external interrupt 0x80")),
    case("UNEXPECTED_INTERRUPT", GoesOn(&["0.239 No irq handler for vector"])),
    case("UNALIGNED_LOAD_STORE_WRITE", GoesOn(&[])),
    on_two_processors(with_words(
        "smp.csd_lock_timeout=100",
        case(
            "SMP_CALL_STUCK",
            GoesOn(&[
                "smp: csd: Detected non-responsive CSD lock (#1) on CPU#0, waiting ",
                " ns for CPU#01.",
                "Sending NMI from CPU 0 to CPUs 1:",
                "NMI backtrace for cpu 1",
                "incipit_lkdtm::external::be_stuck+",
            ]),
        ),
    )),
    with_words(
        "watchdog_thresh=1",
        case(
            "SOFTLOCKUP",
            GoesOn(&[
                "watchdog: BUG: soft lockup - CPU#0 stuck for ",
                "s! [swapper/0:1]",
                "incipit_lkdtm::external::soft_lockup+",
            ]),
        ),
    ),
    on_two_processors(with_words(
        "watchdog_thresh=1 nosoftlockup",
        case(
            "HARDLOCKUP",
            GoesOn(&[
                "watchdog: Watchdog detected hard LOCKUP on cpu 1",
                "Sending NMI from CPU 0 to CPUs 1:",
                "NMI backtrace for cpu 1",
                "incipit_lkdtm::external::lock_up+",
            ]),
        ),
    )),
    case(
        "PAGE_DOUBLE_FREE",
        GoesOn(&[
            "BUG: Bad page state in process swapper/0  pfn:",
            " refcount:0 mapcount:0 ",
            "page dumped because: no reference is left: it was freed before",
            "incipit_lkdtm::pages::page_double_free+",
        ]),
    ),
    case(
        "PAGE_FREE_RESERVED",
        GoesOn(&[
            "BUG: Bad page state in process swapper/0  pfn:",
            "(reserved|node=0|zone=0)",
            "page dumped because: PAGE_FLAGS_CHECK_AT_FREE flag(s) set",
            "incipit_lkdtm::pages::page_free_reserved+",
        ]),
    ),
    case(
        "PAGE_FREE_WRONG_ORDER",
        GoesOn(&[
            "BUG: Bad page state in process swapper/0  pfn:",
            "(head|node=0|zone=",
            "page dumped because: freed with another order than it was allocated with",
            "incipit_lkdtm::pages::page_free_wrong_order+",
        ]),
    ),
    case("READ_BUDDY_AFTER_FREE", GoesOn(&[])),
    case("WRITE_BUDDY_AFTER_FREE", GoesOn(&[])),
    case(
        "PAGE_ALLOC_FAILURE",
        GoesOn(&[
            "swapper/0: page allocation failure: order:10, mode:0xcc0(GFP_KERNEL), nodemask=(null),cpuset=/,mems_allowed=0",
            "incipit_lkdtm::pages::page_alloc_failure+",
            "Mem-Info:",
            "Node 0 DMA free:",
            "lowmem_reserve[]: 0 ",
            "Node 0 DMA32 free:",
            " 0*4096kB = ",
            " pages RAM",
            " pages reserved",
        ]),
    ),
    case(
        "PAGE_ALLOC_NOFAIL",
        PanicBehind(
            &[
                "swapper/0 invoked oom-killer: gfp_mask=0x8cc0(GFP_KERNEL|__GFP_NOFAIL), order=0, oom_score_adj=0",
                "Call Trace:",
                "incipit_lkdtm::pages::page_alloc_nofail+",
                "Mem-Info:",
                "Node 0 DMA free:0kB ",
                "Node 0 DMA32 free:0kB ",
                " pages RAM",
                " pages reserved",
                "Out of memory and no killable processes...",
            ],
            "System is deadlocked on memory",
        ),
    ),
    case(
        "SLEEPING_ALLOCATION",
        GoesOn(&[
            "BUG: sleeping function called from invalid context at ",
            "in_atomic(): 0, irqs_disabled(): 1, non_block: 0, pid: 1, name: swapper/0",
            "preempt_count: 1, expected: 1",
            "incipit_lkdtm::pages::sleeping_allocation+",
        ]),
    ),
    case(
        "MEMBLOCK_LATE",
        GoesOn(&[
            CUT_HERE,
            "drivers/lkdtm/src/pages.rs:",
            "memblock is asked for memory that the page allocator has",
            "incipit_lkdtm::pages::memblock_late+",
            "incipit_lkdtm::trigger::lkdtm_module_init+",
            END_TRACE,
        ]),
    ),
];

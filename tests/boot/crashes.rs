//! Every exception raised on purpose, and every way to misuse memory: the report, or the survival, that Linux has for it.
//!
//! The driver `lkdtm` holds the crash points; a test here takes the list from the kernel itself, so that a point without an expectation is noticed.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;

/// What must come of a crash point.
enum Outcome {
    /// A report that is an oops: lines in this order, and the function that it names.
    Oops(&'static [&'static str], &'static str),
    /// The same, with the lines of a page fault: how the address line begins, what was tried, the error code, and why it failed.
    PageFault(&'static str, &'static str, u16, &'static str, &'static str),
    /// A panic with this line.
    Panic(&'static str),
    /// The boot goes on, and this is said.
    Survived(&'static str),
}

use Outcome::{Oops, PageFault, Panic, Survived};

const NULL: &str = "BUG: kernel NULL pointer dereference, address: 0000000000000000";
const ANY: &str = "BUG: unable to handle page fault for address: ";
const UNMAPPED: &str = "BUG: unable to handle page fault for address: ffff887ffffff000";
const ABSENT: &str = "not-present page";
const FORBIDDEN: &str = "permissions violation";

const EXPECTED: &[(&str, Outcome)] = &[
    ("PANIC", Panic("Kernel panic - not syncing: dumptest")),
    (
        "BUG",
        Panic("Kernel panic - not syncing: internal error: entered unreachable code: dumptest"),
    ),
    ("WARNING", Survived("WARNING: CPU: 0 PID: 1 at drivers/lkdtm/src/bugs.rs:")),
    ("WARNING_MESSAGE", Survived("Warning message trigger count: 1")),
    (
        "EXCEPTION",
        PageFault(NULL, "supervisor write access", 0x2, ABSENT, "bugs::exception"),
    ),
    (
        "ARRAY_BOUNDS",
        Panic("Kernel panic - not syncing: index out of bounds: the len is 8 but the index is 8"),
    ),
    ("EXHAUST_STACK", Oops(&["stack guard page: 0000 [#1]"], "stack::recursive_loop")),
    (
        "STACK_GUARD_PAGE_LEADING",
        Oops(&["stack guard page: 0000 [#1]"], "stack::stack_guard_page_leading"),
    ),
    (
        "WRITE_RO",
        PageFault(ANY, "supervisor write access", 0x3, FORBIDDEN, "perms::write_ro"),
    ),
    (
        "WRITE_KERN",
        PageFault(ANY, "supervisor write access", 0x3, FORBIDDEN, "perms::write_kern"),
    ),
    ("EXEC_DATA", PageFault(ANY, "supervisor instruction fetch", 0x11, FORBIDDEN, "")),
    ("EXEC_STACK", PageFault(ANY, "supervisor instruction fetch", 0x11, FORBIDDEN, "")),
    ("EXEC_KMALLOC", PageFault(ANY, "supervisor instruction fetch", 0x11, FORBIDDEN, "")),
    ("EXEC_RODATA", PageFault(ANY, "supervisor instruction fetch", 0x11, FORBIDDEN, "")),
    ("EXEC_NULL", PageFault(NULL, "supervisor instruction fetch", 0x10, ABSENT, "")),
    (
        "ACCESS_NULL",
        PageFault(NULL, "supervisor read access", 0x0, ABSENT, "perms::access_null"),
    ),
    ("DIVIDE_ERROR", Oops(&["divide error: 0000 [#1]"], "instructions::divide_error")),
    (
        "DEBUG_STEP",
        Survived("WARNING: CPU: 0 PID: 1 at kernel/src/arch/x86/traps/debug.rs:"),
    ),
    ("DEBUG_DATA", Survived("")),
    ("DEBUG_SOFTWARE", Survived("")),
    ("NMI", Survived("Dazed and confused, but trying to continue")),
    ("BREAKPOINT", Oops(&["int3: 0000 [#1]"], "instructions::breakpoint")),
    ("OVERFLOW", Oops(&["overflow: 0000 [#1]"], "instructions::overflow")),
    ("BOUNDS", Oops(&["bounds: 0000 [#1]"], "instructions::bounds")),
    (
        "INVALID_OPCODE",
        Oops(&["invalid opcode: 0000 [#1]"], "instructions::invalid_opcode"),
    ),
    ("DEVICE_NOT_AVAILABLE", Survived("WARNING: CPU: 0 PID: 1 at ")),
    (
        "DEVICE_EMULATED",
        Oops(&["unexpected #NM exception: 0000 [#1]"], "fpu::device_emulated"),
    ),
    (
        "DOUBLE_FAULT",
        Oops(
            &["PANIC: double fault, error_code: 0x0", "double fault: 0000 [#1]"],
            "stack::double_fault",
        ),
    ),
    (
        "COPROC_OVERRUN",
        Oops(&["coprocessor segment overrun: 0000 [#1]"], "instructions::coproc_overrun"),
    ),
    // The error code is the selector that the processor could not use: the TSS's, the spare one, one behind the table.
    ("INVALID_TSS", Oops(&["invalid TSS: 0040 [#1]"], "descriptors::invalid_tss")),
    (
        "SEGMENT_NOT_PRESENT",
        Oops(&["segment not present: 0078 [#1]"], "descriptors::segment_not_present"),
    ),
    ("STACK_SEGMENT", Oops(&["stack segment: 0078 [#1]"], "descriptors::stack_segment")),
    (
        "GENERAL_PROTECTION",
        Oops(
            &["general protection fault, probably for non-canonical address 0x8000000000000000: 0000 [#1]"],
            "instructions::general_protection",
        ),
    ),
    (
        "GENERAL_PROTECTION_MSR",
        Oops(&["general protection fault: 0000 [#1]"], "instructions::general_protection_msr"),
    ),
    (
        "GENERAL_PROTECTION_SELECTOR",
        Oops(
            &["segment-related general protection fault: fff8 [#1]"],
            "descriptors::general_protection_selector",
        ),
    ),
    (
        "PAGE_FAULT_READ",
        PageFault(UNMAPPED, "supervisor read access", 0x0, ABSENT, "instructions::page_fault_read"),
    ),
    (
        "PAGE_FAULT_WRITE",
        PageFault(UNMAPPED, "supervisor write access", 0x2, ABSENT, "instructions::page_fault_write"),
    ),
    (
        "PAGE_FAULT_EXEC",
        PageFault(UNMAPPED, "supervisor instruction fetch", 0x10, ABSENT, ""),
    ),
    (
        "PAGE_FAULT_RESERVED",
        PageFault(
            ANY,
            "supervisor read access",
            0x9,
            "reserved bit violation",
            "instructions::page_fault_reserved",
        ),
    ),
    ("SPURIOUS", Survived("CPU 0: unexpected exception, vector 0x0f, ")),
    ("MATH", Oops(&["fpu exception: 0000 [#1]"], "fpu::math")),
    ("ALIGNMENT", Oops(&["alignment check: 0000 [#1]"], "gate::alignment")),
    ("SIMD", Oops(&["simd exception: 0000 [#1]"], "fpu::simd")),
    ("VIRTUALIZATION", Survived("CPU 0: unexpected exception, vector 0x14, ")),
    (
        "CONTROL_PROTECTION",
        Survived("CPU 0: unexpected exception, vector 0x15, error code 0x0001, "),
    ),
    ("RESERVED_22", Survived("CPU 0: unexpected exception, vector 0x16, ")),
    ("RESERVED_23", Survived("CPU 0: unexpected exception, vector 0x17, ")),
    ("RESERVED_24", Survived("CPU 0: unexpected exception, vector 0x18, ")),
    ("RESERVED_25", Survived("CPU 0: unexpected exception, vector 0x19, ")),
    ("RESERVED_26", Survived("CPU 0: unexpected exception, vector 0x1a, ")),
    ("RESERVED_27", Survived("CPU 0: unexpected exception, vector 0x1b, ")),
    ("HV_INJECTION", Survived("CPU 0: unexpected exception, vector 0x1c, ")),
    (
        "VMM_COMMUNICATION",
        Survived("CPU 0: unexpected exception, vector 0x1d, error code 0x0072, "),
    ),
    (
        "SECURITY",
        Survived("CPU 0: unexpected exception, vector 0x1e, error code 0x0001, "),
    ),
    ("RESERVED_31", Survived("CPU 0: unexpected exception, vector 0x1f, ")),
    ("UNEXPECTED_INTERRUPT", Survived("0.239 No irq handler for vector")),
    ("UNALIGNED_LOAD_STORE_WRITE", Survived("")),
];

/// The crash point that waits for a machine check from outside.
const MACHINE_CHECK: &str = "MACHINE_CHECK";

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = EXPECTED
        .iter()
        .map(|(name, outcome)| trial(format!("crashes::{name}"), move || check(outcome, name, &machine(name).run()?)))
        .collect();
    trials.extend([
        trial("crashes::MACHINE_CHECK", machine_check),
        trial("crashes::every_crash_point_has_an_expectation", every_point),
        trial("crashes::an_oops_is_a_panic_if_the_command_line_says_so", || {
            let log = machine("DIVIDE_ERROR").append("oops=panic").run()?;
            log.require(&[
                "divide error: 0000 [#1]",
                "---[ end trace 0000000000000000 ]---",
                "Kernel panic - not syncing: Fatal exception",
            ])
        }),
        trial("crashes::a_warning_is_a_panic_if_the_command_line_says_so", || {
            machine("WARNING")
                .append("panic_on_warn")
                .run()?
                .require(&["Kernel panic - not syncing: kernel: panic_on_warn set ..."])
        }),
        trial("crashes::an_oops_taints_what_follows", || {
            machine("DIVIDE_ERROR").append("oops=panic").run()?.require_mention("Not tainted")
        }),
        trial("crashes::a_panic_is_shown_though_the_log_is_quiet", || {
            machine("DIVIDE_ERROR")
                .append("quiet")
                .run()?
                .require(&["divide error: 0000 [#1]", "Modules linked in:"])
        }),
        trial("crashes::an_nmi_from_outside_is_survived", nmi_from_outside),
        trial("crashes::the_code_line_marks_the_instruction", || {
            // ud2
            machine("INVALID_OPCODE").run()?.require_mention(" <0f> 0b ")
        }),
    ]);
    trials
}

fn machine(point: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux()).append(&format!("lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type={point}"))
}

fn check(outcome: &Outcome, point: &str, log: &Log) -> Result<()> {
    log.require_mention(&format!("lkdtm: Performing direct entry {point}: "))?;
    match outcome {
        Oops(lines, function) => {
            log.require(lines)?;
            require_report(log, function)
        }
        PageFault(address, access, code, why, function) => {
            if code & 0x11 == 0x11 {
                log.require(&["kernel tried to execute NX-protected page - exploit attempt? (uid: 0)"])?;
            }
            log.require_mention(address)?;
            let lines = [
                format!("#PF: {access} in kernel mode"),
                format!("#PF: error_code({code:#06x}) - {why}"),
                format!("Oops: {code:04x} [#1]"),
            ];
            log.require(&lines.iter().map(String::as_str).collect::<Vec<_>>())?;
            require_report(log, function)
        }
        Panic(line) => {
            log.require(&[line])?;
            log.require_mention("During: initcall lkdtm_module_init (drivers/lkdtm/src/trigger.rs:")?;
            log.require_mention("Call Trace:")?;
            log.refuse("lkdtm: FAIL")
        }
        Survived(line) => {
            log.require_mention(line)?;
            log.require(&[&format!("lkdtm: {point} is over, and the boot goes on")])?;
            require_end(log)
        }
    }
}

/// Fails unless the log has the report of an oops in `function`, as tools read it, and the panic behind it.
fn require_report(log: &Log, function: &str) -> Result<()> {
    let Some(rip) = log.lines().find_map(|line| line.strip_prefix("RIP: 0010:")) else {
        bail!("no RIP line; the log ends:\n{}", log.tail());
    };
    ensure!(
        function.is_empty() || rip.contains(&format!("::{function}+0x")),
        "the report names {rip} and not {function}"
    );
    let code = log.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap_or_default();
    let bytes: Vec<_> = code.split(' ').collect();
    let plain = bytes.len() == 64 && bytes[42].starts_with('<') && bytes[42].ends_with('>');
    ensure!(
        plain || code.starts_with("Unable to access opcode bytes at 0x"),
        "the code line is `{code}`"
    );
    for part in [
        "CPU: 0 PID: 1 Comm: swapper",
        "During: initcall lkdtm_module_init (drivers/lkdtm/src/trigger.rs:",
        "RAX: ",
        "CR2: ",
        "Call Trace:",
    ] {
        log.require_mention(part)?;
    }
    log.require(&["---[ end trace 0000000000000000 ]---"])?;
    log.require_mention("Kernel panic - not syncing: ")?;
    log.refuse("lkdtm: FAIL")?;
    log.refuse("Run /init as init process")
}

/// The kernel names its crash points when it is asked for one that does not exist.
fn every_point() -> Result<()> {
    let log = machine("NO_SUCH_POINT").run()?;
    log.require(&["lkdtm: Unknown crashtype 'NO_SUCH_POINT'"])?;
    let list = log
        .lines()
        .find_map(|line| line.strip_prefix("lkdtm: The crash types are "))
        .unwrap_or_default();
    let known: BTreeSet<_> = list.split(' ').collect();
    let expected: BTreeSet<_> = EXPECTED.iter().map(|(name, _)| *name).chain([MACHINE_CHECK]).collect();
    ensure!(known == expected, "the kernel has {known:?}, expected are {expected:?}");
    require_end(&log)
}

/// An uncorrected error that the processor cannot go on from, injected by the emulator.
fn machine_check() -> Result<()> {
    let mut guest = machine(MACHINE_CHECK).monitored().start()?;
    guest.wait_for("ms for a machine check")?;
    guest.monitor()?.human("mce 0 0 0xb200000000000000 4 0 0")?;
    let log = guest.wait_for_end()?;
    log.require_mention("mce: [Hardware Error]: CPU 0: Machine Check Exception: 4 Bank 0: b200000000000000")?;
    log.require(&["Kernel panic - not syncing: Machine check"])
}

/// The emulator's monitor raises an NMI while the kernel's own waits for a line.
fn nmi_from_outside() -> Result<()> {
    let mut guest = Machine::new(&Build::ours().vmlinux()).append("kdb").monitored().start()?;
    guest.wait_for("kdb> ")?;
    guest.monitor()?.human("nmi")?;
    guest.wait_for("Dazed and confused, but trying to continue")?;
    guest.send(b"go\r")?;
    require_end(&guest.wait_for_end()?)
}

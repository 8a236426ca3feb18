//! Floating-point and vector registers: nobody has saved what is in them, so no code touches them but the room that gives them out, and what tests it.

use std::collections::BTreeSet;
use std::process::Command;

use incipit_tests::built::Build;

/// Whose functions may: the room of the unit, its test at boot, and the crash points about it.
const ROOMS: [&str; 4] = [
    "incipit::arch::x86::fpu::",
    "incipit::arch::x86::cpu::check_bugs::",
    "incipit_lkdtm::fpu::",
    "incipit_lkdtm::tests::",
];

/// Instructions about the registers as a whole, that name none.
const WHOLE: [&str; 8] = [
    "ldmxcsr",
    "stmxcsr",
    "vldmxcsr",
    "vstmxcsr",
    "emms",
    "vzeroupper",
    "vzeroall",
    "femms",
];

/// The functions of the image's code that use such a register, as the disassembler shows them.
fn users(listing: &str) -> BTreeSet<&str> {
    let mut function = "";
    let mut users = BTreeSet::new();
    for line in listing.lines() {
        if let Some(name) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
            function = name.1;
        } else if line.split_once(":\t").is_some_and(|(_, instruction)| is_simd(instruction)) {
            users.insert(function);
        }
    }
    users
}

/// Whether an instruction, in AT&T's syntax, is one of x87, MMX, SSE or AVX.
fn is_simd(instruction: &str) -> bool {
    let (mnemonic, operands) = instruction.split_once(char::is_whitespace).unwrap_or((instruction, ""));
    // All of x87 and nothing else begins with an f; the saving ones are named like what they save.
    let is_whole =
        mnemonic.starts_with('f') || mnemonic.starts_with("xsave") || mnemonic.starts_with("xrstor") || WHOLE.contains(&mnemonic);
    is_whole || operands.split('%').skip(1).any(is_register)
}

/// Whether what stands behind a `%` begins with the name of such a register.
fn is_register(text: &str) -> bool {
    let name = text
        .split(|character: char| !character.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    let kind = name.trim_end_matches(|character: char| character.is_ascii_digit());
    matches!(kind, "xmm" | "ymm" | "zmm" | "mm" | "st") || (kind == "k" && name.len() > 1)
}

#[test]
fn nobody_but_the_fpu_room_touches_the_vector_registers() {
    let sections = ["-j", ".text", "-j", ".init.text"];
    let mut disassembler = Command::new("objdump");
    disassembler
        .args(["-d", "-C", "--no-show-raw-insn"])
        .args(sections)
        .arg(Build::ours().vmlinux());
    let output = disassembler.output().expect("objdump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8_lossy(&output.stdout);
    let users = users(&listing);
    let is_allowed = |name: &&&str| ROOMS.iter().any(|room| name.trim_start_matches('<').starts_with(room));
    assert!(
        users.iter().any(|name| is_allowed(&name)),
        "the listing shows no use at all, so it shows nothing"
    );
    let strangers: Vec<_> = users.iter().filter(|name| !is_allowed(name)).collect();
    assert!(strangers.is_empty(), "these use them without being known to: {strangers:#?}");
}

#[test]
fn instructions_are_told_apart_by_their_registers() {
    for instruction in [
        "fninit",
        "fwait",
        "fldcw  (%rax)",
        "movaps %xmm0,0x10(%rsp)",
        "vmovdqu (%rdi),%ymm15",
        "vpxord %zmm1,%zmm1,%zmm1",
        "kmovq  %k1,%rax",
        "movq   %mm0,%rax",
        "xsavec (%rdi)",
        "ldmxcsr -0x4(%rbp)",
    ] {
        assert!(is_simd(instruction), "{instruction}");
    }
    for instruction in [
        "mov    %rax,%rbx",
        "mov    %fs:0x0,%rax",
        "call   ffffffff80100000 <incipit::mm::k1>",
        "rep movsb %ds:(%rsi),%es:(%rdi)",
        "xsetbv",
        "nop",
    ] {
        assert!(!is_simd(instruction), "{instruction}");
    }
}

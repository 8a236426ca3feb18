//! Just enough of the instruction format (SDM 2, 2.1 and 2.2) to say which address an instruction accesses.
//!
//! For the report of a general protection fault, which the processor does not give an address with. Instructions are read as data and may be anything.

use crate::arch::x86::ptregs::PtRegs;
use crate::prelude::*;

/// The longest instruction in bytes.
pub const MAX_LENGTH: usize = 15;

/// The address of the memory operand of the instruction that `bytes` begin with, with the registers as they are.
///
/// `None` if it has none or if this decoder does not know it: it knows the ModR/M forms of the one-byte and `0f` opcode maps and the string instructions, but
/// no operand relative to RIP, which is the one kind that cannot be a bad address.
#[must_use]
pub fn memory_operand(bytes: &[u8], regs: &PtRegs) -> Option<u64> {
    let mut bytes = bytes.iter().copied().peekable();
    while bytes
        .next_if(|byte| matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x66 | 0xf0 | 0xf2 | 0xf3))
        .is_some()
    {}
    let rex = bytes.next_if(|byte| byte & 0xf0 == 0x40).unwrap_or(0);
    let opcode = bytes.next()?;
    let has_mod_rm = match opcode {
        // String instructions address by RDI, or by RSI if they only load.
        0xa4..=0xa7 | 0xaa | 0xab | 0xae | 0xaf => return Some(regs.di),
        0xac | 0xad => return Some(regs.si),
        // Moves, conditional moves, `setcc`, bit tests, shifts, `cmpxchg`, `movzx` and the like.
        0x0f => matches!(
            bytes.next()?,
            0x10..=0x17 | 0x28..=0x2f | 0x40..=0x4f | 0x6e | 0x6f | 0x7e | 0x7f | 0x90..=0x9f | 0xa3..=0xa5 | 0xab..=0xc1 | 0xc3 | 0xc7
        ),
        0x00..=0x3f => opcode & 7 < 4,
        0x63 | 0x69 | 0x6b | 0x80 | 0x81 | 0x83..=0x8f | 0xc0 | 0xc1 | 0xc6 | 0xc7 | 0xd0..=0xd3 | 0xf6 | 0xf7 | 0xfe | 0xff => true,
        _ => false,
    };
    if has_mod_rm { mod_rm(bytes, rex, regs) } else { None }
}

/// Reads a ModR/M byte and what follows it, and adds up the address it means.
fn mod_rm(mut bytes: impl Iterator<Item = u8>, rex: u8, regs: &PtRegs) -> Option<u64> {
    let byte = bytes.next()?;
    let (mode, rm) = (byte >> 6, byte & 7);
    let (index_high, base_high) = ((rex & 2) << 2, (rex & 1) << 3);
    if mode == 3 || (mode == 0 && rm == 5) {
        return None;
    }
    let mut base = rm | base_high;
    let mut address = 0;
    let mut baseless = false;
    if rm == 4 {
        let sib = bytes.next()?;
        let index = (sib >> 3 & 7) | index_high;
        if index != 4 {
            address = regs.gp(index) << (sib >> 6);
        }
        base = (sib & 7) | base_high;
        baseless = mode == 0 && sib & 7 == 5;
    }
    if !baseless {
        address = regs.gp(base).wrapping_add(address);
    }
    let displacement = match mode {
        1 => signed(&mut bytes, 1)?,
        0 if !baseless => 0,
        _ => signed(&mut bytes, 4)?,
    };
    Some(address.wrapping_add(displacement))
}

/// The next `count` bytes as a signed integer, lowest byte first.
fn signed(bytes: &mut impl Iterator<Item = u8>, count: u32) -> Option<u64> {
    let mut value = 0;
    for index in 0..count {
        value |= u64::from(bytes.next()?) << (8 * index);
    }
    let unused = 64 - 8 * count;
    Some(((value << unused) as i64 >> unused) as u64)
}

#[ktest]
fn operands_of_every_addressing_form_are_added_up() {
    let regs = PtRegs {
        ax: 0x1000,
        bx: 0x20,
        cx: 0x300,
        si: 0x4_0000,
        di: 0x50_0000,
        r12: 0x600_0000,
        r13: 0x7000_0000,
        ..PtRegs::default()
    };
    let cases: [(&[u8], Option<u64>); 15] = [
        (&[0x8b, 0x00], Some(0x1000)),                                              // mov eax, [rax]
        (&[0x48, 0x8b, 0x43, 0xf8], Some(0x18)),                                    // mov rax, [rbx - 8]
        (&[0x48, 0x89, 0x81, 0x00, 0x01, 0x00, 0x00], Some(0x400)),                 // mov [rcx + 0x100], rax
        (&[0x48, 0x8b, 0x04, 0xcb], Some(0x20 + 0x300 * 8)),                        // mov rax, [rbx + rcx*8]
        (&[0x49, 0x8b, 0x04, 0x24], Some(0x600_0000)),                              // mov rax, [r12]
        (&[0x49, 0x8b, 0x45, 0x00], Some(0x7000_0000)),                             // mov rax, [r13]
        (&[0x4a, 0x8b, 0x04, 0x20], Some(0x600_1000)),                              // mov rax, [rax + r12]
        (&[0x8b, 0x04, 0x25, 0x00, 0x00, 0x00, 0x80], Some(0xffff_ffff_8000_0000)), // mov eax, [0xffffffff80000000]
        (&[0xf0, 0x0f, 0xb1, 0x0f], Some(0x50_0000)),                               // lock cmpxchg [rdi], ecx
        (&[0xf3, 0xa4], Some(0x50_0000)),                                           // rep movsb
        (&[0xac], Some(0x4_0000)),                                                  // lodsb
        (&[0x8b, 0x05, 1, 2, 3, 4], None),                                          // mov eax, [rip + …]
        (&[0x48, 0x89, 0xd8], None),                                                // mov rax, rbx
        (&[0x0f, 0x32], None),                                                      // rdmsr
        (&[0xcc], None),                                                            // int3
    ];
    for (bytes, expected) in cases {
        assert_eq!(memory_operand(bytes, &regs), expected, "{bytes:02x?}");
    }
}

#[ktest]
fn an_instruction_that_breaks_off_has_no_operand() {
    let whole = [0x66, 0x48, 0x8b, 0x84, 0xcb, 0x78, 0x56, 0x34, 0x12];
    let regs = PtRegs::default();
    assert_eq!(memory_operand(&whole, &regs), Some(0x1234_5678));
    for length in 0..whole.len() {
        assert_eq!(memory_operand(&whole[..length], &regs), None, "{length} bytes");
    }
    assert_eq!(memory_operand(&[0x66; MAX_LENGTH], &regs), None);
}

//! Tests of the same exceptions with an entry in the exception table, where each is an error and the boot goes on; and of the list of crash points.

use core::arch::asm;
use core::cell::UnsafeCell;

use incipit::arch::x86::cpu::boot_cpu;
use incipit::arch::x86::maccess::{PartialCopy, copy_from_kernel_nofault};
use incipit::arch::x86::mm::pgtable::{Entry, Flags};
use incipit::arch::x86::mm::set_memory;
use incipit::arch::x86::msr;
use incipit::arch::x86::registers::{cr0, write_cr0};
use incipit::mm::{PAGE_SIZE, sections};
use incipit::prelude::*;

use crate::crashpoints::{CRASHPOINTS, find};
use crate::descriptors::{self, NO_SELECTOR, SPARE_SELECTOR};
use crate::fpu;
use crate::instructions::{BAD_PKRS, IA32_PKRS, NOT_CANONICAL, UNMAPPED};
use crate::trigger::POINTS_OF_A_LINE;
use crate::trigger::chosen;
use crate::window::Window;

/// Turns the outcome of an access into a result.
fn outcome<T>(value: T, error: i32) -> Result<T, Errno> {
    Errno::from_code(-error).map_or(Ok(value), Err)
}

#[exception_entry]
fn read(address: usize) -> Result<u64, Errno> {
    let (value, error): (u64, i32);
    // SAFETY: reads memory, or faults and goes on.
    unsafe {
        asm!(may_fault!("mov rax, [rsi]"), in("rsi") address, out("rax") value, error = out("r8d") error, options(nostack, readonly))
    };
    outcome(value, error)
}

/// Writes where writing has no effect that anybody sees: the tests name addresses that cannot be written, or their own.
#[exception_entry]
fn write(address: usize, value: u64) -> Result<(), Errno> {
    let error: i32;
    // SAFETY: as above.
    unsafe { asm!(may_fault!("mov [rdi], rax"), in("rdi") address, in("rax") value, error = out("r8d") error, options(nostack)) };
    outcome((), error)
}

#[exception_entry]
fn divide(dividend: u64, divisor: u64) -> Result<u64, Errno> {
    let (quotient, error): (u64, i32);
    // SAFETY: computes, or faults and goes on.
    unsafe {
        asm!(may_fault!("div rcx", error = EDOM), in("rcx") divisor, inout("rax") dividend => quotient, inout("rdx") 0_u64 => _, error = out("r8d") error,
            options(nomem, nostack));
    }
    outcome(quotient, error)
}

#[exception_entry]
fn undefined_instruction() -> Result<(), Errno> {
    let error: i32;
    // SAFETY: faults and goes on.
    unsafe { asm!(may_fault!("ud2", error = ENOSYS), error = out("r8d") error, options(nomem, nostack)) };
    outcome((), error)
}

#[exception_entry]
fn reset_fpu() -> Result<(), Errno> {
    let error: i32;
    // SAFETY: resets a state that nobody uses, or faults and goes on.
    unsafe { asm!(may_fault!("fninit", error = ENODEV), error = out("r8d") error, options(nomem, nostack)) };
    outcome((), error)
}

/// Divides one by `divisor` in the x87 unit with its errors unmasked.
#[exception_entry]
fn divide_in_fpu(divisor: i32) -> Result<(), Errno> {
    let error: i32;
    // SAFETY: uses a state that nobody else uses, and leaves it fresh; may fault and go on.
    unsafe {
        asm!("fninit", "fldcw word ptr [rsi]", "fld1", "fidiv dword ptr [rdi]", may_fault!("fwait", error = EDOM), "fninit",
            in("rsi") &fpu::X87_DIVISION_UNMASKED, in("rdi") &divisor, error = out("r8d") error, options(nostack, readonly));
    }
    outcome((), error)
}

/// Raises an exception with a stack of its own.
#[exception_entry]
fn switch_stack() -> Result<(), Errno> {
    let error: i32;
    // SAFETY: a debug exception without a cause is survived; another is one that goes on behind the instruction.
    unsafe { asm!(may_fault!("int 1", error = EBADSLT), error = out("r8d") error) };
    outcome((), error)
}

#[exception_entry]
fn load_es(selector: u16) -> Result<(), Errno> {
    let error: i32;
    // SAFETY: in 64-bit mode the segment means nothing; may fault and go on.
    unsafe {
        asm!(may_fault!("mov es, eax", error = ENOENT), in("eax") u32::from(selector), error = out("r8d") error, options(nomem, nostack))
    };
    outcome((), error)
}

#[exception_entry]
fn load_ss(selector: u16) -> Result<(), Errno> {
    let error: i32;
    // SAFETY: the tests name segments that do not exist: faults and goes on.
    unsafe {
        asm!(may_fault!("mov ss, eax", error = ENOENT), in("eax") u32::from(selector), error = out("r8d") error, options(nomem, nostack))
    };
    outcome((), error)
}

/// Writes a register that the tests give no effect.
#[exception_entry]
fn write_msr(msr: u32, value: u64) -> Result<(), Errno> {
    let error: i32;
    // SAFETY: faults and goes on, or leaves the register as it is.
    unsafe {
        asm!(may_fault!("wrmsr", error = ENXIO), in("ecx") msr, in("eax") value as u32, in("edx") (value >> 32) as u32,
            error = out("r8d") error, options(nostack));
    }
    outcome((), error)
}

/// Two pages, the second of which can be taken away.
#[repr(C, align(4096))]
struct Pages(UnsafeCell<[[u8; PAGE_SIZE]; 2]>);

// SAFETY: only the tests use it, one after the other, and not through references.
unsafe impl Sync for Pages {}

static PAGES: Pages = Pages(UnsafeCell::new([[0x5a; PAGE_SIZE]; 2]));

/// Calls `test` with the border between a page that is there and one that is not.
fn with_a_hole(test: impl FnOnce(usize)) {
    let border = PAGES.0.get().addr() + PAGE_SIZE;
    assert_eq!(set_memory::set_memory_np(border, 1), Ok(()));
    test(border);
    assert_eq!(set_memory::set_memory_p(border, 1), Ok(()));
}

#[ktest]
fn reading_where_nothing_is_mapped_is_an_error() {
    for address in [0, 1, 0xfff, UNMAPPED, UNMAPPED + 0xff9, usize::MAX - 7, usize::MAX] {
        assert_eq!(read(address), Err(Errno::EFAULT), "{address:#x}");
    }
}

#[ktest]
fn writing_where_nothing_is_mapped_is_an_error() {
    for address in [0, 1, 0xfff, UNMAPPED, UNMAPPED + 0xff9, usize::MAX - 7, usize::MAX] {
        assert_eq!(write(address, 0), Err(Errno::EFAULT), "{address:#x}");
    }
}

#[ktest]
fn an_address_that_is_not_canonical_is_an_error() {
    for address in [NOT_CANONICAL, 0x0000_8000_0000_0000, 0x7fff_ffff_ffff_ffff, 0xffff_7fff_ffff_ffff] {
        assert_eq!(read(address), Err(Errno::EFAULT), "{address:#x}");
        assert_eq!(write(address, 0), Err(Errno::EFAULT), "{address:#x}");
    }
}

#[ktest]
fn what_can_be_accessed_is_accessed_without_an_error() {
    let mut word = 0x1122_3344_5566_7788_u64;
    let address = (&raw mut word).addr();
    assert_eq!(read(address), Ok(0x1122_3344_5566_7788));
    assert_eq!(write(address, 42), Ok(()));
    assert_eq!(read(address), Ok(42));
}

#[ktest]
fn code_and_constants_can_be_read_and_not_written() {
    for address in [
        sections::text().start_address(),
        sections::rodata().start_address(),
        sections::init_text().start_address(),
    ] {
        let before = read(address);
        assert!(before.is_ok(), "{address:#x}");
        assert_eq!(write(address, 0), Err(Errno::EFAULT), "{address:#x}");
        assert_eq!(read(address), before, "{address:#x}");
    }
}

#[ktest]
fn an_access_that_reaches_into_a_hole_fails_whole() {
    with_a_hole(|border| {
        for inside in 1..8 {
            assert_eq!(read(border - inside), Err(Errno::EFAULT), "{inside} bytes in front of the hole");
            assert_eq!(write(border - inside, 0), Err(Errno::EFAULT), "{inside} bytes in front of the hole");
        }
        assert_eq!(read(border - 8), Ok(0x5a5a_5a5a_5a5a_5a5a));
        assert_eq!(read(border), Err(Errno::EFAULT));
    });
}

#[ktest]
fn a_copy_stops_exactly_where_a_hole_begins() {
    with_a_hole(|border| {
        for inside in 0..24 {
            let mut bytes = [0; 24];
            let expected = PartialCopy {
                error: Errno::EFAULT,
                copied: inside,
            };
            assert_eq!(copy_from_kernel_nofault(&mut bytes, (border - inside) as *const u8), Err(expected));
            assert!(
                bytes[..inside].iter().all(|&byte| byte == 0x5a) && bytes[inside..].iter().all(|&byte| byte == 0),
                "{inside}: {bytes:x?}"
            );
        }
    });
}

#[ktest]
fn a_reserved_bit_in_a_page_table_is_an_error_while_it_is_there() {
    if boot_cpu().phys_bits >= 52 {
        return;
    }
    let window = Window::open(Entry::new(1 << 51, Flags::READ_ONLY)).expect("the window is closed");
    let address = window.address();
    assert_eq!(read(address), Err(Errno::EFAULT));
    assert!(Window::open(Entry::new(0, Flags::READ_ONLY)).is_none());
    drop(window);
    assert_eq!(read(address), Ok(0));
}

#[ktest]
fn a_division_that_has_no_result_is_an_error() {
    assert_eq!(divide(42, 5), Ok(8));
    assert_eq!(divide(42, 0), Err(Errno::EDOM));
    assert_eq!(divide(u64::MAX, 1), Ok(u64::MAX));
}

#[ktest]
fn an_undefined_instruction_is_an_error() {
    assert_eq!(undefined_instruction(), Err(Errno::ENOSYS));
}

#[ktest]
fn an_fpu_that_is_switched_off_is_an_error() {
    let before = cr0();
    // SAFETY: the bits concern floating point alone, which nothing else uses.
    unsafe { write_cr0((before | fpu::EM) & !fpu::TS) };
    assert_eq!(reset_fpu(), Err(Errno::ENODEV));
    // SAFETY: as above.
    unsafe { write_cr0(before & !(fpu::EM | fpu::TS)) };
    assert_eq!(reset_fpu(), Ok(()));
    // SAFETY: the value of before.
    unsafe { write_cr0(before) };
}

#[ktest]
fn an_x87_error_is_an_error_where_it_is_noticed() {
    let before = cr0();
    // SAFETY: the bits concern floating point alone, which nothing else uses.
    unsafe { write_cr0((before | fpu::NE | fpu::MP) & !(fpu::EM | fpu::TS)) };
    assert_eq!(divide_in_fpu(3), Ok(()));
    assert_eq!(divide_in_fpu(0), Err(Errno::EDOM));
    assert_eq!(divide_in_fpu(4), Ok(()));
    // SAFETY: the value of before.
    unsafe { write_cr0(before) };
}

#[ktest]
fn a_stack_behind_the_end_of_the_tss_is_an_error() {
    assert_eq!(switch_stack(), Ok(()));
    let limit = descriptors::cut_tss();
    let cut = switch_stack();
    descriptors::set_tss_limit(limit);
    assert_eq!(cut, Err(Errno::EBADSLT));
    assert_eq!(switch_stack(), Ok(()));
}

#[ktest]
fn a_segment_that_is_not_present_is_an_error() {
    descriptors::prepare_not_present();
    assert_eq!(load_es(SPARE_SELECTOR), Err(Errno::ENOENT));
    assert_eq!(load_ss(SPARE_SELECTOR), Err(Errno::ENOENT));
}

#[ktest]
fn a_selector_behind_the_end_of_the_table_is_an_error() {
    assert_eq!(load_es(NO_SELECTOR), Err(Errno::ENOENT));
    assert_eq!(load_ss(NO_SELECTOR), Err(Errno::ENOENT));
    assert_eq!(load_es(incipit::arch::x86::segment::KERNEL_DS), Ok(()));
}

#[ktest]
fn a_value_that_a_model_specific_register_does_not_take_is_an_error() {
    assert_eq!(write_msr(IA32_PKRS, BAD_PKRS), Err(Errno::ENXIO));
    let before = msr::rdmsr(msr::IA32_KERNEL_GS_BASE);
    assert_eq!(write_msr(msr::IA32_KERNEL_GS_BASE, before), Ok(()));
}

#[ktest]
fn crash_points_have_names_of_their_own_that_fit_a_line() {
    for (index, point) in CRASHPOINTS.iter().enumerate() {
        assert!(
            point
                .name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'),
            "{}",
            point.name
        );
        assert!(
            find(point.name.as_bytes()).is_some_and(|found| core::ptr::eq(found, &raw const CRASHPOINTS[index])),
            "{}",
            point.name
        );
    }
    for points in CRASHPOINTS.chunks(POINTS_OF_A_LINE) {
        let length: usize = points.iter().map(|point| point.name.len() + 1).sum();
        assert!(length < 950, "{length} bytes of names");
    }
}

#[ktest]
fn a_crash_point_is_chosen_only_by_both_parameters() {
    let name = |result: Result<Option<&'static crate::crashpoints::Crashpoint>, Errno>| result.map(|point| point.map(|point| point.name));
    assert_eq!(name(chosen(None, None)), Ok(None));
    assert_eq!(name(chosen(Some(b"DIRECT"), Some(b"PANIC"))), Ok(Some("PANIC")));
    for (place, kind) in [
        (Some(&b"DIRECT"[..]), None),
        (None, Some(&b"PANIC"[..])),
        (Some(b"DIRECT"), Some(b"\xff\x00\x1b[2J")),
        (Some(b"direct"), Some(b"PANIC")),
        (Some(b"INT_HARDWARE_ENTRY"), Some(b"PANIC")),
    ] {
        assert_eq!(name(chosen(place, kind)), Err(Errno::EINVAL), "{place:?} {kind:?}");
    }
}

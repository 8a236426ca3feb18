//! Entries of the exception table: how many, says the package's name. Looks each of them up, and as many addresses between them, and faults.

#![no_std]

use core::arch::global_asm;

use incipit::arch::x86::extable::search_exception_tables;
use incipit::arch::x86::maccess::get_kernel_nofault;
use incipit::prelude::*;
use incipit_bench_meter::{count_in, measure};

/// How many instructions that may fault this crate adds.
const COUNT: usize = count_in(env!("CARGO_PKG_NAME"));

/// Bytes from one of them to the next. They spread over the text as those of a kernel do: a megabyte has 900, and with 100,000 they are everywhere.
const STRIDE: usize = if COUNT < 10_000 { 1024 } else { 64 };

/// An address in the hole before the space of vmalloc, where nothing is ever mapped.
const UNMAPPED: usize = 0xffff_c8ff_ffff_f000;

/// How many faults are raised for one figure.
const FAULTS: usize = 1000;

global_asm!(
    ".pushsection .text.bench_loads, \"ax\", @progbits",
    "bench_loads:",
    ".rept {count}",
    "771: mov rax, qword ptr [rdi]",
    "772: .fill {stride} - (772b - 771b), 1, 0xcc",
    ".pushsection __ex_table, \"a\", @progbits",
    ".balign 4",
    ".long 771b - .",
    ".long 772b - .",
    ".long {fixup_only}",
    ".popsection",
    ".endr",
    "ret",
    ".popsection",
    count = const COUNT,
    stride = const STRIDE,
    fixup_only = const 1, // EX_TYPE_DEFAULT
);

// SAFETY: the assembly above defines it; nothing calls it.
unsafe extern "C" {
    /// The loads. They are never run: what is looked up is where they are.
    fn bench_loads();
}

#[initcall(late)]
fn bench_extable() -> Result<(), Errno> {
    let loads = bench_loads as *const () as usize;
    let hits = (0..COUNT).map(|index| loads + index * STRIDE);
    let misses = (0..COUNT).map(|index| loads + index * STRIDE + 1);
    let all_found = hits.clone().all(|ip| search_exception_tables(ip).is_some());
    let none_found = misses.clone().all(|ip| search_exception_tables(ip).is_none());
    let good = &raw const READABLE;
    if !all_found || !none_found || get_kernel_nofault(good).is_err() || get_kernel_nofault(UNMAPPED as *const u64).is_ok() {
        return Err(Errno::EINVAL);
    }
    measure("extable/hit", hits, search_exception_tables);
    measure("extable/miss", misses, search_exception_tables);
    measure("extable/good", (0..FAULTS).map(|_| good.addr()), |address| {
        get_kernel_nofault(address as *const u64)
    });
    measure("extable/fault", (0..FAULTS).map(|_| UNMAPPED), |address| {
        get_kernel_nofault(address as *const u64)
    });
    Ok(())
}

/// Something that can be read.
static READABLE: u64 = 0;

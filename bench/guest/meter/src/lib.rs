//! What the benchmark's guests share: counting instructions, and telling the host how many it were.
//!
//! Under QEMU's `-icount shift=0` the time-stamp counter counts instructions, so two readings make a figure that is the same on every run. A figure leaves by
//! QEMU's debug port, a line each, `bench: NAME TOTAL` or `bench: NAME TOTAL/COUNT`: no driver, no console and no line of the log is part of what is measured.

#![no_std]

use core::arch::asm;
use core::fmt::{self, Display, Write};
use core::hint::black_box;

use incipit::arch::x86::tsc::rdtsc;

/// Port of QEMU's `isa-debugcon`.
const DEBUGCON: u16 = 0xe9;

/// How often a measurement is repeated. The least counts: the first pass may still set something up.
const PASSES: usize = 5;

/// The debug port as something to write text to.
struct Debugcon;

impl Write for Debugcon {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the port is QEMU's alone; where it is missing, nothing listens.
            unsafe { asm!("out dx, al", in("dx") DEBUGCON, in("al") byte, options(nomem, nostack, preserves_flags)) };
        }
        Ok(())
    }
}

/// Tells the host a figure. `name` must be without blanks.
pub fn report(name: impl Display, value: u64) {
    // The port takes everything.
    let _ = writeln!(Debugcon, "bench: {name} {value}");
}

/// Measures `operation` on every one of `items` and tells the host: the instructions of all calls together, without those of the loop, and how many calls.
///
/// The call itself is part of it, as for any caller that the compiler does not see through.
pub fn measure<T: Copy, R>(name: impl Display, items: impl Iterator<Item = T> + Clone, operation: fn(T) -> R) {
    let operation = black_box(operation);
    let loop_alone = instructions(|| {
        for item in items.clone() {
            black_box(item);
        }
    });
    let whole = instructions(|| {
        for item in items.clone() {
            black_box(operation(black_box(item)));
        }
    });
    let count = items.count();
    // The port takes everything.
    let _ = writeln!(Debugcon, "bench: {name} {}/{count}", whole.saturating_sub(loop_alone));
}

/// Measures `operation`, the same `count` times, and tells the host. It is part of the loop, as in a caller that knows what it asks for: sizes and flags are constants.
pub fn measure_loop(name: impl Display, count: usize, operation: impl Fn() -> bool) {
    let loop_alone = instructions(|| {
        for number in 0..count {
            black_box(number);
        }
    });
    let whole = instructions(|| {
        for number in 0..count {
            black_box(number);
            black_box(operation());
        }
    });
    // The port takes everything.
    let _ = writeln!(Debugcon, "bench: {name} {}/{count}", whole.saturating_sub(loop_alone));
}

/// Measures `part`, the same `count` times, and tells the host; `rest`, which comes behind each, is not in it. For what leaves something to be done by others, who get no turn in
/// `part`.
pub fn measure_part(name: impl Display, count: usize, part: impl Fn() -> bool, rest: impl Fn() -> bool) {
    let alone = || {
        let start = rdtsc();
        let took = black_box(rdtsc()) - start;
        black_box(rest());
        took
    };
    let with_part = || {
        let start = rdtsc();
        black_box(part());
        let took = black_box(rdtsc()) - start;
        black_box(rest());
        took
    };
    let total = |turn: &dyn Fn() -> u64| (0..PASSES).map(|_| (0..count).map(|_| turn()).sum::<u64>()).min().unwrap_or_default();
    // The port takes everything.
    let _ = writeln!(Debugcon, "bench: {name} {}/{count}", total(&with_part).saturating_sub(total(&alone)));
}

/// Measures one `operation` on each of `items`, which must not be repeated: a tree grows by it. Says whether it said so of each that it was done.
pub fn measure_once<T>(name: impl Display, items: impl Iterator<Item = T> + Clone, mut operation: impl FnMut(T) -> bool) -> bool {
    let loop_alone = instructions(|| {
        for item in items.clone() {
            black_box(item);
        }
    });
    let count = items.clone().count();
    let mut done = true;
    let start = rdtsc();
    for item in items {
        done &= operation(black_box(item));
    }
    let whole = rdtsc() - start;
    // The port takes everything.
    let _ = writeln!(Debugcon, "bench: {name} {}/{count}", whole.saturating_sub(loop_alone));
    done
}

/// The instructions that `run` takes, at the least of some passes.
fn instructions(run: impl Fn()) -> u64 {
    let pass = || {
        let start = rdtsc();
        run();
        rdtsc() - start
    };
    (0..PASSES).map(|_| pass()).min().unwrap_or_default()
}

/// The number that a package's name ends in: `incipit-bench-params-200` has 200 of what it is about.
///
/// # Panics
///
/// At compile time, if the name does not end in a number.
#[must_use]
pub const fn count_in(package: &str) -> usize {
    let name = package.as_bytes();
    let (mut index, mut digits) = (name.len(), 0);
    while index > 0 && name[index - 1].is_ascii_digit() {
        index -= 1;
        digits += 1;
    }
    assert!(digits > 0, "the package's name must end in a number");
    let mut count = 0;
    while index < name.len() {
        count = count * 10 + (name[index] - b'0') as usize;
        index += 1;
    }
    count
}

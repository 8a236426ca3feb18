//! What is said of a block, in Linux's form.

use core::fmt::{self, Write};

use super::object::{Flags, Object};
use super::scan::is_leak;
use super::table::TABLE;
use crate::arch::x86::maccess::copy_from_kernel_nofault;
use crate::panic::Symbol;
use crate::time::sched_clock;
use crate::time::timer::HZ;

/// Bytes of a block that are shown, in lines of so many.
const SHOWN: usize = 2 * ROW;
const ROW: usize = 16;

/// Where Linux begins to count ticks: five minutes before 2^32.
const INITIAL_JIFFIES: u64 = (1 << 32) - 300 * HZ;

fn jiffies(ns: u64) -> u64 {
    INITIAL_JIFFIES + ns / (1_000_000_000 / HZ)
}

/// Writes all leaks that were found: Linux's `/sys/kernel/debug/kmemleak`.
///
/// # Errors
///
/// That of `out`.
pub(super) fn leaks(out: &mut dyn Write) -> fmt::Result {
    let now = sched_clock();
    let table = TABLE.lock();
    let found = table.iter().filter(|object| object.has(Flags::REPORTED) && is_leak(object, now));
    found.into_iter().try_for_each(|object| unreferenced(object, now, out))
}

fn unreferenced(object: &Object, now: u64, out: &mut dyn Write) -> fmt::Result {
    let facts = object.facts.get();
    let age = now.saturating_sub(facts.born_ns) / 1_000_000;
    writeln!(out, "unreferenced object {:#010x} (size {}):", facts.pointer, facts.size)?;
    writeln!(
        out,
        "  comm \"{}\", pid {}, jiffies {} (age {}.{:03}s)",
        facts.comm,
        facts.pid,
        jiffies(facts.born_ns),
        age / 1000,
        age % 1000
    )?;
    hex_dump(facts.pointer, facts.size, out)?;
    backtrace(object, out)
}

fn hex_dump(start: usize, size: usize, out: &mut dyn Write) -> fmt::Result {
    let size = size.min(SHOWN);
    writeln!(out, "  hex dump (first {size} bytes):")?;
    for offset in (0..size).step_by(ROW) {
        let mut row = [0; ROW];
        let row = &mut row[..ROW.min(size - offset)];
        if copy_from_kernel_nofault(row, (start + offset) as *const u8).is_err() {
            return writeln!(out, "    (not to be read)");
        }
        out.write_str("    ")?;
        row.iter().try_for_each(|byte| write!(out, "{byte:02x} "))?;
        (row.len()..ROW).try_for_each(|_| out.write_str("   "))?;
        out.write_str(" ")?;
        let printable = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
        row.iter().try_for_each(|byte| out.write_char(printable(byte)))?;
        writeln!(out)?;
    }
    Ok(())
}

fn backtrace(object: &Object, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "  backtrace:")?;
    let addresses = object.facts.get().trace.into_iter().flat_map(|trace| trace.addresses());
    addresses
        .into_iter()
        .try_for_each(|address| writeln!(out, "    [<{address:016x}>] {}", Symbol(address)))
}

/// Writes all that is known of the block that an address lies in: Linux's `dump=`.
///
/// # Errors
///
/// That of `out`.
pub(super) fn dump(address: usize, out: &mut dyn Write) -> fmt::Result {
    let table = TABLE.lock();
    let Some(object) = table.containing(address) else {
        return writeln!(out, "kmemleak: Unknown object at {address:#010x}");
    };
    let facts = object.facts.get();
    writeln!(out, "Object {:#010x} (size {}):", facts.pointer, facts.size)?;
    writeln!(
        out,
        "  comm \"{}\", pid {}, jiffies {}",
        facts.comm,
        facts.pid,
        jiffies(facts.born_ns)
    )?;
    writeln!(out, "  min_count = {}", object.min_count.get())?;
    writeln!(out, "  count = {}", object.count.get())?;
    writeln!(out, "  flags = {:#x}", object.flags.get().bits() | 1)?;
    writeln!(out, "  checksum = {}", object.checksum.get())?;
    backtrace(object, out)
}

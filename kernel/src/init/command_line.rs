//! The command line and its copies.
//!
//! What the boot loader gave stays untouched (`/proc/cmdline` shows it); each parse works on a copy of its own, which stays, too, because handlers keep
//! pieces of it.

use incipit_lib::text::Lossy;
use spin::Once;

use crate::arch::x86::setup;
use crate::mm::slab::KVec;
use crate::prelude::*;

/// The command line as the boot loader gave it.
static SAVED: Once<&'static [u8]> = Once::new();

/// The command line, untouched; empty until `setup_command_line`.
#[must_use]
pub fn saved_command_line() -> &'static [u8] {
    SAVED.get().copied().unwrap_or_default()
}

/// Moves the command line from where the boot loader put it to memory of its own.
#[init]
#[stage(after(crate::arch::x86::setup::setup_arch))]
pub fn setup_command_line() {
    SAVED.call_once(|| copy_of(setup::boot_command_line()));
}

/// Logs the command line as it was given.
#[init]
#[stage(after(crate::arch::x86::segment::smp_prepare_boot_cpu))]
pub(crate) fn print_command_line() {
    pr_notice!("Kernel command line: {}", Lossy(saved_command_line()));
}

/// A copy of `line` for a parser to take apart. Memory for it is never given back.
///
/// Without memory the copy is empty and a line in the log says so: a kernel that boots with its defaults can still tell what is wrong.
#[init]
pub(super) fn copy_of(line: &[u8]) -> &'static mut [u8] {
    if line.is_empty() {
        return &mut [];
    }
    match KVec::collect(line.iter().copied()) {
        Ok(copy) => copy.leak(),
        Err(error) => {
            pr_err!("no memory for a command line of {} bytes ({error}): ignored", line.len());
            &mut []
        }
    }
}

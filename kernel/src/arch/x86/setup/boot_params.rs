//! What the boot loader handed over, copied to memory of the kernel's own before anything can overwrite it.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use incipit_lib::bootparam::BootParams;

use crate::arch::x86::maccess::copy_from_kernel_nofault;
use crate::arch::x86::{i8253, i8259, idt, segment, tsc};
use crate::mm::{PAGE_SIZE, phys_to_virt};
use crate::prelude::*;
use crate::time::clock;

/// The longest command line, its NUL included: as much as the set-up header promises (`cmdline_size`). Linux's `COMMAND_LINE_SIZE` is 2048.
pub const COMMAND_LINE_SIZE: usize = 1 << 16;

/// The words that the configuration puts before the boot loader's.
#[cfg(CONFIG_CMDLINE_BOOL)]
const BUILT_IN: &[u8] = crate::config::CONFIG_CMDLINE.as_bytes();
#[cfg(not(CONFIG_CMDLINE_BOOL))]
const BUILT_IN: &[u8] = &[];

/// Where the boot loader's begin. Linux leaves the space that parts the two even if nothing follows.
const BUILT_IN_END: usize = if BUILT_IN.is_empty() { 0 } else { BUILT_IN.len() + 1 };

const _: () = assert!(
    BUILT_IN_END < COMMAND_LINE_SIZE / 2,
    "CONFIG_CMDLINE leaves no room for the boot loader's words"
);

/// A static that [`set_boot_params`] fills and that nobody changes afterwards.
struct FilledOnce<T>(UnsafeCell<T>);

// SAFETY: written by `set_boot_params` alone, before there is anybody to read it.
unsafe impl<T: Sync> Sync for FilledOnce<T> {}

static BOOT_PARAMS: FilledOnce<BootParams> = FilledOnce(UnsafeCell::new(BootParams::zeroed()));
static COMMAND_LINE: FilledOnce<[u8; COMMAND_LINE_SIZE]> = FilledOnce(UnsafeCell::new([0; COMMAND_LINE_SIZE]));
static COMMAND_LINE_LENGTH: AtomicUsize = AtomicUsize::new(0);

/// The boot loader's parameters: the Linux boot protocol's `boot_params`.
#[must_use]
pub fn boot_params() -> &'static BootParams {
    // SAFETY: filled before anybody could ask, and unchanged since.
    unsafe { &*BOOT_PARAMS.0.get() }
}

/// The command line, without its NUL: the boot loader's, behind what the configuration has built in.
#[must_use]
pub fn boot_command_line() -> &'static [u8] {
    // SAFETY: as for `boot_params`.
    let line = unsafe { &*COMMAND_LINE.0.get() };
    &line[..COMMAND_LINE_LENGTH.load(Relaxed)]
}

/// The first thing that runs: makes the boot CPU survive faults, starts its clock, and takes over what the boot loader hands over at physical address `phys`
/// (Linux's `x86_64_start_kernel`).
///
/// Parameters that cannot be read, or a command line that cannot, are reported and taken for empty.
#[init]
pub fn set_boot_params(phys: u64) {
    clock::start(tsc::rdtsc());
    // SAFETY: the template of the per-CPU area lies in the image, and is used until the CPU has an area of its own. The table has the segment of the gates.
    unsafe {
        segment::load_direct_gdt();
        idt::idt_setup_early_handler();
    }
    i8259::mask_all();
    i8253::start();
    copy_boot_params(phys);
}

#[init]
fn copy_boot_params(phys: u64) {
    // SAFETY: called once, before anybody reads.
    let params = unsafe { &mut *BOOT_PARAMS.0.get() };
    if copy_from_kernel_nofault(params.as_bytes_mut(), phys_to_virt(phys)).is_err() {
        pr_err!("boot_params at {phys:#x} cannot be read: booting without");
        *params.as_bytes_mut() = [0; BootParams::SIZE];
    }
    params.sanitize();
    // SAFETY: as above.
    let line = unsafe { &mut *COMMAND_LINE.0.get() };
    let (built_in, line) = line.split_at_mut(BUILT_IN_END);
    if let Some((space, words)) = built_in.split_last_mut() {
        words.copy_from_slice(BUILT_IN);
        *space = b' ';
    }
    COMMAND_LINE_LENGTH.store(BUILT_IN_END, Relaxed);
    let line_phys = params.cmd_line_ptr();
    if line_phys == 0 || cfg!(CONFIG_CMDLINE_OVERRIDE) {
        return;
    }
    let (copied, length) = copy_line(line, line_phys);
    let kept = length.unwrap_or(copied.min(line.len() - 1));
    COMMAND_LINE_LENGTH.store(BUILT_IN_END + kept, Relaxed);
    if copied == 0 {
        pr_err!("the command line at {line_phys:#x} cannot be read: booting without");
    } else if length.is_none() {
        pr_warn!("the command line is longer than {} bytes: cut off", line.len() - 1);
    }
}

/// Copies the text at physical address `phys` to `line`, page by page because it may end just before memory does. Returns how many bytes were copied, and the
/// text's length if its end is among them.
#[init]
fn copy_line(line: &mut [u8], phys: u64) -> (usize, Option<usize>) {
    let mut copied = 0;
    while copied < line.len() {
        let from = phys + copied as u64;
        let in_page = PAGE_SIZE - from as usize % PAGE_SIZE;
        let end = line.len().min(copied + in_page);
        let piece = &mut line[copied..end];
        let (readable, whole) = match copy_from_kernel_nofault(piece, phys_to_virt(from)) {
            Ok(()) => (piece.len(), true),
            Err(partial) => (partial.copied, false),
        };
        if let Some(at) = piece[..readable].iter().position(|&byte| byte == 0) {
            return (copied + readable, Some(copied + at));
        }
        copied += readable;
        if !whole {
            break;
        }
    }
    (copied, None)
}

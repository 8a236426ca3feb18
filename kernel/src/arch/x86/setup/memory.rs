//! From the memory map to memblock: where RAM ends, what of it is taken already, and the rest to whoever asks.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit_lib::e820::E820Type;

use super::e820;
use crate::arch::x86::cpu::common::boot_cpu;
use crate::mm::{PAGE_SHIFT, address::DIRECT_MAP_SIZE, memblock, sections};
use crate::prelude::*;

/// The end of the addresses that both the direct map and this processor have room for.
#[init]
fn reach() -> u64 {
    DIRECT_MAP_SIZE.min(1 << boot_cpu().phys_bits)
}

/// Page frames that the kernel can address: Linux's `max_arch_pfn`.
const MAX_ARCH_PFN: u64 = DIRECT_MAP_SIZE >> PAGE_SHIFT;
const MIB: u64 = 1 << 20;

static MAX_PFN: AtomicU64 = AtomicU64::new(0);
static MAX_LOW_PFN: AtomicU64 = AtomicU64::new(0);

/// The page frame behind the last one of RAM.
#[must_use]
pub fn max_pfn() -> u64 {
    MAX_PFN.load(Relaxed)
}

/// The page frame behind the last one of RAM below 4 GiB.
#[must_use]
pub fn max_low_pfn() -> u64 {
    MAX_LOW_PFN.load(Relaxed)
}

/// The physical addresses of the image, with its zeroed data and its symbols: the first, and the one behind the last. Boot loaders may have put something of
/// their own right behind it.
#[init]
pub(super) fn kernel_range() -> (u64, u64) {
    let symbols = sections::kallsyms();
    (sections::image().phys(), symbols.phys() + symbols.len() as u64)
}

/// Keeps the image from being given away, but for its brk, of which [`reserve_brk`](crate::mm::brk::reserve_brk) knows what is used.
#[init]
pub(super) fn reserve_image() {
    let (start, end) = kernel_range();
    let brk = sections::brk().phys();
    let symbols = sections::kallsyms().phys();
    reserve(start, brk - start, "the kernel image");
    reserve(symbols, end - symbols, "the kernel's symbols");
}

/// Keeps the first MiB as it is: firmware uses it behind the map's back, and other CPUs start in it (Linux's `reserve_real_mode`).
#[init]
pub(super) fn reserve_low_memory() {
    #[cfg(CONFIG_SMP)]
    crate::arch::x86::smpboot::trampoline::choose();
    reserve(0, MIB, "low memory");
}

#[init]
fn reserve(base: u64, size: u64, what: &str) {
    if let Err(error) = memblock::reserve(base, size) {
        panic!("memblock: {what}, {size:#x} bytes at {base:#x}, cannot be reserved ({error})");
    }
}

/// Finds the end of RAM and says where it is, for all RAM and for that below 4 GiB.
#[init]
pub(super) fn find_end_of_ram() {
    let (all, low) = e820::with_table(|table| (table.end_of_ram_pfn(reach() >> PAGE_SHIFT), table.end_of_low_ram_pfn()));
    MAX_PFN.store(all, Relaxed);
    MAX_LOW_PFN.store(low, Relaxed);
    pr_info!("last_pfn = {all:#x} max_arch_pfn = {MAX_ARCH_PFN:#x}");
    if low != all {
        pr_info!("last_pfn = {low:#x} max_arch_pfn = {MAX_ARCH_PFN:#x}");
    }
}

/// Hands all RAM of the map to memblock, from which the rest of the boot allocates: Linux's `e820__memblock_setup`.
///
/// # Panics
///
/// If there is no RAM.
#[init]
pub(super) fn memblock_setup() {
    memblock::set_current_limit(super::EARLY_MAP_END);
    memblock::allow_resize();
    e820::with_table(|table| {
        let usable = |kind| matches!(kind, E820Type::RAM | E820Type::RESERVED_KERN);
        for entry in table.entries().iter().filter(|entry| usable(entry.kind)) {
            let size = entry.size.min(reach().saturating_sub(entry.addr));
            if size < entry.size {
                pr_warn!(
                    "memblock: of {entry} only what lies below {:#x} is used: no more can be addressed",
                    reach()
                );
            }
            if let Err(error) = memblock::add(entry.addr, size) {
                pr_err!("memblock: {entry} cannot be used ({error})");
            }
        }
    });
    memblock::trim();
    memblock::set_all_to_node_0();
    memblock::dump_all();
    assert!(memblock::memory().next().is_some(), "the memory map has no RAM");
}

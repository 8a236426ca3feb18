//! What becomes of the image's memory when the boot is done: init memory is taken away, so that whoever still refers to it is found out, and its pages are
//! memory like any other; then what is read only becomes so by every address.
//!
//! Everything between `__init_begin` and `__init_end` goes: code and data marked `#[init]` and `#[initdata]`, the tables whose lifetime is the boot, and the
//! template of the per-CPU data, of which each CPU has its copy by then. Who calls `free_initmem` must itself be code that stays, on a stack without return
//! addresses that do not. What may be used before that only says so by asking for an [`InitMemory`].

mod token;

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub use token::{InitMemory, with_init_memory};

use crate::arch::x86::mm::{checkwx, set_memory};
use crate::mm::page_alloc::free_reserved_area;
use crate::mm::sections::{self, Section};
use crate::mm::{PAGE_SIZE, phys_to_virt};
use crate::prelude::*;

/// What freed init memory is filled with: Linux's value, and the byte of `int3`.
pub const POISON_FREE_INITMEM: u8 = 0xcc;

/// Whether [`mark_rodata_ro`] does its work.
static RODATA_ENABLED: AtomicBool = AtomicBool::new(true);

/// `rodata=on|full|off`: whether the direct map's view of code and constants becomes read-only after the boot, as it does by default.
#[setup("rodata=")]
#[init]
fn set_debug_rodata(value: &'static str) -> SetupResult {
    match value {
        "on" | "full" => RODATA_ENABLED.store(true, Relaxed),
        "off" => RODATA_ENABLED.store(false, Relaxed),
        _ => pr_warn!("Invalid option string for rodata: '{value}' (on, off or full)"),
    }
    SetupResult::Consumed
}

/// Takes init memory away: Linux's function of the same name. From here on an access to it by its addresses faults, and its pages may be allocated.
pub(super) fn free_initmem() {
    let section = sections::init();
    match free(section) {
        Ok(()) => pr_info!("Freeing unused kernel image (initmem) memory: {}K", section.len() / 1024),
        Err(error) => pr_warn!("Freeing unused kernel image (initmem) memory failed: {error}"),
    }
}

/// Unmaps and poisons a section of whole pages, then gives the memory back. Each step is one pass over the pages, and nearly all that a page costs is to be filled
/// (`make bench` has the figure).
fn free(section: Section) -> Result<(), Errno> {
    sections::set_init_freed();
    set_memory::set_memory_np(section.start_address(), section.len() / PAGE_SIZE)?;
    // SAFETY: the section is RAM, so the direct map has it; by its own addresses nobody can use it any more, and nobody owns it by these.
    unsafe {
        free_reserved_area(
            section.phys(),
            section.phys() + section.len() as u64,
            Some(POISON_FREE_INITMEM),
            None,
        )
    };
    Ok(())
}

/// Makes code, constants and the symbol table read only in the direct map, too, as they are in the mapping of the image from its beginning; then holds the page
/// tables against what they are to be. Linux's function of the same name.
pub(super) fn mark_rodata_ro() {
    if !RODATA_ENABLED.load(Relaxed) {
        pr_info!("Kernel memory protection disabled.");
        return;
    }
    let core = Section::between(sections::text().start_address(), sections::rodata().end_address());
    pr_info!("Write protecting the kernel read-only data: {}k", core.len() >> 10);
    let read_only = [core, sections::kallsyms()].map(whole_pages);
    for section in read_only {
        let alias = phys_to_virt(section.phys()).addr();
        let result = set_memory::set_memory_ro(alias, section.len() / PAGE_SIZE);
        warn_on!(result.is_err(), "{section:x?} stays writable in the direct map");
    }
    if cfg!(CONFIG_DEBUG_WX) {
        checkwx::debug_checkwx(&read_only);
    }
}

/// The section without the page that it ends in the middle of: what follows there may be somebody's memory.
fn whole_pages(section: Section) -> Section {
    Section::between(section.start_address(), section.end_address() / PAGE_SIZE * PAGE_SIZE)
}

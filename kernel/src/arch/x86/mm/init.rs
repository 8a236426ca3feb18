//! The final page tables: Linux's `init_mem_mapping` and `paging_init` in one.

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit_lib::mem_range::{PageSize, split_mem_range};

use super::builder::{Mapping, PageTables};
use super::pgtable::{Flags, Level};
use super::{fixmap, set_memory, tlb};
use crate::arch::x86::cpu::features::{boot_cpu_has, feature};
use crate::arch::x86::registers::{self, Cr0, Cr4};
use crate::mm::sections::{self, Section};
use crate::mm::{PAGE_OFFSET, PAGE_SIZE, address::DIRECT_MAP_SIZE, brk, memblock, phys_to_virt};
use crate::prelude::*;

/// The end of what is mapped whether or not it is RAM: firmware tables and the text screen lie there (Linux's `ISA_END_ADDRESS`).
const ISA_END: u64 = 0x10_0000;

/// Physical address of the final top table: Linux's `init_mm.pgd`.
static INIT_PGD: AtomicU64 = AtomicU64::new(0);

/// The physical address of the top table that all CPUs start with; 0 before [`init_mem_mapping`].
#[must_use]
pub fn init_pgd() -> u64 {
    INIT_PGD.load(Relaxed)
}

/// Builds the final page tables and switches to them: all RAM in the direct map, the image with the permissions of its sections, nothing in the lower half.
///
/// Until now memory came from the first 4 GiB, which the early tables map; from here on it may come from anywhere.
///
/// # Panics
///
/// Without memory for the tables the boot cannot go on.
#[init]
pub fn init_mem_mapping() {
    let tables = match build() {
        Ok(tables) => tables,
        Err(error) => panic!("init_mem_mapping: cannot build the page tables ({error})"),
    };
    // SAFETY: the tables map the image, with the stack and the descriptor tables in it, at its addresses, and all memory in use in the direct map.
    unsafe {
        registers::write_cr3(tables.pgd());
        if boot_cpu_has(feature::PGE) {
            registers::write_cr4(registers::cr4() | Cr4::PGE.bits());
        }
        registers::write_cr0(registers::cr0() | Cr0::WP.bits());
    }
    tlb::flush_all();
    INIT_PGD.store(tables.pgd(), Relaxed);
    memblock::set_current_limit(DIRECT_MAP_SIZE);
    let guard = sections::boot_stack().start_address() - PAGE_SIZE;
    if let Err(error) = set_memory::set_memory_np(guard, 1) {
        pr_warn!("the boot stack has no guard page ({error})");
    }
    pr_debug!("init_mem_mapping: {} pages of tables", tables.pages());
}

#[init]
fn build() -> Result<PageTables, Errno> {
    let mut tables = PageTables::new()?;
    map_ram(&mut tables)?;
    tables.forbid_execution(PAGE_OFFSET..PAGE_OFFSET + DIRECT_MAP_SIZE as usize);
    map_image(&mut tables)?;
    tables.link(fixmap::start(), &fixmap::LEVEL2_FIXMAP_PGT)?;
    Ok(tables)
}

/// Maps the first MiB and all RAM in the direct map.
#[init]
fn map_ram(tables: &mut PageTables) -> Result<(), Errno> {
    let gigabytes = boot_cpu_has(feature::GBPAGES);
    if gigabytes {
        pr_info!("Using GB pages for direct mapping");
    }
    #[cfg(CONFIG_DEBUG_PAGEALLOC)]
    let small = crate::mm::debug_pagealloc::debug_pagealloc_requested();
    #[cfg(not(CONFIG_DEBUG_PAGEALLOC))]
    let small = false;
    let largest = match (small, gigabytes) {
        (true, _) => PageSize::Small,
        (false, true) => PageSize::Huge,
        (false, false) => PageSize::Large,
    };
    init_memory_mapping(tables, 0..ISA_END, largest)?;
    let page = PAGE_SIZE as u64;
    for region in memblock::memory() {
        // Parts of pages at either end are left out, as the page allocator will.
        let start = region.base.next_multiple_of(page).max(ISA_END);
        let end = region.end().min(DIRECT_MAP_SIZE) / page * page;
        if start < end {
            init_memory_mapping(tables, start..end, largest)?;
        }
    }
    Ok(())
}

/// Maps a range of physical memory in the direct map, and says by which pages: Linux's function of the same name.
#[init]
fn init_memory_mapping(tables: &mut PageTables, range: Range<u64>, largest: PageSize) -> Result<(), Errno> {
    pr_debug!("init_memory_mapping: [mem {:#010x}-{:#010x}]", range.start, range.end - 1);
    for (part, size) in split_mem_range(range, largest) {
        pr_debug!(" [mem {:#010x}-{:#010x}] page {size}", part.start, part.end - 1);
        tables.map(Mapping {
            virt: phys_to_virt(part.start).addr(),
            phys: part.start,
            size: (part.end - part.start) as usize,
            flags: Flags::READ_WRITE,
            largest: match size {
                PageSize::Small => Level::Pte,
                PageSize::Large => Level::Pmd,
                PageSize::Huge => Level::Pud,
            },
        })?;
    }
    Ok(())
}

/// Maps the image page by page. What no section claims is not mapped.
#[init]
fn map_image(tables: &mut PageTables) -> Result<(), Errno> {
    let init_data = Section::between(sections::init_rodata().end_address(), sections::init().end_address());
    // What of the brk was not taken is memory like any other by now.
    let data = Section::between(sections::data().start_address(), brk::taken().end_address());
    let parts = [
        (sections::text(), Flags::READ_EXECUTE),
        (sections::rodata(), Flags::READ_ONLY),
        (sections::init_text(), Flags::READ_EXECUTE),
        (sections::init_rodata(), Flags::READ_ONLY),
        (init_data, Flags::READ_WRITE),
        (data, Flags::READ_WRITE),
        (sections::kallsyms(), Flags::READ_ONLY),
    ];
    for (section, flags) in parts {
        let size = section.len().next_multiple_of(PAGE_SIZE);
        tables.map(Mapping {
            virt: section.start_address(),
            phys: section.phys(),
            size,
            flags,
            largest: Level::Pte,
        })?;
    }
    Ok(())
}

mod tests;

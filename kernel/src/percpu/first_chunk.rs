//! The first chunk: the copies of the template, with room behind them, in memory of the CPUs' nodes: in the direct map, as Linux's `pcpu_embed_first_chunk` has it, or in
//! single pages that an area of `vmalloc` makes contiguous.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::percpu::layout::{Layout, Sizes};
use incipit_lib::percpu::map::{Map, words_for};

use super::chunks::{self, Words};
use super::{CPU_NUMBER, PER_CPU_OFFSET, THIS_CPU_OFF, smp_processor_id};
use crate::arch::x86::cpu::masks::{self, NR_CPUS};
use crate::arch::x86::mm::kernel_map;
use crate::arch::x86::mm::pgtable::{Flags, Level};
use crate::arch::x86::msr;
use crate::mm::sections::{self, Section};
use crate::mm::{PAGE_SIZE, memblock, numa, phys_to_virt, vmalloc};
use crate::prelude::*;

/// Room kept in each unit for the per-CPU data of loadable code: Linux's `PERCPU_MODULE_RESERVE`.
const RESERVED_SIZE: usize = 8 << 10;
/// Room kept in each unit for allocations at run time: Linux's `PERCPU_DYNAMIC_RESERVE`.
const DYNAMIC_SIZE: usize = 28 << 10;
/// What is allocated is a multiple of this, so that the direct map has it in large pages.
const ATOM_SIZE: usize = if cfg!(CONFIG_SMP) { Level::Pmd.size() } else { PAGE_SIZE };

/// `percpu_alloc=page`: units are of single pages.
static PAGE: AtomicBool = AtomicBool::new(false);

/// `percpu_alloc=embed|page`: `embed` has the first chunk in the direct map, in large pages, which is the default; `page` in an area of small pages. Others are named and change
/// nothing.
#[early_param("percpu_alloc")]
#[init]
fn percpu_alloc(value: Option<&'static str>) -> Result<(), Errno> {
    match value.ok_or(Errno::EINVAL)? {
        "embed" => PAGE.store(false, Relaxed),
        "page" => PAGE.store(true, Relaxed),
        other => pr_warn!("percpu: unknown allocator {other} specified, not embed or page"),
    }
    Ok(())
}

/// Lays out, allocates and fills the units, makes the boot CPU use its own, and lets the rest of them be allocated.
#[init]
pub(super) fn set_up() {
    let template = sections::percpu();
    pr_info!(
        "setup_percpu: NR_CPUS:{} nr_cpumask_bits:{} nr_cpu_ids:{} nr_node_ids:{}",
        NR_CPUS,
        NR_CPUS,
        masks::nr_cpu_ids(),
        numa::nr_node_ids()
    );
    let layout = if PAGE.load(Relaxed) {
        page(template)
    } else {
        embed(template, ATOM_SIZE).or_else(|error| {
            pr_warn!("setup_percpu: embed allocator failed ({error}), falling back to page size");
            page(template)
        })
    };
    let layout = layout.unwrap_or_else(|error| panic!("cannot initialize percpu area of {} CPUs ({error})", masks::POSSIBLE.weight()));
    // SAFETY: the distance leads to a complete copy of the template, which stays.
    unsafe { msr::wrmsr(msr::IA32_GS_BASE, PER_CPU_OFFSET[smp_processor_id()].load(Relaxed) as u64) };
    for line in layout.lines() {
        pr_debug!("{line}");
    }
    if let Err(error) = open(template, layout.sizes) {
        panic!("percpu: no memory for the map of the first chunk ({error})");
    }
}

/// Whether two CPUs may share an allocation: they are in one node.
fn are_near(one: usize, other: usize) -> bool {
    numa::node_distance(numa::cpu_to_node(one), numa::cpu_to_node(other)) == numa::LOCAL_DISTANCE
}

/// Allocates the groups in multiples of `atom` and fills their units. What a unit does not need is given back.
#[init]
fn embed(template: Section, atom: usize) -> Result<Layout<NR_CPUS>, Errno> {
    let sizes = Sizes {
        fixed: template.len(),
        reserved: RESERVED_SIZE,
        dynamic: DYNAMIC_SIZE,
    };
    let layout: Layout<NR_CPUS> = Layout::new(sizes, atom, masks::POSSIBLE.iter(), are_near);
    let needed = layout.sizes.sum() as u64;
    let unit_size = layout.unit_size as u64;
    let mut groups = [0; NR_CPUS];
    for group in 0..layout.groups() {
        let size = layout.units(group) as u64 * unit_size;
        let nid = layout.cpus(group).next().map_or(0, numa::cpu_to_node);
        groups[group] = match memblock::alloc_node(size, atom as u64, nid) {
            Ok(place) => place.0,
            Err(error) => {
                give_back(&layout, &groups[..group]);
                return Err(error);
            }
        };
    }
    for (group, &start) in groups.iter().enumerate().take(layout.groups()) {
        let mut cpus = layout.cpus(group);
        for unit in (start..).step_by(layout.unit_size).take(layout.units(group)) {
            let used = match cpus.next() {
                Some(cpu) => {
                    fill(template, cpu, phys_to_virt(unit), needed as usize);
                    #[cfg(CONFIG_DEBUG_KMEMLEAK)]
                    crate::kmemleak::root(phys_to_virt(unit), needed as usize);
                    needed
                }
                None => 0,
            };
            // What the list of reservations has no slot for stays reserved.
            let _ = memblock::free(unit + used, unit_size - used);
        }
    }
    let sizes = layout.sizes;
    pr_info!(
        "percpu: Embedded {} pages/cpu s{} r{} d{} u{}",
        sizes.sum() / PAGE_SIZE,
        sizes.fixed,
        sizes.reserved,
        sizes.dynamic,
        layout.unit_size
    );
    Ok(layout)
}

/// Makes the units of single pages, each from its CPU's node, in an area of `vmalloc`: Linux's `pcpu_page_first_chunk`.
///
/// # Errors
///
/// `ENOMEM`, which ends the boot: nothing is given back.
#[init]
fn page(template: Section) -> Result<Layout<NR_CPUS>, Errno> {
    let sizes = Sizes {
        fixed: template.len(),
        reserved: RESERVED_SIZE,
        dynamic: 0,
    };
    let layout: Layout<NR_CPUS> = Layout::new(sizes, PAGE_SIZE, masks::POSSIBLE.iter(), |_, _| true);
    let unit_size = layout.unit_size;
    let base = vmalloc::register_early(layout.units(0) * unit_size)?;
    for (cpu, unit) in layout.cpus(0).zip((base..).step_by(unit_size)) {
        for address in (unit..unit + unit_size).step_by(PAGE_SIZE) {
            let page = memblock::alloc_node(PAGE_SIZE as u64, PAGE_SIZE as u64, numa::cpu_to_node(cpu))?;
            // SAFETY: the addresses are this chunk's, where nothing is mapped yet, and the page was just allocated.
            let mapped = unsafe { kernel_map::map_pages(address, core::iter::once(page.0), Flags::READ_WRITE) };
            if mapped == 0 {
                return Err(Errno::ENOMEM);
            }
        }
        let unit = core::ptr::with_exposed_provenance_mut(unit);
        fill(template, cpu, unit, unit_size);
        #[cfg(CONFIG_DEBUG_KMEMLEAK)]
        crate::kmemleak::root(unit, unit_size);
    }
    let sizes = layout.sizes;
    pr_info!(
        "percpu: {} 4K pages/cpu s{} r{} d{}",
        unit_size / PAGE_SIZE,
        sizes.fixed,
        sizes.reserved,
        sizes.dynamic
    );
    Ok(layout)
}

/// Gives back the groups that begin at `groups`.
#[init]
fn give_back(layout: &Layout<NR_CPUS>, groups: &[u64]) {
    for (group, &start) in groups.iter().enumerate() {
        let freed = memblock::free(start, (layout.units(group) * layout.unit_size) as u64);
        debug_assert!(freed.is_ok(), "the group is a reservation of its own");
    }
}

/// Makes `unit`, of `size` bytes, the copy of `cpu`.
#[init]
fn fill(template: Section, cpu: usize, unit: *mut u8, size: usize) {
    let fixed = template.len();
    // SAFETY: the unit was just allocated with `size` bytes, not less than the template's, and the two do not overlap. Copying the boot CPU's live values is
    // meant: what it counted so far goes on in its own copy, and the others start from a state with preemption off, as this one does.
    unsafe {
        unit.copy_from_nonoverlapping(template.as_ptr(), fixed);
        unit.add(fixed).write_bytes(0, size - fixed);
    }
    let offset = unit.expose_provenance().wrapping_sub(template.start_address());
    PER_CPU_OFFSET[cpu].store(offset, Relaxed);
    // SAFETY: both lie in the copy just made, at the same distance as the template's.
    unsafe {
        (*THIS_CPU_OFF.per_cpu_ptr(cpu)).store(offset, Relaxed);
        (*CPU_NUMBER.per_cpu_ptr(cpu)).store(cpu as u32, Relaxed);
    }
}

/// Lets the room behind the template's copies be allocated.
#[init]
fn open(template: Section, sizes: Sizes) -> Result<(), Errno> {
    let region = sizes.fixed + sizes.reserved..sizes.sum();
    let pages = (words_for(region.len()) * size_of::<u64>()).next_multiple_of(PAGE_SIZE);
    let words = phys_to_virt(memblock::alloc(pages as u64, PAGE_SIZE as u64)?.0).cast::<u64>();
    // SAFETY: fresh memory that the direct map has, whole pages; any bytes are numbers.
    let words = unsafe { core::slice::from_raw_parts_mut(words, pages / size_of::<u64>()) };
    chunks::add_first(template.start_address(), Map::new(Words::Boot(words), region))
}

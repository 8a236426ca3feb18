//! Nodes as the ACPI tables describe them: SRAT says who belongs to which, SLIT how far they are from each other.

#![expect(
    clippy::disallowed_types,
    reason = "lists too large for the stack, which nodes and zones cannot be made without"
)]

use alloc::boxed::Box;

use incipit_lib::acpi::SratEntry;
use incipit_lib::numa::{Affinity, AffinityLine, NodesError};
use spin::Once;

use super::{Physical, check};
use crate::mm::numa::{self, MAX_NUMNODES};
use crate::mm::{memblock, sections};
use crate::prelude::*;

/// What the SRAT says, kept for the processors.
#[initdata]
static AFFINITY: Once<Box<Affinity>> = Once::new();

/// The nodes of the tables; `None` if there are none.
///
/// # Errors
///
/// If the SRAT contradicts itself or leaves memory out.
#[init]
pub(super) fn nodes() -> Result<Option<Physical>, NodesError> {
    let Some(srat) = crate::acpi::srat() else { return Ok(None) };
    let mut affinity = Box::<Affinity>::default();
    if !affinity.read(&srat, MAX_NUMNODES, say)? {
        pr_err!("ACPI: SRAT: SRAT not used.");
        return Ok(None);
    }
    check(affinity.blocks_mut())?;
    let blocks = Box::new(affinity.blocks().clone());
    set_distances(&affinity);
    mark_hotplug(&affinity);
    AFFINITY.call_once(|| affinity);
    Ok(Some(Physical {
        blocks,
        processors: Some(node_of_processor),
    }))
}

#[init]
fn say(line: AffinityLine) {
    match line {
        AffinityLine::Processor { .. } | AffinityLine::Memory { .. } => pr_info!("{line}"),
        AffinityLine::Invalid { .. } | AffinityLine::Damaged(_) => pr_warn!("{line}"),
        AffinityLine::TooManyDomains(_) => pr_err!("{line}"),
    }
}

/// Takes the distances over: Linux's `acpi_numa_slit_init`.
#[init]
fn set_distances(affinity: &Affinity) {
    let Some(slit) = crate::acpi::slit() else { return };
    let Ok(slit) = slit.inspect_err(|error| pr_info!("ACPI: SLIT table looks invalid. Not used. ({error})")) else {
        return;
    };
    let known = |domain: usize| u32::try_from(domain).ok().and_then(|domain| affinity.node_of(domain));
    for from in 0..slit.count() {
        let Some(here) = known(from) else { continue };
        for to in 0..slit.count() {
            if let (Some(there), Some(distance)) = (known(to), slit.distance(from, to)) {
                numa::set_distance(here, there, distance);
            }
        }
    }
}

/// Notes which memory can be unplugged. That of the kernel's own node cannot, whatever the table says.
#[init]
fn mark_hotplug(affinity: &Affinity) {
    let Some(srat) = crate::acpi::srat() else { return };
    let image = sections::image().phys();
    let own = affinity
        .blocks()
        .as_slice()
        .iter()
        .find(|block| block.range.contains(&image))
        .map(|block| block.nid);
    for memory in srat.memory().filter(|memory| memory.hotplug) {
        let Some(range) = memory.range().filter(|_| affinity.node_of(memory.domain) != own) else {
            continue;
        };
        if let Err(error) = memblock::mark_hotplug(range.start, range.end - range.start) {
            pr_warn!(
                "ACPI: SRAT: memory at {:#x} cannot be marked as hotpluggable ({error})",
                range.start
            );
        }
    }
}

/// The node of the processor with an APIC id.
#[init]
fn node_of_processor(wanted: u32) -> Option<usize> {
    let affinity = AFFINITY.get()?;
    crate::acpi::srat()?.entries().find_map(|entry| match entry {
        Ok(SratEntry::Processor { domain, apic_id }) if apic_id == wanted => affinity.node_of(domain),
        _ => None,
    })
}

//! Finding the nodes: from the firmware's tables, or one for all, or some that the command line makes up.
//!
//! The rules are [`incipit_lib::numa`]'s. What comes of it is kept in [`crate::mm::numa`] and in memblock. A description that cannot be true leaves one node, with a line that says why.

#![expect(
    clippy::disallowed_types,
    reason = "lists too large for the stack, which nodes and zones cannot be made without"
)]

#[cfg(CONFIG_ACPI)]
mod srat;

use alloc::boxed::Box;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::numa::{Block, Blocks, Emulation, FakeNodes, NodesError};

use crate::arch::x86::{setup, smpboot};
use crate::locking::SpinLock;
use crate::mm::numa::{self, MAX_NUMNODES};
use crate::mm::slab::KVec;
use crate::mm::{PAGE_SHIFT, memblock};
use crate::prelude::*;

/// `numa=off`: one node, whatever firmware says.
static OFF: AtomicBool = AtomicBool::new(false);
/// `numa=noacpi`: the tables are not looked at.
static NOACPI: AtomicBool = AtomicBool::new(false);
/// `numa=fake=`.
static FAKE: SpinLock<Option<Emulation>> = SpinLock::new(None);

/// Where nodes come from, before the command line makes others. The lists are too large for the stack.
struct Physical {
    blocks: Box<Blocks>,
    /// The node of a processor, by its APIC id; `None` where nothing is known of processors.
    processors: Option<fn(u32) -> Option<usize>>,
}

/// `numa=off`: one node, whatever the firmware's tables say; so does `noacpi`. `fake=4`: four nodes, `fake=512M`: nodes of that size, `fake=2U`: two in each that there is.
#[early_param("numa")]
#[init]
fn numa_setup(value: Option<&'static str>) -> Result<(), Errno> {
    match value.ok_or(Errno::EINVAL)? {
        "off" => OFF.store(true, Relaxed),
        "noacpi" => NOACPI.store(true, Relaxed),
        // There is no HMAT to leave alone.
        "nohmat" => {}
        value => {
            let fake = value.strip_prefix("fake=").ok_or(Errno::EINVAL)?;
            let wanted = Emulation::parse(fake.as_bytes()).map_err(|error| {
                pr_warn!("{error}");
                Errno::EINVAL
            })?;
            *FAKE.lock() = Some(wanted);
        }
    }
    Ok(())
}

/// Finds out which memory and which processors are near each other: Linux's stage of the same name, and its `init_cpu_to_node`.
#[stage(
    after(smpboot::prefill_possible_map),
    wants(crate::mm::FirmwareMemory),
    before(crate::mm::sparse::paging_init)
)]
#[init]
pub(super) fn initmem_init() {
    let physical = firmware_nodes().unwrap_or_else(one_node);
    // Now it is known what can be unplugged, and the rest may be taken from where it is missed least.
    memblock::go_top_down();
    let fake = FAKE.lock().and_then(|wanted| emulate(wanted, &physical.blocks));
    let blocks = fake.as_ref().map_or(&*physical.blocks, |fake| &fake.blocks);
    if let Err(error) = register(blocks) {
        pr_err!("NUMA: memory cannot be given to its nodes ({error}). Not used.");
        memblock::set_all_to_node_0();
        numa::set_online_nodes(core::iter::once(0));
        return;
    }
    if let Some(fake) = &fake {
        set_fake_distances(fake);
    }
    assign_processors(&physical, fake.as_deref());
}

/// The nodes that the firmware describes, if it does so and may be believed.
#[init]
fn firmware_nodes() -> Option<Physical> {
    if OFF.load(Relaxed) || NOACPI.load(Relaxed) {
        return None;
    }
    #[cfg(CONFIG_ACPI)]
    match srat::nodes() {
        Ok(found) => return found,
        Err(error) => pr_err!("{error}"),
    }
    None
}

/// All memory as node 0: Linux's `dummy_numa_init`.
#[init]
fn one_node() -> Physical {
    pr_info!(
        "{}",
        if OFF.load(Relaxed) {
            "NUMA turned off"
        } else {
            "No NUMA configuration found"
        }
    );
    let end = setup::max_pfn() << PAGE_SHIFT;
    pr_info!("Faking a node at [mem {:#018x}-{:#018x}]", 0, end - 1);
    let mut blocks = Box::<Blocks>::default();
    if let Err(error) = blocks.add(0..end, 0) {
        pr_err!("{error}");
    }
    Physical { blocks, processors: None }
}

/// Drops what is no memory, and fails unless the rest is all memory, each byte on one node.
#[init]
fn check(blocks: &mut Blocks) -> Result<(), NodesError> {
    let end = setup::max_pfn() << PAGE_SHIFT;
    blocks.cleanup(end, |range| ram(range.clone()) != 0, |line| pr_info!("{line}"))?;
    blocks.covers(memblock::memory().map(|region| region.base..region.end()))
}

/// Bytes of RAM in a range.
#[init]
fn ram(range: Range<u64>) -> u64 {
    let inside = |region: memblock::Region| region.end().min(range.end).saturating_sub(region.base.max(range.start));
    memblock::memory().map(inside).sum()
}

/// Makes the nodes that the command line wants out of those there are; what cannot be made is logged.
#[init]
fn emulate(wanted: Emulation, physical: &Blocks) -> Option<Box<FakeNodes>> {
    let mut fake = Box::<FakeNodes>::default();
    let split = wanted.split(physical, MAX_NUMNODES, ram, &mut fake).and_then(|()| {
        for Block { range, nid } in fake.blocks.as_slice() {
            pr_info!(
                "Faking node {nid} at [mem {:#018x}-{:#018x}] ({}MB)",
                range.start,
                range.end - 1,
                (range.end - range.start) >> 20
            );
        }
        Ok(check(&mut fake.blocks)?)
    });
    split.inspect_err(|error| pr_err!("{error}")).ok().map(|()| fake)
}

/// Gives each part of memory to its node; a little that belongs to none goes to the first.
#[init]
fn register(blocks: &Blocks) -> Result<(), Errno> {
    let first = blocks
        .as_slice()
        .iter()
        .min_by_key(|block| block.range.start)
        .map_or(0, |block| block.nid);
    memblock::set_node(0, u64::MAX, first)?;
    for Block { range, nid } in blocks.as_slice() {
        memblock::set_node(range.start, range.end - range.start, *nid)?;
    }
    numa::set_online_nodes((0..MAX_NUMNODES).filter(|nid| memblock::memory_of(*nid).next().is_some()));
    Ok(())
}

/// Fake nodes are as far from each other as the nodes that they lie in.
#[init]
fn set_fake_distances(fake: &FakeNodes) {
    let nodes = || fake.physical.iter().enumerate();
    let pairs = nodes().flat_map(|from| nodes().map(move |to| (from, to)));
    let far = pairs.map(|((from, here), (to, there))| (from, to, numa::node_distance(usize::from(*here), usize::from(*there))));
    let Ok(far) = KVec::collect(far) else {
        return pr_err!("NUMA: no memory for the distances of fake nodes: all are equally far");
    };
    for (from, to, distance) in far {
        numa::set_distance(from, to, distance);
    }
}

/// Puts each possible CPU into its node: the one that firmware names, or, where memory is not near any, the first.
#[init]
fn assign_processors(physical: &Physical, fake: Option<&FakeNodes>) {
    let Some(first) = numa::online_nodes().next() else { return };
    for (cpu, apic_id) in smpboot::processors().enumerate() {
        let known = physical.processors.and_then(|node_of| node_of(apic_id));
        let nid = match (known, fake) {
            (Some(nid), None) => Some(nid),
            // Of the fake nodes in its own, a processor is in the first.
            (known, Some(fake)) => fake
                .physical
                .iter()
                .position(|physical| usize::from(*physical) == known.unwrap_or(0)),
            (None, None) => None,
        };
        numa::set_cpu_node(cpu, nid.unwrap_or(first));
    }
    let with_processors = (0..smpboot::processors().count()).map(numa::cpu_to_node);
    match KVec::collect(numa::online_nodes().chain(with_processors)) {
        Ok(online) => numa::set_online_nodes(online.into_iter()),
        Err(error) => panic!("NUMA: no memory for the list of nodes ({error})"),
    }
}

//! The nodes of the machine, each with all its zones.
//!
//! They are made in their places in memory of the early allocator and stay there.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use incipit_lib::watermark::{LOWMEM_RESERVE_RATIO, lowmem_reserve};
use spin::Once;

use super::{MAX_NR_ZONES, Zone, ZoneType};
use crate::mm::numa::{self, MAX_NUMNODES};
use crate::mm::page::Page;
use crate::mm::{memblock, phys_to_virt};
use crate::prelude::*;

/// A node: memory, and the order in which allocations go through all memory from here.
pub struct Node {
    nid: usize,
    zones: [Zone; MAX_NR_ZONES],
    zonelist: Once<&'static [ZoneRef]>,
}

/// A zone in a list of those that an allocation may come from.
#[derive(Clone, Copy)]
pub struct ZoneRef {
    /// Its kind, as it has it itself.
    pub kind: ZoneType,
    /// The zone.
    pub zone: &'static Zone,
}

static NODES: [AtomicPtr<Node>; MAX_NUMNODES] = [const { AtomicPtr::new(ptr::null_mut()) }; MAX_NUMNODES];

/// The node of this number, if there is one.
#[inline]
#[must_use]
pub fn node(nid: usize) -> Option<&'static Node> {
    let node = NODES.get(nid)?.load(Relaxed);
    // SAFETY: either null or what `free_area_init` made, which stays.
    unsafe { node.as_ref() }
}

/// The node of this number: Linux's `NODE_DATA`.
///
/// # Panics
///
/// If there is no such node, or not yet.
#[inline]
#[must_use]
pub fn node_data(nid: usize) -> &'static Node {
    node(nid).expect("an online node")
}

/// All zones that have pages, by node and kind: Linux's `for_each_populated_zone`.
pub fn populated_zones() -> impl Iterator<Item = &'static Zone> {
    all_zones().filter(|zone| zone.present != 0)
}

/// All zones, those without memory, too.
pub fn all_zones() -> impl Iterator<Item = &'static Zone> {
    numa::online_nodes().filter_map(node).flat_map(|node| node.zones.iter())
}

/// The zone that a page belongs to.
#[inline]
#[must_use]
pub fn page_zone(page: &Page) -> &'static Zone {
    &node_data(page.node()).zones[page.zone() as usize]
}

impl Node {
    /// Its number.
    #[must_use]
    pub fn nid(&self) -> usize {
        self.nid
    }

    /// Its zones, the lowest first.
    #[must_use]
    pub fn zones(&self) -> &[Zone; MAX_NR_ZONES] {
        &self.zones
    }

    /// The zones that an allocation from this node may come from, in the order in which they are tried; of all kinds, so that those above what was asked for are to be
    /// skipped. Empty before `build_all_zonelists`.
    #[inline]
    #[must_use]
    pub fn zonelist(&self) -> &'static [ZoneRef] {
        self.zonelist.get().copied().unwrap_or(&[])
    }

    /// Sets the order in which allocations from this node go through all memory. The first one stays.
    pub fn set_zonelist(&self, zones: &'static [ZoneRef]) {
        self.zonelist.call_once(|| zones);
    }
}

/// Keeps in each zone what allocations that can have memory elsewhere are not to take: Linux's `setup_per_zone_lowmem_reserve`.
pub(in crate::mm) fn setup_lowmem_reserve() {
    for node in numa::online_nodes().filter_map(node) {
        let managed = node.zones.each_ref().map(Zone::managed);
        let reserve = lowmem_reserve(managed, LOWMEM_RESERVE_RATIO);
        for (zone, row) in node.zones.iter().zip(reserve) {
            for (kept, pages) in zone.lowmem_reserve.iter().zip(row) {
                kept.store(pages, Relaxed);
            }
        }
    }
}

/// Makes the nodes with their zones, all without a page as yet: Linux's function of the same name.
///
/// # Panics
///
/// Without memory for them the boot cannot go on.
#[init]
pub fn free_area_init() {
    for nid in numa::online_nodes() {
        match new_node(nid) {
            Ok(node) => NODES[nid].store(node, Relaxed),
            Err(error) => panic!("free_area_init: no memory for node {nid} ({error})"),
        }
    }
}

/// A node in memory of its own, or of another if it has none, with its zones made in their places.
#[init]
fn new_node(nid: usize) -> Result<*mut Node, Errno> {
    let place = memblock::alloc_node(size_of::<Node>() as u64, align_of::<Node>() as u64, nid)?;
    let node = phys_to_virt(place.0).cast::<Node>();
    // SAFETY: the memory was just allocated for a node, of which these are all fields but the zones.
    let zones = unsafe {
        (&raw mut (*node).nid).write(nid);
        (&raw mut (*node).zonelist).write(Once::new());
        (&raw mut (*node).zones).cast::<Zone>()
    };
    for (index, kind) in ZoneType::ALL.into_iter().enumerate() {
        // SAFETY: the node has as many zones as there are kinds, and nobody uses them yet.
        unsafe { Zone::make_at(zones.add(index), nid, kind)? };
    }
    Ok(node)
}

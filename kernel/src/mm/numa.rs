//! Which memory and which processors are near each other: the nodes of the machine.
//!
//! Who finds that out is the processor's room, before there is an allocator of pages; here it is asked, at any time and by anybody. Without `CONFIG_NUMA`, and on most machines, all is
//! node 0.

#[cfg(CONFIG_KDB)]
mod command;

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use super::memblock;
use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::prelude::*;

/// The most nodes.
#[cfg(CONFIG_NUMA)]
pub const MAX_NUMNODES: usize = 1 << crate::config::CONFIG_NODES_SHIFT;
/// The most nodes.
#[cfg(not(CONFIG_NUMA))]
pub const MAX_NUMNODES: usize = 1;

/// How far a node is from itself.
pub const LOCAL_DISTANCE: u8 = 10;
/// How far another node is if nobody says more.
pub const REMOTE_DISTANCE: u8 = 20;

/// The nodes that there are, a bit each.
static ONLINE: AtomicU64 = AtomicU64::new(1);

/// How far the nodes are from each other; 0 where nobody has said so.
static DISTANCES: [[AtomicU8; MAX_NUMNODES]; MAX_NUMNODES] = [const { [const { AtomicU8::new(0) }; MAX_NUMNODES] }; MAX_NUMNODES];

/// The node of each CPU.
static CPU_NODES: [AtomicU8; NR_CPUS] = [const { AtomicU8::new(0) }; NR_CPUS];

const _: () = assert!(MAX_NUMNODES <= u64::BITS as usize, "a set of nodes is one word");

/// The nodes that there are, in order.
pub fn online_nodes() -> impl Iterator<Item = usize> + Clone {
    let online = ONLINE.load(Relaxed);
    (0..MAX_NUMNODES).filter(move |nid| online & 1 << nid != 0)
}

/// How many nodes there are.
#[inline]
#[must_use]
pub fn nr_online_nodes() -> usize {
    ONLINE.load(Relaxed).count_ones() as usize
}

/// The number behind the last node's.
#[must_use]
pub fn nr_node_ids() -> usize {
    (u64::BITS - ONLINE.load(Relaxed).leading_zeros()) as usize
}

/// Says which nodes there are.
#[cfg(CONFIG_NUMA)]
#[init]
pub(crate) fn set_online_nodes(nodes: impl Iterator<Item = usize>) {
    ONLINE.store(nodes.fold(0, |set, nid| set | 1 << nid), Relaxed);
}

/// How far node `to` is from node `from`: [`LOCAL_DISTANCE`] if they are the same.
#[must_use]
pub fn node_distance(from: usize, to: usize) -> u8 {
    let said = DISTANCES.get(from).and_then(|row| row.get(to));
    match said.map_or(0, |distance| distance.load(Relaxed)) {
        0 if from == to => LOCAL_DISTANCE,
        0 => REMOTE_DISTANCE,
        distance => distance,
    }
}

/// Says how far node `to` is from node `from`; nodes that are none have no distance.
#[cfg(CONFIG_NUMA)]
#[init]
pub(crate) fn set_distance(from: usize, to: usize, distance: u8) {
    if let Some(place) = DISTANCES.get(from).and_then(|row| row.get(to)) {
        place.store(distance, Relaxed);
    }
}

/// The node of a page frame of memory; of any other, some node.
///
/// This searches the list of memory. A page that has been initialised knows its node itself.
#[must_use]
pub fn pfn_to_nid(pfn: u64) -> usize {
    memblock::nid_of(pfn)
}

/// The node that a CPU is in.
#[inline]
#[must_use]
pub fn cpu_to_node(cpu: usize) -> usize {
    CPU_NODES.get(cpu).map_or(0, |node| node.load(Relaxed)).into()
}

/// Says which node a CPU is in.
#[cfg(CONFIG_NUMA)]
#[init]
pub(crate) fn set_cpu_node(cpu: usize, nid: usize) {
    if let Some(node) = CPU_NODES.get(cpu) {
        node.store(nid as u8, Relaxed);
    }
}

/// The node that this CPU is in.
#[inline]
#[must_use]
pub fn numa_node_id() -> usize {
    cpu_to_node(crate::percpu::smp_processor_id())
}

#[ktest]
fn every_node_is_nearest_to_itself() {
    assert!(online_nodes().count() == nr_online_nodes() && nr_online_nodes() <= nr_node_ids());
    for (from, to) in online_nodes().flat_map(|from| online_nodes().map(move |to| (from, to))) {
        assert!(node_distance(from, to) >= node_distance(from, from));
    }
    assert_eq!(node_distance(0, 0), LOCAL_DISTANCE);
}

#[ktest]
fn memory_belongs_to_a_node_that_is_there() {
    for region in memblock::memory() {
        let nid = region.nid().expect("memory without a node");
        assert!(online_nodes().any(|online| online == nid));
        assert_eq!(pfn_to_nid(region.base / super::PAGE_SIZE as u64), nid);
    }
    assert!(online_nodes().any(|online| online == numa_node_id()));
}

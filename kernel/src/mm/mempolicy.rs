//! Which node allocations begin at that name none: in turn during the boot, then that of the processor that asks.
//!
//! The rules are [`incipit_lib::mempolicy`]'s. There are no processes yet that could have a policy of their own.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub use incipit_lib::mempolicy::Policy;

use super::zone::{self, Zone};
use super::{PAGE_SHIFT, numa};
use crate::prelude::*;

/// The nodes that take turns, a bit each; 0 for [`Policy::Local`].
static INTERLEAVE: AtomicU64 = AtomicU64::new(0);
/// How many turns there were.
static TURN: AtomicU64 = AtomicU64::new(0);

/// The policy of now.
#[inline]
#[must_use]
pub fn policy() -> Policy {
    match INTERLEAVE.load(Relaxed) {
        0 => Policy::Local,
        set => Policy::Interleave(set),
    }
}

/// The node that an allocation begins at.
#[inline]
#[must_use]
pub fn policy_node() -> usize {
    if INTERLEAVE.load(Relaxed) == 0 {
        return numa::numa_node_id();
    }
    interleaved()
}

#[cold]
fn interleaved() -> usize {
    policy().node(numa::numa_node_id(), TURN.fetch_add(1, Relaxed))
}

/// Lets the nodes take turns, so that what the boot allocates for good is not all on one: Linux's stage of the same name. A machine with one node is left as it is.
#[stage(after(super::pageset::setup_per_cpu_pageset), before(crate::time::late_time_init))]
#[init]
pub fn numa_policy_init() {
    if numa::nr_online_nodes() == 1 {
        return;
    }
    let pages = |nid: usize| zone::node_data(nid).zones().iter().map(Zone::present).sum::<u64>();
    let nodes = numa::online_nodes().map(|nid| (nid, pages(nid) << PAGE_SHIFT));
    let policy = Policy::of_boot(nodes.filter(|(_, bytes)| *bytes != 0));
    if let Policy::Interleave(set) = policy {
        INTERLEAVE.store(set, Relaxed);
    }
    pr_debug!("mempolicy: {policy} until the boot is done");
}

/// Makes memory local again: Linux's function of the same name, which it calls when the boot is done.
///
/// # Errors
///
/// None.
#[initcall(late, sync)]
#[init]
pub fn numa_default_policy() -> Result<(), Errno> {
    INTERLEAVE.store(0, Relaxed);
    Ok(())
}

#[ktest]
fn nodes_take_turns_when_they_are_to() {
    use super::page_alloc::{Gfp, Pages};
    use super::slab::KVec;
    let before = INTERLEAVE.swap(numa::online_nodes().fold(0, |set, nid| set | 1 << nid), Relaxed);
    let node = |_| Pages::new(Gfp::KERNEL, 0).map_or(usize::MAX, |pages| pages.page().node());
    let page_nodes = KVec::collect((0..numa::nr_online_nodes()).map(node)).expect("memory");
    INTERLEAVE.store(before, Relaxed);
    // A node without memory is served by another, and its own turn is then that one's.
    let with_memory = numa::online_nodes().filter(|nid| zone::node_data(*nid).zones().iter().any(|zone| zone.free() != 0));
    assert!(with_memory.into_iter().all(|nid| page_nodes.contains(&nid)), "{page_nodes:?}");
}

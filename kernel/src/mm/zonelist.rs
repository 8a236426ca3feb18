//! The order in which allocations from each node go through all memory: made once, when it is known which nodes and zones there are.
//!
//! Nodes come by distance ([`incipit_lib::zonelist`]), the zones of each from the highest down. Who allocates skips the zones that are higher than it asked for.

use core::fmt;

use incipit_lib::buddy::PAGEBLOCK_PAGES;
use incipit_lib::zone::MIGRATE_TYPES;
use incipit_lib::zonelist::{Fallback, Nodes};

use super::slab::KVec;
use super::zone::{self, Zone, ZoneRef, ZoneType};
use super::{numa, zone_limits};
use crate::arch::x86::cpu::masks;
use crate::prelude::*;

/// The nodes of this machine.
struct Machine;

impl Nodes for Machine {
    fn with_memory(&self) -> impl Iterator<Item = usize> {
        numa::online_nodes().filter(|nid| zones(*nid).next().is_some())
    }

    fn distance(&self, from: usize, to: usize) -> u8 {
        numa::node_distance(from, to)
    }

    fn has_processors(&self, nid: usize) -> bool {
        masks::POSSIBLE.iter().any(|cpu| numa::cpu_to_node(cpu) == nid)
    }
}

/// The zones of a node that have memory, the highest first.
fn zones(nid: usize) -> impl Iterator<Item = &'static Zone> {
    let node = zone::node(nid).into_iter();
    node.flat_map(|node| node.zones().iter().rev()).filter(|zone| zone.present() != 0)
}

/// Nodes as the log lists them.
struct Order<'a>(&'a [usize]);

impl fmt::Display for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|nid| write!(f, "{nid} "))
    }
}

/// Gives each node its order, and shows them: Linux's stage of the same name.
#[stage(after(crate::arch::x86::segment::smp_prepare_boot_cpu), before(super::pageset::page_alloc_init))]
#[init]
pub fn build_all_zonelists() {
    let mut fallback = Fallback::new(Machine);
    for nid in numa::online_nodes() {
        let order = fallback.order(nid);
        let zones = order.iter().flat_map(|nid| zones(*nid));
        match KVec::collect(zones.map(|zone| ZoneRef { kind: zone.kind(), zone })) {
            Ok(list) => zone::node_data(nid).set_zonelist(list.leak()),
            Err(error) => panic!("build_all_zonelists: no memory for the order of node {nid} ({error})"),
        }
        if cfg!(CONFIG_NUMA) {
            pr_info!("Fallback order for Node {nid}: {}", Order(&order));
        }
    }
    let total = zone_limits::nr_kernel_pages();
    let grouping = total >= PAGEBLOCK_PAGES * MIGRATE_TYPES as u64;
    if !grouping {
        zone::disable_mobility_grouping();
    }
    pr_info!(
        "Built {} zonelists, mobility grouping {}.  Total pages: {total}",
        numa::nr_online_nodes(),
        if grouping { "on" } else { "off" },
    );
    if cfg!(CONFIG_NUMA) {
        let populated = zone::populated_zones().map(Zone::kind);
        let highest = populated.filter(|kind| *kind != ZoneType::Movable).max();
        pr_info!("Policy zone: {}", highest.unwrap_or(ZoneType::Dma));
    }
}

#[ktest]
fn an_order_begins_at_home_and_has_every_zone_once() {
    for nid in numa::online_nodes() {
        let list = zone::node_data(nid).zonelist();
        assert_eq!(list.len(), zone::populated_zones().count());
        let home = zones(nid).count();
        assert!(list[..home].iter().all(|entry| entry.zone.node() == nid));
        assert!(list[home..].iter().all(|entry| entry.zone.node() != nid));
        for pair in list.windows(2) {
            assert!(pair[0].zone.node() != pair[1].zone.node() || pair[0].kind > pair[1].kind);
        }
    }
}

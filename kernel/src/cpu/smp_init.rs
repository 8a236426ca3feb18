//! The other CPUs' part of the boot.

use super::{CpuMask, ONLINE, PRESENT, hotplug, masks};
use crate::arch::x86::smpboot::{max_cpus, wake};
use crate::mm::numa;
use crate::prelude::*;

/// Brings up the CPUs that are there, up to the number that `maxcpus=` allows: Linux's function of the same name.
#[init]
pub(crate) fn smp_init() {
    if !wake::can_start() || PRESENT.weight() == 1 {
        return;
    }
    pr_info!("smp: Bringing up secondary CPUs ...");
    let wanted = CpuMask::default();
    let more = max_cpus().saturating_sub(ONLINE.weight());
    PRESENT
        .iter()
        .filter(|&cpu| !ONLINE.contains(cpu))
        .take(more)
        .for_each(|cpu| wanted.set(cpu, true));
    announce(&wanted);
    if let Err(error) = hotplug::bring_up(&wanted) {
        pr_err!("smp: no other CPU can be started ({error})");
    }
    let (nodes, cpus) = (numa::nr_online_nodes(), ONLINE.weight());
    pr_info!(
        "smp: Brought up {nodes} node{}, {cpus} CPU{}",
        if nodes == 1 { "" } else { "s" },
        if cpus == 1 { "" } else { "s" }
    );
    wake::impress_friends();
}

/// Names those that are started, a line for each node, in columns as Linux's `announce_cpu` has them.
#[init]
fn announce(cpus: &CpuMask) {
    pr_info!("x86: Booting SMP configuration:");
    let digits = |number: usize| number.checked_ilog10().map_or(1, |log| log as usize + 1);
    let (node_width, cpu_width) = (digits(numa::nr_node_ids()) + 1, digits(masks::nr_cpu_ids()) + 1);
    for nid in numa::online_nodes() {
        let here = || cpus.iter().filter(|&cpu| numa::cpu_to_node(cpu) == nid);
        let list = core::fmt::from_fn(|f| here().try_for_each(|cpu| write!(f, "{:1$}#{cpu}", "", cpu_width - digits(cpu))));
        if here().next().is_some() {
            let (before, column) = (node_width - digits(nid), cpu_width + 1);
            pr_info!(".... node {:before$}#{nid}, CPUs:  {:column$}{list}", "", "");
        }
    }
}

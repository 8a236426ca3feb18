//! The monitor's `numa`: what Linux has in `/sys/devices/system/node`.

use core::fmt::{self, Write};

use linkme::distributed_slice;

use super::{cpu_to_node, node_distance, online_nodes};
use crate::arch::x86::cpu::masks;
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use crate::mm::meminfo::kib;
use crate::mm::zone::{Zone, populated_zones};
use crate::prelude::*;

#[distributed_slice(KDB_COMMANDS)]
static NUMA: Command = Command {
    name: "numa",
    usage: "",
    help: "Display the nodes, their processors, memory, zones and distances",
    run,
};

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    let has_memory = |nid: &usize| zones_of(*nid).next().is_some();
    let has_cpu = |nid: &usize| cpus_of(*nid).next().is_some();
    writeln!(screen, "online: {}", list(online_nodes()))?;
    writeln!(screen, "has_cpu: {}", list(online_nodes().filter(has_cpu)))?;
    writeln!(screen, "has_memory: {}", list(online_nodes().filter(has_memory)))?;
    online_nodes().try_for_each(|nid| show(nid, screen))?;
    Ok(Then::Stay)
}

fn show(nid: usize, screen: &mut dyn Write) -> fmt::Result {
    let sum = |pages: fn(&Zone) -> u64| kib(zones_of(nid).map(pages).sum());
    writeln!(screen, "node{nid} cpulist: {}", list(cpus_of(nid)))?;
    write!(screen, "node{nid} distance:")?;
    online_nodes().try_for_each(|to| write!(screen, " {}", node_distance(nid, to)))?;
    write!(screen, "\nnode{nid} zones:")?;
    zones_of(nid).try_for_each(|zone| write!(screen, " {}", zone.kind()))?;
    writeln!(screen)?;
    writeln!(screen, "Node {nid} MemTotal:       {:>8} kB", sum(Zone::managed))?;
    writeln!(screen, "Node {nid} MemFree:        {:>8} kB", sum(Zone::free))
}

/// The processors of a node that the machine has.
fn cpus_of(nid: usize) -> impl Iterator<Item = usize> + Clone {
    masks::PRESENT.iter().filter(move |cpu| cpu_to_node(*cpu) == nid)
}

/// The zones of a node that have memory.
fn zones_of(nid: usize) -> impl Iterator<Item = &'static Zone> {
    populated_zones().filter(move |zone| zone.node() == nid)
}

/// Ascending numbers as Linux lists them: `0-2,5`.
fn list(numbers: impl Iterator<Item = usize> + Clone) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let mut numbers = numbers.clone().peekable();
        let mut separator = "";
        while let Some(first) = numbers.next() {
            let mut last = first;
            while let Some(next) = numbers.next_if_eq(&(last + 1)) {
                last = next;
            }
            write!(f, "{separator}{first}")?;
            if last != first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    })
}

#[ktest]
fn numbers_that_follow_each_other_are_a_range() {
    let text = |numbers: &'static [usize]| {
        let mut text = arrayvec::ArrayString::<16>::new();
        fmt::Write::write_fmt(&mut text, format_args!("{}", list(numbers.iter().copied()))).expect("room");
        text
    };
    assert_eq!(&text(&[]), "");
    assert_eq!(&text(&[3]), "3");
    assert_eq!(&text(&[0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
}

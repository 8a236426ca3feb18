//! The report of an allocation that failed: who asked for what, and what there was.

use core::fmt::{self, Write};

use incipit_lib::ratelimit::RateLimit;

use super::Gfp;
use super::meminfo::kib;
use super::numa;
use super::page_alloc::{nr_free_pages, total_ram_pages};
use super::zone::{Mark, MigrateType, Zone, ZoneType, populated_zones};
use crate::arch::x86::dumpstack;
use crate::locking::IrqSpinLock;
use crate::panic::{Line, task};
use crate::prelude::*;
use crate::time;

/// Not more reports than this: Linux's ten in five seconds.
static LIMIT: IrqSpinLock<RateLimit> = IrqSpinLock::new(RateLimit::new(RateLimit::DEFAULT_INTERVAL_NS, RateLimit::DEFAULT_BURST));

/// Reports an allocation that failed, `what` says which, unless the caller does not want that: Linux's function of the same name.
pub(super) fn warn_alloc(gfp: Gfp, what: fmt::Arguments<'_>) {
    if !crate::printk::ENABLED || gfp.contains(Gfp::NOWARN) || !LIMIT.lock().check(time::sched_clock()).allowed {
        return;
    }
    pr_warn!(
        "{}: {what}, mode:{gfp}, nodemask=(null),cpuset=/,mems_allowed={}",
        task::comm(),
        Nodes
    );
    dumpstack::dump_stack();
    show_mem();
}

/// Ends the kernel for an allocation that must not fail, with the same report: what Linux's function of the same name does where there is nobody to kill.
pub(super) fn out_of_memory(gfp: Gfp, order: u32) -> ! {
    pr_warn!(
        "{} invoked oom-killer: gfp_mask={gfp}, order={order}, oom_score_adj=0",
        task::comm()
    );
    dumpstack::dump_stack();
    show_mem();
    pr_warn!("Out of memory and no killable processes...");
    panic!("System is deadlocked on memory");
}

/// The nodes that memory may come from, as Linux writes a set: `0-2,5`. All tasks are in the root set of processors and nodes, which has all.
struct Nodes;

impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nodes = numa::online_nodes().peekable();
        let mut separator = "";
        while let Some(first) = nodes.next() {
            let mut last = first;
            while let Some(next) = nodes.next_if_eq(&(last + 1)) {
                last = next;
            }
            write!(f, "{separator}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}

/// Shows all zones with their free blocks: Linux's function of the same name.
pub fn show_mem() {
    let at_hand: u64 = populated_zones().map(Zone::free_at_hand).sum();
    pr_warn!("Mem-Info:");
    pr_warn!(" free:{} free_pcp:{at_hand} free_cma:0", nr_free_pages());
    for zone in populated_zones() {
        print(format_args!("{}", Usage(zone)));
        print(format_args!("{}", Reserve(zone)));
    }
    for zone in populated_zones() {
        print(format_args!("{}", Blocks(zone)));
    }
    let present: u64 = populated_zones().map(Zone::present).sum();
    let movable: u64 = populated_zones()
        .filter(|zone| zone.kind() == ZoneType::Movable)
        .map(Zone::managed)
        .sum();
    pr_warn!("{present} pages RAM");
    pr_warn!("{movable} pages HighMem/MovableOnly");
    pr_warn!("{} pages reserved", present.saturating_sub(total_ram_pages()));
}

/// Says one line, made as a whole.
fn print(text: fmt::Arguments<'_>) {
    let mut line = Line::<1024>::new();
    // What is too long is cut off.
    let _ = line.write_fmt(text);
    pr_warn!("{}", line.as_str());
}

/// How many pages a zone has.
struct Usage(&'static Zone);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.0;
        let local = zone.this_cpu_pageset().map_or(0, |set| set.lock().count());
        write!(
            f,
            "Node {} {} free:{}kB boost:0kB min:{}kB low:{}kB high:{}kB reserved_highatomic:{}KB present:{}kB managed:{}kB free_pcp:{}kB local_pcp:{}kB free_cma:0kB",
            zone.node(),
            zone.kind(),
            kib(zone.free()),
            kib(zone.mark(Mark::Min)),
            kib(zone.mark(Mark::Low)),
            kib(zone.mark(Mark::High)),
            kib(zone.highatomic()),
            kib(zone.present()),
            kib(zone.managed()),
            kib(zone.free_at_hand()),
            kib(local.into())
        )
    }
}

/// What it keeps from allocations that could come from higher ones.
struct Reserve(&'static Zone);

impl fmt::Display for Reserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lowmem_reserve[]:")?;
        ZoneType::ALL
            .into_iter()
            .try_for_each(|highest| write!(f, " {}", self.0.lowmem_reserve(highest)))
    }
}

/// Its free blocks.
struct Blocks(&'static Zone);

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.0;
        write!(f, "Node {} {}: ", zone.node(), zone.kind())?;
        let by_type = MigrateType::ALL.map(|kind| (kind, zone.free_blocks_of(kind)));
        let mut total = 0;
        for (order, blocks) in zone.free_blocks().into_iter().enumerate() {
            total += blocks << order;
            write!(f, "{blocks}*{}kB ", kib(1 << order))?;
            if blocks != 0 {
                f.write_char('(')?;
                for (kind, _) in by_type.iter().filter(|(_, blocks)| blocks[order] != 0) {
                    f.write_char(kind.letter())?;
                }
                f.write_str(") ")?;
            }
        }
        write!(f, "= {}kB", kib(total))
    }
}

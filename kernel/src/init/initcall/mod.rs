//! Initcalls: the functions that bring subsystems up, walked level by level from their table.
//!
//! The core knows levels and entries, never a subsystem. Each call is watched: what it returned, how long it took, and whether it left interrupts or the
//! preemption count as they were.
//!
//! `named` is what the command line asks of single initcalls, `policy` what an error means for the others, `shuffle` another order, `parallel` several CPUs; `relations` says what comes
//! after what, `summary` how long all took. They may use the log, the clock and the tables; what a capability stands for, or who provides it, none of them knows.

use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

use incipit_lib::errno::Errno;

#[cfg_attr(not(CONFIG_INITCALL_FAIL), allow(dead_code))]
mod named;
#[cfg(CONFIG_INITCALL_PARALLEL)]
pub(crate) mod parallel;
pub(super) mod policy;
#[cfg(any(CONFIG_INITCALL_SHUFFLE, CONFIG_INITCALL_PARALLEL))]
mod relations;
#[cfg(CONFIG_INITCALL_SHUFFLE)]
mod shuffle;
mod summary;

pub(super) use named::report_unknown_names;
pub use policy::why_skipped;
pub use summary::Summary;
pub(super) use summary::sharing_cpus;

use self::named::Request;
use super::info::{BootCpu, EntryInfo, Runner};
use super::param;
use crate::prelude::*;
use crate::table::{self, InitTable};
use crate::time::sched_clock;
use crate::{irq, preempt};

/// An entry of a level's part of `.initcall.init`, or of `.con_initcall.init`.
#[repr(C)]
pub struct InitcallEntry {
    call: fn() -> Result<(), Errno>,
    info: &'static EntryInfo,
}

impl InitcallEntry {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(call: fn() -> Result<(), Errno>, info: &'static EntryInfo) -> Self {
        Self { call, info }
    }
}

/// Says of each initcall when it is called, what it returned, and after how long; with `loglevel=8` on consoles, too.
#[param(perm = 0o644)]
static INITCALL_DEBUG: AtomicBool = AtomicBool::new(false);

/// Whether something may keep any initcall from being called, so that the walk must look at each.
static LOOK_AT_EACH: AtomicBool = AtomicBool::new(false);

/// Has the walk look at each initcall from here on.
fn look_at_each() {
    LOOK_AT_EACH.store(true, Relaxed);
}

/// Whether `initcall_stop_after=` has been reached.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// A level that `do_initcalls` walks: its name in messages about parameters, and its entries with and without `sync`.
struct LevelTables {
    name: &'static str,
    parts: [InitTable<InitcallEntry>; 2],
}

/// Linux's levels 0 to 7, with rootfs as its own behind fs. A parameter's level is the index of one of the others.
#[initdata(readonly)]
static LEVELS: [LevelTables; 9] = [
    level("pure", table::INITCALL0, table::INITCALL0S),
    level("core", table::INITCALL1, table::INITCALL1S),
    level("postcore", table::INITCALL2, table::INITCALL2S),
    level("arch", table::INITCALL3, table::INITCALL3S),
    level("subsys", table::INITCALL4, table::INITCALL4S),
    level("fs", table::INITCALL5, table::INITCALL5S),
    level("rootfs", table::INITCALLROOTFS, table::INITCALLROOTFSS),
    level("device", table::INITCALL6, table::INITCALL6S),
    level("late", table::INITCALL7, table::INITCALL7S),
];

const fn level(name: &'static str, plain: InitTable<InitcallEntry>, sync: InitTable<InitcallEntry>) -> LevelTables {
    LevelTables {
        name,
        parts: [plain, sync],
    }
}

/// Runs the early initcalls: before other processors are brought up.
#[init]
pub(super) fn do_pre_smp_initcalls(init: InitMemory<'_>) {
    run(&table::INITCALLEARLY, init);
}

/// Runs the levels from `pure` to `late`; the parameters of each are parsed just before it.
#[init]
pub(super) fn do_initcalls(init: InitMemory<'_>) {
    let _measured = summary::Measurement::new();
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    parallel::begin();
    let mut number = 0;
    for level in &LEVELS {
        // `rootfs` belongs to `fs` as far as parameters go.
        if level.name != "rootfs" {
            param::parse_level(level.name, number);
            number += 1;
        }
        level.parts.iter().for_each(|part| run(part, init));
    }
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    parallel::end();
}

/// Runs the initcalls that register consoles. Called by the stage `console_init`.
#[init]
pub fn do_console_initcalls(init: InitMemory<'_>) {
    run(&table::CON_INITCALL, init);
}

#[init]
fn run(calls: &InitTable<InitcallEntry>, init: InitMemory<'_>) {
    #[cfg(CONFIG_INITCALL_SHUFFLE)]
    if shuffle::is_on() {
        return shuffle::run(calls, init);
    }
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    if parallel::cpus().is_some() && parallel::run(calls, init) {
        return;
    }
    if INITCALL_DEBUG.load(Relaxed) {
        look_at_each();
    }
    for entry in calls.iter(init) {
        if LOOK_AT_EACH.load(Relaxed) || entry.info.dependencies().is_some() {
            do_one_initcall(entry, call_in_order);
        } else if let Err(error) = call::<BootCpu>(entry) {
            settle(entry.info, error);
        }
    }
}

/// Calls an initcall, notes what became of it, and repairs what it left changed. The whole cost of one that has no relations and succeeds is here.
#[inline(always)]
fn call<R: Runner>(entry: &InitcallEntry) -> Result<(), Errno> {
    let (count, flags) = (preempt::count(), irq::local_save_flags());
    let running = entry.info.begin::<R>();
    let result = (entry.call)();
    entry.info.end::<R>(running);
    if preempt::count() != count || !irq::local_save_flags().agree_with(flags) {
        repair(entry, count, !flags.irqs_disabled());
    }
    match result {
        Ok(()) => entry.info.set_ok(),
        Err(error) => entry.info.set_failed(error),
    }
    result
}

/// [`call`] by the boot CPU, which runs all.
#[init]
fn call_in_order(entry: &InitcallEntry) -> Result<(), Errno> {
    call::<BootCpu>(entry)
}

/// Runs an initcall that has relations, or that is watched, by `call`.
#[init]
fn do_one_initcall(entry: &InitcallEntry, call: fn(&InitcallEntry) -> Result<(), Errno>) {
    let info = entry.info;
    if LOOK_AT_EACH.load(Relaxed) && !is_wanted(info) {
        return;
    }
    if policy::has_obstacle(info) {
        return policy::skip(info);
    }
    let debug = INITCALL_DEBUG.load(Relaxed);
    let called = if debug { trace_start(entry) } else { 0 };
    let result = call(entry);
    if debug {
        trace_finish(entry, result, called);
    }
    match result {
        Ok(()) => policy::settle(info),
        Err(error) => settle(info, error),
    }
}

/// Draws the consequences of an error.
#[cold]
#[init]
fn settle(info: &'static EntryInfo, error: Errno) {
    turn();
    policy::settle(info);
    policy::report_error(info, error, INITCALL_DEBUG.load(Relaxed));
}

/// Whether the command line lets the initcall be called; if not, its state and the log say so.
#[cold]
#[init]
fn is_wanted(info: &'static EntryInfo) -> bool {
    if STOPPED.load(Relaxed) {
        return false;
    }
    let name = info.name();
    if named::asks(info, Request::StopAfter) {
        pr_info!("initcall_stop_after: {name} is the last initcall");
        STOPPED.store(true, Relaxed);
    }
    if named::asks(info, Request::Blacklist) {
        turn();
        pr_debug!("initcall {name} blacklisted");
        info.set_blacklisted();
        policy::settle(info);
        return false;
    }
    // What would not be called anyway cannot fail.
    if let Some(error) = named::failure(info).filter(|_| !policy::has_obstacle(info)) {
        pr_info!("initcall {name} is made to fail: {error}");
        info.set_failed(error);
        settle(info, error);
        return false;
    }
    true
}

/// Says that the initcall is called, in the words that Linux's `bootgraph.pl` reads, and returns when.
#[cold]
#[init]
fn trace_start(entry: &InitcallEntry) -> u64 {
    pr_debug!("calling  {} @ 1", symbol(entry));
    sched_clock()
}

#[cold]
#[init]
fn trace_finish(entry: &InitcallEntry, result: Result<(), Errno>, called: u64) {
    let duration = (sched_clock() - called) / 1000;
    let code = result.err().map_or(0, |error| -error.code());
    pr_debug!("initcall {} returned {code} after {duration} usecs", symbol(entry));
}

/// The function as Linux prints it, `name+0x0/0x10`: its own name, and its size from the symbol table.
#[init]
fn symbol(entry: &InitcallEntry) -> impl core::fmt::Display {
    let size = crate::panic::symbols::size_of_function(entry.call as usize);
    let name = entry.info.name();
    core::fmt::from_fn(move |f| write!(f, "{name}+0x0/{size:#x}"))
}

/// Puts back what the initcall left changed, and says whose doing it was.
#[cold]
#[init]
fn repair(entry: &InitcallEntry, count: u32, enabled: bool) {
    let preemption = preempt::count() != count;
    let interrupts = irq::irqs_disabled() == enabled;
    if preemption {
        preempt::set_count(count);
    }
    if interrupts && enabled {
        irq::local_irq_enable();
    } else if interrupts {
        irq::local_irq_disable();
    }
    let what = match (preemption, interrupts) {
        (true, true) => "preemption imbalance disabled interrupts ",
        (true, false) => "preemption imbalance ",
        (false, true) if enabled => "disabled interrupts ",
        _ => "enabled interrupts ",
    };
    pr_warn!("initcall {} returned with {what}", symbol(entry));
}

/// What others see in the order of the initcalls, this one's not before all that stand before it are over. Who enters something into a list, a tree or a queue that several initcalls
/// do, where the order shows or the first one wins, calls this first, without a lock; as the log does, and what registers resources, interrupts, caches, clocks and consoles. With
/// `initcall_parallel=1` it waits, where it may; without, it is a `nop`.
#[inline]
pub fn turn() {
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    if crate::static_branch_unlikely!(parallel::REQUESTED) {
        parallel::wait_for_turn();
    }
}

/// What is known of each initcall, console initcalls first, in the order in which they run.
pub fn initcalls() -> impl Iterator<Item = &'static EntryInfo> {
    table::CON_INITCALL_INFO.iter().chain(table::INITCALL_INFO.iter())
}

//! The last initcall: tells the host what the boot has taken up to here, from what the kernel keeps of each stage and initcall. In the monitor's place, when the
//! boot is done, it tells what came behind.
//!
//! It is part of every image that is measured. Instructions are counted from the kernel's entry; the firmware's are not in any figure.

#![no_std]

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit::arch::x86::tsc::rdtsc;
use incipit::init::info::Level;
use incipit::init::{EntryInfo, State, initcalls, stages};
use incipit::kdb;
use incipit::mm::{PAGE_SIZE, sections};
use incipit::prelude::*;
use incipit_bench_meter::report;

#[initcall(late, sync, after(incipit::mm::mempolicy::numa_default_policy))]
fn bench_boot_report() -> Result<(), Errno> {
    let entered = incipit_boot::entered();
    report("entry", entered);
    for stage in stages().filter(|stage| has_run(stage)) {
        report(format_args!("stage/{}", stage.name()), stage.took());
    }
    // Console initcalls are part of a stage. This one is running, and takes nothing of what it tells.
    let levels = || initcalls().filter(|call| call.level() != Level::Console);
    let took: u64 = levels().filter(|call| has_run(call)).map(EntryInfo::took).sum();
    let first = levels().filter(|call| call.state() != State::Pending).map(EntryInfo::started).min();
    let end = levels().filter(|call| has_run(call)).map(|call| call.started() + call.took()).max();
    let end = end.or(first).unwrap_or(entered) - entered;
    report("first", first.unwrap_or(entered) - entered);
    report("end", end);
    report("initcalls", took);
    report("core", end - took);
    report("behind", levels().filter(|call| call.state() == State::Pending).count() as u64);
    kdb::register_monitor(report_end);
    kdb::request();
    REPORTED.store(rdtsc(), Relaxed);
    Ok(())
}

/// When the initcall above was done.
static REPORTED: AtomicU64 = AtomicU64::new(0);

/// Called when init memory is gone and read-only data protected.
fn report_end(_reason: &str) {
    report("finish", rdtsc() - REPORTED.load(Relaxed));
    report("init_pages", (sections::init().len() / PAGE_SIZE) as u64);
}

/// Whether the function has been called and is back.
fn has_run(info: &EntryInfo) -> bool {
    matches!(info.state(), State::Ok | State::Failed)
}

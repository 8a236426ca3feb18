//! The last initcall: tells the host what the boot has taken up to here, from what the kernel keeps of each stage and initcall.
//!
//! It is part of every image that is measured. Instructions are counted from the kernel's entry; the firmware's are not in any figure.

#![no_std]

use incipit::init::info::Level;
use incipit::init::{EntryInfo, State, initcalls, stages};
use incipit::prelude::*;
use incipit_bench_meter::report;

#[initcall(late, sync)]
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
    Ok(())
}

/// Whether the function has been called and is back.
fn has_run(info: &EntryInfo) -> bool {
    matches!(info.state(), State::Ok | State::Failed)
}

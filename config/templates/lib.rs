//! @name@: how finely the kernel's clock counts.
//!
//! Nothing calls what stands here, and no list names it: each attribute
//! puts an entry into a table, and the kernel walks the tables.
#![no_std]

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit::prelude::*;
use incipit::time::sched_clock;

/// How often to read the clock: `@name@.readings=` on the command line.
#[param(perm = 0o444)]
static READINGS: AtomicU32 = AtomicU32::new(16);

/// Logs the smallest step between two readings.
///
/// Called at the level `device`. An error is logged with the function's
/// name, and the boot goes on. `#[init]`: the function's memory is given
/// back when the boot is done.
#[init]
#[initcall(device)]
fn @name@_init() -> Result<(), Errno> {
    let readings = READINGS.load(Relaxed);
    let clock = (0..readings).map(|_| sched_clock());
    let step = smallest_step(clock).ok_or(Errno::EINVAL)?;
    pr_info!("@name@: {readings} readings, {step} ns apart at least");
    Ok(())
}

/// The smallest difference between two values in a row; none if there are
/// fewer than two. Values never go down.
fn smallest_step(mut values: impl Iterator<Item = u64>) -> Option<u64> {
    let mut last = values.next()?;
    let steps = values.map(|value| value - core::mem::replace(&mut last, value));
    steps.min()
}

#[ktest]
fn the_smallest_step_is_found() {
    assert_eq!(smallest_step([10, 17, 20, 30].into_iter()), Some(3));
}

#[ktest]
fn a_single_value_has_no_step() {
    assert_eq!(smallest_step([10].into_iter()), None);
}

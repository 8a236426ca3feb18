//! Parameters: how many, says the package's name. Looks up each of them, and as many names that are none.

#![no_std]

use core::sync::atomic::{AtomicBool, AtomicU32};

use incipit::init::param;
use incipit::prelude::*;
use incipit_bench_meter::measure;

include!(concat!(env!("OUT_DIR"), "/params.rs"));

/// What the long command line is made of: the kernel takes 2047 bytes, so a thousand arguments have a letter each.
#[param(name = "v", module = "")]
static FLAG: AtomicBool = AtomicBool::new(false);

#[initcall(late)]
fn bench_params() -> Result<(), Errno> {
    let all_found = HITS.iter().all(|name| param::find(name.as_bytes()).is_some());
    let none_found = MISSES.iter().all(|name| param::find(name.as_bytes()).is_none());
    if !(all_found && none_found) {
        return Err(Errno::EINVAL);
    }
    measure("param/hit", HITS.iter(), |name| param::find(name.as_bytes()));
    measure("param/miss", MISSES.iter(), |name| param::find(name.as_bytes()));
    Ok(())
}

//! `fail_nth=`: the boot as a whole with one allocation less, so that each can be failed in turn, one boot for each.
//!
//! Counted is what the boot's thread allocates from the first page on until its initcalls are through: of slabs and of pages, with what must not fail left out. `fail_nth=list` fails
//! nothing and names each way to an allocation once, by its callers: those are the numbers worth a boot.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::ARMED as ALL_ARMED;
use super::callers::Callers;
use crate::preempt;
use crate::prelude::*;

/// The bit of [`super::ARMED`] during the boot, if the command line asks for this.
pub(super) const ARMED: u32 = 1 << 30;

/// The ways to an allocation that are told apart; what more there are is all listed.
const WAYS: usize = 2048;

/// Which allocation fails, [`LIST`] for none.
static FAIL_NTH: AtomicU32 = AtomicU32::new(LIST);
const LIST: u32 = 0;
/// How many there have been.
static COUNT: AtomicU32 = AtomicU32::new(0);
/// The hashes of the ways that have been listed, 0 where there is none yet.
static LISTED: [AtomicU64; WAYS] = [const { AtomicU64::new(0) }; WAYS];

/// `fail_nth=N`: the N-th allocation of the boot, of small objects or of pages, fails. `fail_nth=list`: none does, and each way to one is logged once, with its number and its callers.
#[cfg(CONFIG_FAILSLAB)]
#[early_param("fail_nth")]
#[init]
fn setup_fail_nth(value: Option<&'static str>) -> Result<(), Errno> {
    let nth = match value.ok_or(Errno::EINVAL)? {
        "list" => LIST,
        number => number.parse().ok().filter(|nth| *nth != LIST).ok_or(Errno::EINVAL)?,
    };
    FAIL_NTH.store(nth, Relaxed);
    super::arm(ARMED);
    Ok(())
}

/// Counts an allocation of the boot and says whether it is the one that fails; nothing if they are not counted.
pub(super) fn strikes(name: &'static str) -> Option<bool> {
    if ALL_ARMED.load(Relaxed) & ARMED == 0 || preempt::in_interrupt() {
        return None;
    }
    let number = COUNT.fetch_add(1, Relaxed) + 1;
    let nth = FAIL_NTH.load(Relaxed);
    let fails = nth == number;
    if fails || nth == LIST {
        let callers = Callers::here(2);
        if fails || is_new(callers.hash()) {
            pr_notice!(
                "fail_nth: {} {number} ({name}){callers}",
                if fails { "fails" } else { "allocation" }
            );
        }
    }
    Some(fails)
}

/// Notes a way to an allocation, and says whether it has not been seen before.
fn is_new(hash: u64) -> bool {
    let hash = hash.max(1);
    for place in &LISTED {
        match place.compare_exchange(0, hash, Relaxed, Relaxed) {
            Ok(_) => return true,
            Err(other) if other == hash => return false,
            Err(_) => {}
        }
    }
    true
}

/// Ends the counting, and says how many allocations there were. For the end of the boot.
#[init]
pub fn finish_boot() {
    if super::disarm(ARMED) {
        pr_notice!("fail_nth: {} allocations", COUNT.load(Relaxed));
    }
}

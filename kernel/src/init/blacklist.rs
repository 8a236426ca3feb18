//! `initcall_blacklist=NAME[,NAME…]`: initcalls that are not to run.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use spin::Mutex;

use super::initcall;
use crate::prelude::*;

/// How many names are kept: an early option has no allocator to rely on.
const MOST: usize = 32;

/// Whether any name is there, so that the walk need not look.
static ANY: AtomicBool = AtomicBool::new(false);
static NAMES: Mutex<[&str; MOST]> = Mutex::new([""; MOST]);

#[init]
#[early_param("initcall_blacklist")]
fn initcall_blacklist(list: Option<&'static str>) -> Result<(), Errno> {
    let mut names = NAMES.lock();
    for name in list.ok_or(Errno::EINVAL)?.split(',').filter(|name| !name.is_empty()) {
        let Some(free) = names.iter_mut().find(|slot| slot.is_empty()) else {
            pr_err!("initcall_blacklist: more than {MOST} names, {name} and what follows ignored");
            return Ok(());
        };
        pr_debug!("blacklisting initcall {name}");
        *free = name;
        ANY.store(true, Relaxed);
    }
    Ok(())
}

/// Whether the initcall `name` is not to run.
#[inline]
pub(super) fn contains(name: &str) -> bool {
    ANY.load(Relaxed) && NAMES.lock().contains(&name)
}

/// Names those on the list that no initcall has.
#[init]
pub(super) fn report_unknown() {
    if !ANY.load(Relaxed) {
        return;
    }
    for name in NAMES.lock().iter().filter(|name| !name.is_empty()) {
        if !initcall::initcalls().any(|info| info.name() == *name) {
            pr_warn!("initcall_blacklist: there is no initcall {name}");
        }
    }
}

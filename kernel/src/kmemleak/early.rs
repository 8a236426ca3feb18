//! The log of what happens before blocks can be remembered.

use arrayvec::ArrayVec;

use super::{apply, stop};
use crate::locking::IrqSpinLock;
use crate::prelude::*;
use crate::stackdepot::Handle;

const SIZE: usize = crate::config::CONFIG_DEBUG_KMEMLEAK_EARLY_LOG_SIZE as usize;

/// What happens to a block, which an address says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// It is allocated: address, bytes, references that it should have, and by whom.
    Alloc(usize, usize, i32, Option<Handle>),
    /// It is given back.
    Free(usize),
    /// It should have so many references.
    Paint(usize, i32),
    /// It is not looked at.
    NoScan(usize),
    /// Only these bytes of it are looked at.
    ScanArea(usize, usize),
}

static LOG: IrqSpinLock<ArrayVec<Event, SIZE>> = IrqSpinLock::new(ArrayVec::new_const());

/// Adds to the log. What is allocated and given back leaves no trace in it.
pub(super) fn log(event: Event) {
    let mut log = LOG.lock();
    if let Event::Free(block) = event {
        log.retain(|event| match *event {
            Event::Alloc(other, ..) | Event::Paint(other, _) | Event::NoScan(other) => other != block,
            Event::ScanArea(..) | Event::Free(_) => true,
        });
        return;
    }
    let full = log.try_push(event).is_err();
    drop(log);
    if full {
        stop(format_args!(
            "Early log buffer exceeded ({SIZE}), please increase DEBUG_KMEMLEAK_EARLY_LOG_SIZE"
        ));
    }
}

/// Does what the log says, and empties it: its addresses must not look like references.
#[init]
pub(super) fn replay() {
    for index in 0.. {
        let Some(event) = LOG.lock().get(index).copied() else { break };
        if super::is_enabled() {
            apply(event);
        }
    }
    let mut log = LOG.lock();
    log.iter_mut().for_each(|event| *event = Event::Free(0));
    log.clear();
}

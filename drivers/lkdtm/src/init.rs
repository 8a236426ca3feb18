//! Crash points that use init memory when it is gone. They come true behind the boot only: the monitor's `lkdtm` triggers them there.

use core::cell::UnsafeCell;
use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use incipit::mm::sections;
use incipit::prelude::*;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};

/// Eight bytes of init memory.
#[repr(transparent)]
struct Data(UnsafeCell<u64>);

// SAFETY: only its address is used.
unsafe impl Sync for Data {}

#[initdata]
static INIT_DATA: Data = Data(UnsafeCell::new(0x1234_5678_9abc_def0));

#[init]
extern "C" fn do_nothing() {
    black_box(0);
}

/// Where the two lie. Code that stays may not refer to them by name.
static DATA_ADDRESS: AtomicUsize = AtomicUsize::new(0);
static CODE_ADDRESS: AtomicUsize = AtomicUsize::new(0);

/// Keeps the addresses for when what is there is gone.
#[init]
pub fn remember_addresses() {
    DATA_ADDRESS.store(INIT_DATA.0.get().addr(), Relaxed);
    CODE_ADDRESS.store(do_nothing as *const () as usize, Relaxed);
}

/// What a point answers that only means something when the boot is done.
pub const TOO_EARLY: Outcome = Err("the boot is not done: the monitor's lkdtm triggers this when it is");

#[inline(never)]
pub fn read_init() -> Outcome {
    if !sections::init_is_freed() {
        return TOO_EARLY;
    }
    let address = DATA_ADDRESS.load(Relaxed);
    pr_info!("lkdtm: attempting bad read at {address:#x}");
    // SAFETY: the page is gone, so the read faults.
    unsafe { access::read(address) };
    SURVIVED
}

#[inline(never)]
pub fn write_init() -> Outcome {
    if !sections::init_is_freed() {
        return TOO_EARLY;
    }
    let address = DATA_ADDRESS.load(Relaxed);
    pr_info!("lkdtm: attempting bad write at {address:#x}");
    // SAFETY: the page is gone, so the write faults.
    unsafe { access::write(address, 0) };
    SURVIVED
}

#[inline(never)]
pub fn exec_init() -> Outcome {
    if !sections::init_is_freed() {
        return TOO_EARLY;
    }
    let address = CODE_ADDRESS.load(Relaxed);
    pr_info!("lkdtm: attempting bad execution at {address:#x}");
    // SAFETY: the page is gone, so the call faults.
    unsafe { access::call(address) };
    SURVIVED
}

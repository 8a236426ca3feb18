//! Following objects through their lives: Linux's debugobjects.
//!
//! A subsystem whose objects are initialised, put to use and taken out of use describes them ([`Descr`]) and reports each step. What breaks the rules
//! ([`incipit_lib::debugobjects`]) is a warning that names the object, and the subsystem may mend it. Memory that is freed with an active object in it is
//! found by [`check_no_obj_freed`], which `kfree` calls.
//!
//! What is known of an object lies in a pool that the image brings along; later the pool is filled from the heap. If it runs empty, nothing is followed any
//! more: the log says so.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

pub use incipit_lib::debugobjects::State;
use incipit_lib::debugobjects::{Operation, Verdict, judge};

use crate::prelude::*;

mod command;
mod table;

use table::{Seen, TABLE};

/// What is known of a kind of objects: Linux's `struct debug_obj_descr`.
///
/// A function that mends gets the object's address and its state, and says whether it did anything.
#[derive(Debug)]
pub struct Descr {
    /// The kind, as reports name it.
    pub name: &'static str,
    /// An address of code that tells one object of the kind from another: a callback, for instance.
    pub hint: Option<fn(usize) -> usize>,
    /// Whether the object is a static that its type's constant has initialised.
    pub is_static_object: Option<fn(usize) -> bool>,
    /// Mends an object that is initialised while it is active.
    pub fixup_init: Option<Fixup>,
    /// Mends one that is activated while it is active, or that is not known.
    pub fixup_activate: Option<Fixup>,
    /// Mends one that is destroyed while it is active.
    pub fixup_destroy: Option<Fixup>,
    /// Mends one whose memory goes while it is active.
    pub fixup_free: Option<Fixup>,
    /// Mends one that should be initialised and is not known.
    pub fixup_assert_init: Option<Fixup>,
}

/// Mends an object, and says whether it did anything.
pub type Fixup = fn(usize, State) -> bool;

impl Descr {
    /// Objects of a kind about which nothing can be done.
    #[must_use]
    pub const fn new(name: &'static str) -> Descr {
        Descr {
            name,
            hint: None,
            is_static_object: None,
            fixup_init: None,
            fixup_activate: None,
            fixup_destroy: None,
            fixup_free: None,
            fixup_assert_init: None,
        }
    }

    fn fixup(&self, operation: Operation) -> Option<Fixup> {
        match operation {
            Operation::Init => self.fixup_init,
            Operation::Activate => self.fixup_activate,
            Operation::Destroy => self.fixup_destroy,
            Operation::Free => self.fixup_free,
            Operation::AssertInit => self.fixup_assert_init,
            Operation::Deactivate => None,
        }
    }
}

/// Whether objects are followed.
static ENABLED: AtomicBool = AtomicBool::new(crate::config::CONFIG_DEBUG_OBJECTS_ENABLE_DEFAULT != 0);
static WARNINGS: AtomicUsize = AtomicUsize::new(0);
static FIXUPS: AtomicUsize = AtomicUsize::new(0);
/// Warnings that show a backtrace, at the most: Linux's number.
const LOUD: usize = 5;

/// `debug_objects`: follows objects even if the configuration does not.
#[early_param("debug_objects")]
#[init]
fn enable_object_debug(_value: Option<&'static str>) -> Result<(), Errno> {
    ENABLED.store(true, Relaxed);
    Ok(())
}

/// `no_debug_objects`: follows no objects.
#[early_param("no_debug_objects")]
#[init]
fn disable_object_debug(_value: Option<&'static str>) -> Result<(), Errno> {
    ENABLED.store(false, Relaxed);
    Ok(())
}

/// Makes the pool of the image usable: objects are followed from here on.
#[stage(
    after(crate::arch::x86::cpu::smp_setup_processor_id),
    before(crate::init::stage::local_irq_disable)
)]
#[init]
pub fn debug_objects_early_init() {
    TABLE.lock().add_static_pool();
}

/// From here on the pool is filled from the heap.
#[stage(after(crate::init::main::check_initrd), before(crate::mm::pageset::setup_per_cpu_pageset))]
#[init]
pub fn debug_objects_mem_init() {
    table::use_heap();
}

/// Whether objects are followed now.
#[must_use]
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}

/// Reports that an object is initialised.
pub fn init<T>(object: *const T, descr: &'static Descr) {
    // An object that is initialised wrongly is initialised all the same.
    let _ = operate(Operation::Init, object.addr(), descr);
}

/// Reports that an object is put to use.
///
/// # Errors
///
/// `EINVAL` if it must not be: it is in use or at its end.
pub fn activate<T>(object: *const T, descr: &'static Descr) -> Result<(), Errno> {
    operate(Operation::Activate, object.addr(), descr)
}

/// Reports that an object is taken out of use.
pub fn deactivate<T>(object: *const T, descr: &'static Descr) {
    let _ = operate(Operation::Deactivate, object.addr(), descr);
}

/// Reports that an object is at its end, but for its memory.
pub fn destroy<T>(object: *const T, descr: &'static Descr) {
    let _ = operate(Operation::Destroy, object.addr(), descr);
}

/// Reports that an object's memory goes.
pub fn free<T>(object: *const T, descr: &'static Descr) {
    let _ = operate(Operation::Free, object.addr(), descr);
}

/// Warns if an object is not initialised.
pub fn assert_init<T>(object: *const T, descr: &'static Descr) {
    let _ = operate(Operation::AssertInit, object.addr(), descr);
}

/// Reports that the inner state of an active object goes from `expected` to `next`.
pub fn active_state<T>(object: *const T, descr: &'static Descr, expected: u32, next: u32) {
    if !is_enabled() {
        return;
    }
    let mut table = TABLE.lock();
    let wrong = match table.find(object.addr()) {
        Some(seen) if seen.state == State::Active && seen.active_state == expected => {
            seen.active_state = next;
            return;
        }
        Some(seen) => *seen,
        None => Seen::unknown(object.addr(), descr),
    };
    drop(table);
    complain("active_state", &wrong);
}

/// Warns about every object in use in memory that goes, and forgets the others there: Linux's `debug_check_no_obj_freed`.
pub fn check_no_obj_freed(start: *const u8, size: usize) {
    if !cfg!(CONFIG_DEBUG_OBJECTS_FREE) || !is_enabled() {
        return;
    }
    // One that cannot be mended is forgotten, too: it is reported once.
    loop {
        let Some(active) = TABLE.lock().forget_range(start.addr(), size) else {
            return;
        };
        let mended = wrong(Operation::Free, &active);
        if !mended {
            TABLE.lock().remove(active.object);
        }
    }
}

/// Does what the rules say about `operation`.
fn operate(operation: Operation, object: usize, descr: &'static Descr) -> Result<(), Errno> {
    if !is_enabled() {
        return Ok(());
    }
    table::fill_pool();
    let mut table = TABLE.lock();
    let is_static =
        || matches!(operation, Operation::Activate | Operation::AssertInit) && descr.is_static_object.is_some_and(|check| check(object));
    if table.find(object).is_none() && (operation == Operation::Init || is_static()) {
        let state = if operation == Operation::Init { State::None } else { State::Init };
        if !table.add(Seen {
            state,
            ..Seen::unknown(object, descr)
        }) {
            ENABLED.store(false, Relaxed);
            drop(table);
            pr_warn!("ODEBUG: out of memory. ODEBUG disabled");
            return Ok(());
        }
    }
    let seen = table.find(object).map_or(Seen::unknown(object, descr), |seen| *seen);
    match judge(operation, seen.state, seen.active_state) {
        Verdict::Becomes(state) => {
            if let Some(seen) = table.find(object) {
                seen.state = state;
            }
            return Ok(());
        }
        Verdict::Forget => {
            table.remove(object);
            return Ok(());
        }
        Verdict::Mend | Verdict::Wrong => drop(table),
    }
    if wrong(operation, &seen) { Ok(()) } else { Err(Errno::EINVAL) }
}

/// Reports that `operation` must not be done with an object, and has it mended if that is possible: says whether it was.
fn wrong(operation: Operation, seen: &Seen) -> bool {
    complain(operation.name(), seen);
    let fixup = seen
        .descr
        .fixup(operation)
        .filter(|_| judge(operation, seen.state, seen.active_state) == Verdict::Mend);
    let mended = fixup.is_some_and(|fixup| fixup(seen.object, seen.state));
    FIXUPS.fetch_add(usize::from(mended), Relaxed);
    mended
}

fn complain(operation: &str, seen: &Seen) {
    if WARNINGS.fetch_add(1, Relaxed) < LOUD {
        warn!("ODEBUG: {operation} {seen}");
    }
}

/// Linux's words.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (active state {}) object: {:016x} object type: {}",
            self.state.name(),
            self.active_state,
            self.object,
            self.descr.name
        )?;
        match self.descr.hint {
            Some(hint) => write!(f, " hint: {}", crate::panic::Symbol(hint(self.object))),
            None => f.write_str(" hint: 0x0"),
        }
    }
}

mod tests;

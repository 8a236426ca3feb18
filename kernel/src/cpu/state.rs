//! What is done for each CPU that comes or goes, by declaration.

use crate::prelude::*;
#[cfg(CONFIG_SMP)]
use crate::table::{self, Table};

/// Something that each CPU has of its own: an entry of `__cpu_state`, which `#[cpu_state]` makes.
#[repr(C)]
#[cfg_attr(not(CONFIG_SMP), allow(dead_code, reason = "with one CPU nobody comes or goes"))]
pub struct CpuState {
    startup: fn(usize) -> Result<(), Errno>,
    teardown: Option<fn(usize)>,
    name: &'static str,
}

impl CpuState {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(startup: fn(usize) -> Result<(), Errno>, teardown: Option<fn(usize)>, name: &'static str) -> Self {
        CpuState { startup, teardown, name }
    }

    /// Whether there is something to be called when a CPU goes.
    #[cfg(CONFIG_SMP)]
    #[must_use]
    pub fn has_teardown(&self) -> bool {
        self.teardown.is_some()
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// When a state's functions are called, and where.
#[cfg(CONFIG_SMP)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// On the CPU that brings the other one up, before that is started; its teardown when that has stopped.
    Prepare,
    /// On the CPU itself, with interrupts off, before it is online; its teardown as the last that the CPU does.
    Starting,
    /// On the CPU that brings the other one up, when that is online and idle; its teardown before the CPU is stopped.
    Online,
}

#[cfg(CONFIG_SMP)]
impl Section {
    /// All sections, in the order in which a CPU that comes goes through them.
    #[cfg(CONFIG_KDB)]
    pub(super) const ALL: [(Section, &'static str); 3] = [
        (Section::Prepare, "prepare"),
        (Section::Starting, "starting"),
        (Section::Online, "online"),
    ];

    /// The states of the section, in the order in which they are started.
    pub(super) fn states(self) -> &'static Table<CpuState> {
        match self {
            Section::Prepare => &table::CPU_STATE_PREPARE,
            Section::Starting => &table::CPU_STATE_STARTING,
            Section::Online => &table::CPU_STATE_ONLINE,
        }
    }
}

/// Calls the startup functions of a section for `cpu`. When one fails, the teardown of those before it has been called.
///
/// # Errors
///
/// The error, and whose it is.
#[cfg(CONFIG_SMP)]
pub(super) fn start(section: Section, cpu: usize) -> Result<(), (Errno, &'static CpuState)> {
    let states = section.states();
    for (index, state) in states.iter().enumerate() {
        if let Err(error) = (state.startup)(cpu) {
            stop_first(states, index, cpu);
            return Err((error, state));
        }
    }
    Ok(())
}

/// Calls the teardown functions of a section for `cpu`.
#[cfg(CONFIG_SMP)]
pub(super) fn stop(section: Section, cpu: usize) {
    let states = section.states();
    stop_first(states, states.len(), cpu);
}

/// Calls the teardown functions of the first `count` states, the last of them first.
#[cfg(CONFIG_SMP)]
fn stop_first(states: &Table<CpuState>, count: usize, cpu: usize) {
    let first = (0..count).rev().filter_map(|index| states.get(index));
    first.filter_map(|state| state.teardown).for_each(|teardown| teardown(cpu));
}

//! What is done for each CPU that comes or goes, by declaration.

use linkme::distributed_slice;

use crate::prelude::*;

/// When a state's functions are called, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// On the CPU that brings the other one up, before that is started; its teardown when that has stopped. Memory can be allocated.
    Prepare,
    /// On the CPU itself, with interrupts off, before it is online; its teardown as the last that the CPU does. No waiting, no memory.
    Starting,
    /// On the CPU that brings the other one up, when that is online and idle; its teardown before the CPU is stopped.
    Online,
}

/// Something that each CPU has of its own. Not called for the boot CPU, which is made ready by stages.
///
/// ```ignore
/// #[distributed_slice(CPU_STATES)]
/// static CACHE: CpuState = CpuState { section: Section::Online, name: "mm/cache", startup: |_| Ok(()), teardown: Some(drain) };
/// ```
pub struct CpuState {
    /// When, and where.
    pub section: Section,
    /// What the log calls it: the subsystem, and what of it.
    pub name: &'static str,
    /// Called with the number of the CPU that comes. An error takes back what was done for the CPU so far, and it does not come.
    pub startup: fn(usize) -> Result<(), Errno>,
    /// Called with the number of the CPU that goes, or that does not come after all; in the opposite order.
    pub teardown: Option<fn(usize)>,
}

/// All of them.
#[distributed_slice]
pub static CPU_STATES: [CpuState];

/// The states of a section, in the order of startup.
fn of(section: Section) -> impl DoubleEndedIterator<Item = &'static CpuState> {
    CPU_STATES.iter().filter(move |state| state.section == section)
}

/// Calls the startup functions of a section for `cpu`. When one fails, the teardown of those before it has been called.
///
/// # Errors
///
/// The error, and whose it is.
pub(super) fn start(section: Section, cpu: usize) -> Result<(), (Errno, &'static CpuState)> {
    for state in of(section) {
        if let Err(error) = (state.startup)(cpu) {
            let before = of(section).rev().skip_while(|other| !core::ptr::eq(*other, state)).skip(1);
            before.filter_map(|state| state.teardown).for_each(|teardown| teardown(cpu));
            return Err((error, state));
        }
    }
    Ok(())
}

/// Calls the teardown functions of a section for `cpu`.
pub(super) fn stop(section: Section, cpu: usize) {
    of(section)
        .rev()
        .filter_map(|state| state.teardown)
        .for_each(|teardown| teardown(cpu));
}

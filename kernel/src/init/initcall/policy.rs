//! What becomes of the others when an initcall fails: what it provides is missing, and what cannot do without is skipped.
//!
//! Nothing here costs anything as long as entries without relations succeed.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::initcalls;
use crate::init::capability::CapabilityInfo;
use crate::init::info::{EntryInfo, OnError, State};
use crate::prelude::*;

/// Whether an entry with `on_error(skip_dependents)` is not there, so that functions by path must be looked at.
static DEPENDENTS_SKIPPED: AtomicBool = AtomicBool::new(false);

/// Why an entry is not called: what it names, and the one that is not there for it.
#[derive(Clone, Copy)]
pub struct Reason {
    missing: Missing,
    culprit: Option<&'static EntryInfo>,
}

#[derive(Clone, Copy)]
enum Missing {
    Capability(&'static CapabilityInfo),
    Function(&'static str),
}

impl Reason {
    /// Whether a device that is not there is at the bottom of it, which is no news.
    fn is_absence(&self) -> bool {
        match self.culprit {
            Some(culprit) if culprit.state() == State::Skipped => why_skipped(culprit).is_some_and(|reason| reason.is_absence()),
            Some(culprit) => culprit.error() == Some(Errno::ENODEV),
            None => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.missing, self.culprit) {
            (Missing::Capability(capability), Some(culprit)) => {
                write!(f, "requires {}, whose provider {} ", capability.name(), culprit.name())?;
                say_state(culprit, f)
            }
            (Missing::Capability(capability), None) => write!(f, "requires {}, which nothing has provided", capability.name()),
            (Missing::Function(name), Some(culprit)) => {
                write!(f, "comes after {name}, which ")?;
                say_state(culprit, f)
            }
            (Missing::Function(name), None) => write!(f, "comes after {name}, which did not run"),
        }
    }
}

fn say_state(entry: &EntryInfo, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (entry.state(), entry.error()) {
        (State::Failed, Some(error)) => write!(f, "failed: {error}"),
        (State::Blacklisted, _) => f.write_str("was blacklisted"),
        (State::Skipped, _) => f.write_str("was skipped"),
        _ => f.write_str("did not run"),
    }
}

/// Whether the entry cannot be called. Everything that it comes after has had its turn.
#[inline]
#[init]
pub(super) fn has_obstacle(info: &EntryInfo) -> bool {
    let requires = info.dependencies().map_or(&[] as &[_], |dependencies| dependencies.requires);
    requires.iter().any(|capability| !capability.is_provided()) || (DEPENDENTS_SKIPPED.load(Relaxed) && missing_function(info).is_some())
}

/// Why the entry cannot be called, if it cannot.
fn obstacle(info: &EntryInfo) -> Option<Reason> {
    missing_capability(info).or_else(|| missing_function(info))
}

fn missing_capability(info: &EntryInfo) -> Option<Reason> {
    let capability = info.dependencies()?.requires.iter().find(|capability| !capability.is_provided())?;
    Some(Reason {
        missing: Missing::Capability(capability),
        culprit: capability.missed(),
    })
}

/// The function that the entry comes after and that takes its dependents with it.
#[cold]
fn missing_function(info: &EntryInfo) -> Option<Reason> {
    let after = info.dependencies().map_or(&[] as &[_], |dependencies| dependencies.after);
    let culprit = initcalls().filter(|other| takes_dependents(other)).find(|other| {
        let before = other.dependencies().map_or(&[] as &[_], |dependencies| dependencies.before);
        after.contains(&other.path()) || before.contains(&info.path())
    })?;
    Some(Reason {
        missing: Missing::Function(culprit.name()),
        culprit: Some(culprit),
    })
}

/// Whether the entry is not there and says that those behind it must not run then.
fn takes_dependents(entry: &EntryInfo) -> bool {
    entry.on_error() == OnError::SkipDependents && matches!(entry.state(), State::Failed | State::Skipped | State::Blacklisted)
}

/// Draws the consequences of the state that the entry is in now.
#[inline]
#[init]
pub(in crate::init) fn settle(info: &'static EntryInfo) {
    let state = info.state();
    let is_there = state == State::Ok || (state == State::Failed && info.on_error() == OnError::Ignore);
    if let Some(dependencies) = info.dependencies() {
        for capability in dependencies.provides {
            if is_there {
                capability.set_provided();
            } else {
                capability.set_missed(info);
            }
        }
    }
    if !is_there && takes_dependents(info) {
        DEPENDENTS_SKIPPED.store(true, Relaxed);
        super::look_at_each();
    }
}

/// Notes and says that the entry is not called, and why; ends the boot if it says so.
///
/// # Panics
///
/// With `on_error(panic)`.
#[cold]
#[init]
pub(super) fn skip(info: &'static EntryInfo) {
    super::turn();
    let Some(reason) = obstacle(info) else { return };
    info.set_skipped();
    settle(info);
    if info.on_error() == OnError::Panic {
        panic!("initcall {} skipped: {reason}, and the boot cannot go on without it", info.name());
    }
    if reason.is_absence() {
        pr_info!("initcall {} skipped: {reason}", info.name());
    } else {
        pr_warn!("initcall {} skipped: {reason}", info.name());
    }
}

/// Says that the entry came back with `error`, unless it wants nobody to know; ends the boot if it says so.
///
/// # Panics
///
/// With `on_error(panic)`.
#[cold]
#[init]
pub(super) fn report_error(info: &EntryInfo, error: Errno, debug: bool) {
    match info.on_error() {
        OnError::Panic => panic!("initcall {} failed: {error}, and the boot cannot go on without it", info.name()),
        OnError::Ignore => {}
        // Linux keeps an error to itself unless initcall_debug is set; one that nobody hears of helps nobody. A driver without its device is no news.
        OnError::Warn | OnError::SkipDependents if !debug && error != Errno::ENODEV => {
            pr_warn!("initcall {} failed: {error}", info.name());
        }
        OnError::Warn | OnError::SkipDependents => {}
    }
}

/// Why the entry was skipped, if it was.
#[must_use]
pub fn why_skipped(info: &'static EntryInfo) -> Option<Reason> {
    if info.state() == State::Skipped { obstacle(info) } else { None }
}

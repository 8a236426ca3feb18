//! Capabilities: what one function of the boot brings about and others need, by a name of its own.
//!
//! Nobody names a function that the configuration may remove; a function names what it needs, and the build finds out who provides it. Whether that one has
//! succeeded is known here, at run time.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};

use super::info::EntryInfo;
use crate::table;

/// A type that stands for a capability. Made by `#[capability]`, named in `provides(…)`, `requires(…)` and `wants(…)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no capability",
    label = "must be a type that is declared with `#[capability]`",
    note = "a function is named in `after(…)` or `before(…)`; a capability is declared as `#[capability] pub struct Name;`"
)]
pub trait Capability {
    /// Its full path.
    const PATH: &'static str;
    /// What is known of it.
    #[doc(hidden)]
    const INFO: &'static CapabilityInfo;
}

/// Name, source place and state of a capability.
pub struct CapabilityInfo {
    name: &'static str,
    path: &'static str,
    file: &'static str,
    line: u32,
    provided: AtomicBool,
    missed: AtomicPtr<EntryInfo>,
}

impl CapabilityInfo {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, path: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            name,
            path,
            file,
            line,
            provided: AtomicBool::new(false),
            missed: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Its name in messages: the identifier in snake case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its full path.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Source file and line.
    #[must_use]
    pub const fn place(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    /// Whether something that provides it has succeeded.
    #[must_use]
    pub fn is_provided(&self) -> bool {
        self.provided.load(Relaxed)
    }

    /// The one that was to provide it and did not, if there is one.
    #[must_use]
    pub fn missed(&self) -> Option<&'static EntryInfo> {
        // SAFETY: only `set_missed` stores here, a reference to a static.
        unsafe { self.missed.load(Relaxed).as_ref() }
    }

    /// Notes that something that provides it has succeeded.
    pub(super) fn set_provided(&self) {
        self.provided.store(true, Relaxed);
    }

    /// Notes that `provider`, which was to provide it, did not.
    pub(super) fn set_missed(&self, provider: &'static EntryInfo) {
        self.missed.store(ptr::from_ref(provider).cast_mut(), Relaxed);
    }
}

/// An entry of `.capability`.
#[repr(C)]
pub struct CapabilityEntry {
    info: &'static CapabilityInfo,
}

impl CapabilityEntry {
    /// What the attribute makes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(info: &'static CapabilityInfo) -> Self {
        Self { info }
    }
}

/// The capabilities of the image, by path.
pub fn capabilities() -> impl Iterator<Item = &'static CapabilityInfo> {
    table::CAPABILITY.iter().map(|entry| entry.info)
}

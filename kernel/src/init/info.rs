//! What is known of a stage or an initcall: kept when the entry itself, in init memory, is gone.

use core::fmt;
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use incipit_lib::errno::Errno;

use super::capability::CapabilityInfo;
use crate::arch::x86::tsc::rdtsc;
use crate::percpu::smp_processor_id;
#[cfg(CONFIG_INITCALL_PARALLEL)]
use crate::prelude::*;

/// Name, source place, state, result and time of one declared function.
///
/// The build lays these out in the order in which the functions run.
#[repr(C)]
pub struct EntryInfo {
    name: &'static str,
    path: &'static str,
    file: &'static str,
    line: u32,
    level: Level,
    on_error: OnError,
    state: AtomicU8,
    cpu: AtomicU8,
    result: AtomicI32,
    waited_us: AtomicU32,
    started: AtomicU64,
    took: AtomicU64,
    dependencies: Option<&'static Dependencies>,
}

/// What a function says of its place among the others, as it was declared.
pub struct Dependencies {
    /// Paths of what it comes after.
    pub after: &'static [&'static str],
    /// Paths of what it comes before.
    pub before: &'static [&'static str],
    /// What is there when it has succeeded.
    pub provides: &'static [&'static CapabilityInfo],
    /// What it cannot do without.
    pub requires: &'static [&'static CapabilityInfo],
    /// What it comes after if it is there.
    pub wants: &'static [&'static CapabilityInfo],
}

/// What an error of an initcall means for the rest of the boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OnError {
    /// Nothing: its capabilities count as provided.
    Ignore,
    /// It is logged, and what requires its capabilities is skipped.
    Warn,
    /// As `Warn`, and what comes after the function by path is skipped, too.
    SkipDependents,
    /// The boot ends.
    Panic,
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ignore => "ignore",
            Self::Warn => "warn",
            Self::SkipDependents => "skip_dependents",
            Self::Panic => "panic",
        })
    }
}

/// Where in the boot a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // The names are the levels'.
pub enum Level {
    Stage,
    Console,
    Early,
    Pure,
    PureSync,
    Core,
    CoreSync,
    Postcore,
    PostcoreSync,
    Arch,
    ArchSync,
    Subsys,
    SubsysSync,
    Fs,
    FsSync,
    Rootfs,
    RootfsSync,
    Device,
    DeviceSync,
    Late,
    LateSync,
}

impl Level {
    /// The level as the attribute spells it, an `s` behind it for the second half, as Linux's macros have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        const NAMES: [&str; 21] = [
            "stage",
            "console",
            "early",
            "pure",
            "pure_s",
            "core",
            "core_s",
            "postcore",
            "postcore_s",
            "arch",
            "arch_s",
            "subsys",
            "subsys_s",
            "fs",
            "fs_s",
            "rootfs",
            "rootfs_s",
            "device",
            "device_s",
            "late",
            "late_s",
        ];
        NAMES[self as usize]
    }
}

/// How far a function has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not yet called.
    Pending = 0,
    /// Called, and not back.
    Running = 1,
    /// Came back without an error.
    Ok = 2,
    /// Came back with an error.
    Failed = 3,
    /// Not called because `initcall_blacklist=` names it.
    Blacklisted = 4,
    /// Not called because something that it depends on is not there.
    Skipped = 5,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Blacklisted => "blacklisted",
            Self::Skipped => "skipped",
        })
    }
}

/// Where a CPU keeps which function it runs, for reports of faults.
pub(super) trait Runner {
    /// The function that this CPU runs.
    fn current() -> *mut EntryInfo;
    /// Notes the function that this CPU runs.
    fn set_current(entry: *mut EntryInfo);
}

/// The boot CPU, which runs all of them unless it is asked to share.
pub(super) struct BootCpu;

static CURRENT: AtomicPtr<EntryInfo> = AtomicPtr::new(core::ptr::null_mut());

impl Runner for BootCpu {
    #[inline]
    fn current() -> *mut EntryInfo {
        CURRENT.load(Relaxed)
    }

    #[inline]
    fn set_current(entry: *mut EntryInfo) {
        CURRENT.store(entry, Relaxed);
    }
}

/// Whichever CPU it is.
#[cfg(CONFIG_INITCALL_PARALLEL)]
pub(super) struct AnyCpu;

/// What CPUs other than the boot CPU run.
#[cfg(CONFIG_INITCALL_PARALLEL)]
#[percpu]
static CURRENT_HERE: AtomicPtr<EntryInfo> = AtomicPtr::new(core::ptr::null_mut());

#[cfg(CONFIG_INITCALL_PARALLEL)]
impl Runner for AnyCpu {
    fn current() -> *mut EntryInfo {
        match smp_processor_id() {
            0 => BootCpu::current(),
            _ => CURRENT_HERE.with_this_cpu(|here| here.load(Relaxed)),
        }
    }

    fn set_current(entry: *mut EntryInfo) {
        match smp_processor_id() {
            0 => BootCpu::set_current(entry),
            _ => CURRENT_HERE.with_this_cpu(|here| here.store(entry, Relaxed)),
        }
    }
}

/// The stage or initcall that this CPU runs, if it runs one.
#[must_use]
pub fn current() -> Option<&'static EntryInfo> {
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    let current = AnyCpu::current();
    #[cfg(not(CONFIG_INITCALL_PARALLEL))]
    let current = if smp_processor_id() == 0 {
        BootCpu::current()
    } else {
        core::ptr::null_mut()
    };
    // SAFETY: only `EntryInfo::begin` and `end` note what runs, pointers to statics.
    unsafe { current.as_ref() }
}

/// A function that has been called: what ran before it, and when it was called.
pub(super) struct Running {
    outer: *mut EntryInfo,
    started: u64,
}

impl Running {
    /// For `entry`, which runs now, and which is not ended by who began it.
    pub(super) fn outermost(entry: &EntryInfo) -> Self {
        Self {
            outer: core::ptr::null_mut(),
            started: entry.started(),
        }
    }
}

impl EntryInfo {
    /// What the attributes make.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        path: &'static str,
        file: &'static str,
        line: u32,
        level: Level,
        on_error: OnError,
        dependencies: Option<&'static Dependencies>,
    ) -> Self {
        let state = AtomicU8::new(State::Pending as u8);
        Self {
            name,
            path,
            file,
            line,
            level,
            on_error,
            state,
            cpu: AtomicU8::new(0),
            result: AtomicI32::new(0),
            waited_us: AtomicU32::new(0),
            started: AtomicU64::new(0),
            took: AtomicU64::new(0),
            dependencies,
        }
    }

    /// The function's identifier.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The function's full path.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Source file and line.
    #[must_use]
    pub const fn place(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    /// Where in the boot it runs.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// What an error of it means.
    #[must_use]
    pub const fn on_error(&self) -> OnError {
        self.on_error
    }

    /// What it says of its place among the others, if it says something.
    #[must_use]
    pub const fn dependencies(&self) -> Option<&'static Dependencies> {
        self.dependencies
    }

    /// Whether `word`, as a user types it, means this function: its identifier or its full path.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        word == self.name || word == self.path
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> State {
        match self.state.load(Relaxed) {
            0 => State::Pending,
            1 => State::Running,
            2 => State::Ok,
            3 => State::Failed,
            4 => State::Blacklisted,
            _ => State::Skipped,
        }
    }

    /// The error it came back with, if it did.
    #[must_use]
    pub fn error(&self) -> Option<Errno> {
        Errno::from_code(self.result.load(Relaxed))
    }

    /// When it was called: the time stamp counter.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.started.load(Relaxed)
    }

    /// How many ticks of the time stamp counter it took.
    #[must_use]
    pub fn took(&self) -> u64 {
        self.took.load(Relaxed)
    }

    /// The CPU that it was called on.
    #[must_use]
    pub fn cpu(&self) -> usize {
        self.cpu.load(Relaxed).into()
    }

    /// How many microseconds it has waited for its turn, which [`took`](Self::took) is without.
    #[must_use]
    pub fn waited_us(&self) -> u32 {
        self.waited_us.load(Relaxed)
    }

    /// Notes that the function, which is back, was called on `cpu` and has waited for its turn for so long: ticks of the time stamp counter, and microseconds.
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    pub(super) fn set_place(&self, cpu: usize, waited: u64, waited_us: u32) {
        // There are 64 CPUs at most.
        self.cpu.store(cpu as u8, Relaxed);
        self.took.store(self.took().saturating_sub(waited), Relaxed);
        self.waited_us.store(waited_us, Relaxed);
    }

    /// Notes that the function is called now.
    #[inline]
    pub(super) fn begin<R: Runner>(&'static self) -> Running {
        let outer = R::current();
        R::set_current(core::ptr::from_ref(self).cast_mut());
        self.state.store(State::Running as u8, Relaxed);
        let started = rdtsc();
        self.started.store(started, Relaxed);
        Running { outer, started }
    }

    /// Notes that the function is back; `running` is what [`begin`](Self::begin) returned. How it went is to be noted next.
    #[inline]
    pub(super) fn end<R: Runner>(&self, running: Running) {
        self.took.store(rdtsc() - running.started, Relaxed);
        R::set_current(running.outer);
    }

    /// Notes that the function came back without an error.
    #[inline]
    pub(super) fn set_ok(&self) {
        self.state.store(State::Ok as u8, Relaxed);
    }

    /// Notes that the function is not called.
    pub(super) fn set_blacklisted(&self) {
        self.state.store(State::Blacklisted as u8, Relaxed);
    }

    /// Notes that the function is not called for want of something else.
    pub(super) fn set_skipped(&self) {
        self.state.store(State::Skipped as u8, Relaxed);
    }

    /// Notes that the function failed with `error`.
    #[inline]
    pub(super) fn set_failed(&self, error: Errno) {
        self.result.store(error.code(), Relaxed);
        self.state.store(State::Failed as u8, Relaxed);
    }
}

impl fmt::Display for EntryInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.level == Level::Stage { "stage" } else { "initcall" };
        write!(f, "{kind} {} ({}:{})", self.name, self.file, self.line)
    }
}

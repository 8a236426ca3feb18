//! Stages, initcalls and parameters as text, a row each: what the monitor shows, for people and, with tabs between the fields, for programs.
//!
//! Only formats; who shows the rows, and where, is not known here. In the form for programs the first line names the columns behind a `#`, a field without a
//! value is `-`, and no field holds a tab or a line break ([`Field`]). More columns may come behind those that there are.

use core::fmt::{self, Display};

use incipit_lib::text::Field;

use super::info::{EntryInfo, State};
use super::param::KernelParam;
use crate::arch::x86::tsc::tsc_khz;
use crate::table;

/// The columns of [`row`].
pub const HEADING: &str = "  #  level      state       result       usecs  name                         source";

/// The columns of [`raw_row`].
pub const RAW_HEADING: &str = "#level\tname\tpath\tsource\tstate\terror\tstart_ns\ttook_ns\tinstructions\ton_error\treason";

/// The columns of [`raw_param`].
pub const RAW_PARAM_HEADING: &str = "#parameter\ttype\tperm\tfrom\tsource\tvalue";

/// What is known of `entry`, in columns.
pub fn row(number: usize, entry: &EntryInfo) -> impl Display {
    fmt::from_fn(move |f| {
        write!(f, "{number:>3}  {:<10} {:<11} ", entry.level().name(), entry.state())?;
        match (entry.state(), entry.error()) {
            (_, Some(error)) => write!(f, "{error:<8} ")?,
            (State::Ok, None) => write!(f, "{:<8} ", 0)?,
            _ => write!(f, "{:<8} ", "-")?,
        }
        let (file, line) = entry.place();
        write!(f, "{:>9}  {:<28} {file}:{line}", nanoseconds(entry.took()) / 1000, entry.name())
    })
}

/// The same for programs.
pub fn raw_row(entry: &EntryInfo) -> impl Display {
    fmt::from_fn(move |f| {
        let (file, line) = entry.place();
        let (called, back) = has_run(entry.state());
        let start = called.then(|| nanoseconds(entry.started().saturating_sub(boot_start())));
        let took = back.then(|| entry.took());
        write!(f, "{}\t{}\t{}\t", entry.level().name(), Field(entry.name()), Field(entry.path()))?;
        write!(f, "{}:{line}\t{}\t{}\t", Field(file), entry.state(), OrNone(entry.error()))?;
        write!(f, "{}\t{}\t-\t-\t-", OrNone(start), OrNone(took.map(nanoseconds)))
    })
}

/// What is known of `param`, for programs.
pub fn raw_param(param: &KernelParam) -> impl Display {
    fmt::from_fn(move |f| {
        let (file, line) = param.place();
        let (name, kind, perm, origin) = (Field(param.name()), param.type_name(), param.perm(), param.origin());
        write!(
            f,
            "{name}\t{kind}\t{perm:04o}\t{origin}\t{}:{line}\t{}",
            Field(file),
            Field(param.value())
        )
    })
}

/// A value, or what stands for none.
struct OrNone<T>(Option<T>);

impl<T: Display> Display for OrNone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.pad("-"),
        }
    }
}

/// Whether a function in this state was called, and whether it came back.
const fn has_run(state: State) -> (bool, bool) {
    match state {
        State::Running => (true, false),
        State::Ok | State::Failed => (true, true),
        State::Pending | State::Blacklisted | State::Skipped => (false, false),
    }
}

/// When the first stage was called: the time stamp counter.
fn boot_start() -> u64 {
    table::STAGE_INFO.get(0).map_or(0, EntryInfo::started)
}

/// Ticks of the time stamp counter in nanoseconds; 0 if its rate is not known.
fn nanoseconds(ticks: u64) -> u64 {
    match tsc_khz() {
        0 => 0,
        khz => u64::try_from(u128::from(ticks) * 1_000_000 / u128::from(khz)).unwrap_or(u64::MAX),
    }
}

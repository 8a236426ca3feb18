//! Stages, initcalls and parameters as text, a row each: what the monitor shows, for people and, with tabs between the fields, for programs.
//!
//! Only formats; who shows the rows, and where, is not known here. In the form for programs the first line names the columns behind a `#`, a field without a
//! value is `-`, and no field holds a tab or a line break ([`Field`]). More columns may come behind those that there are.

use core::fmt::{self, Display};

use incipit_lib::text::Field;

use super::capability::CapabilityInfo;
use super::info::{Dependencies, EntryInfo, Level, State};
use super::initcall::{initcalls, sharing_cpus, why_skipped};
use super::param::KernelParam;
use super::stage::stages;
use crate::arch::x86::tsc::{counts_instructions, tsc_khz};
use crate::table;

/// The columns of [`Listing::raw_row`].
pub const RAW_HEADING: &str = "#level\tname\tpath\tsource\tstate\terror\tstart_ns\ttook_ns\tinstructions\ton_error\treason\tcpu\twaited_ns";

/// The columns of [`raw_param`].
pub const RAW_PARAM_HEADING: &str = "#parameter\ttype\tperm\tfrom\tsource\tvalue";

/// What the rows of a listing of entries have in common.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    counts_instructions: bool,
    is_shared: bool,
}

impl Listing {
    /// A listing on this machine, now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            counts_instructions: counts_instructions(),
            is_shared: sharing_cpus().is_some(),
        }
    }

    /// The names of the columns of [`row`](Self::row).
    pub fn heading(&self) -> impl Display {
        let instructions = if self.counts_instructions { "instructions  " } else { "" };
        let place = if self.is_shared { "cpu  waited us  " } else { "" };
        fmt::from_fn(move |f| {
            write!(
                f,
                "  #  level      state       result       usecs  name                         {instructions}{place}source"
            )
        })
    }

    /// What is known of `entry`, in columns.
    pub fn row(&self, number: usize, entry: &'static EntryInfo) -> impl Display {
        fmt::from_fn(move |f| {
            write!(f, "{number:>3}  {:<10} {:<11} ", entry.level().name(), entry.state())?;
            match (entry.state(), entry.error()) {
                (_, Some(error)) => write!(f, "{error:<8} ")?,
                (State::Ok, None) => write!(f, "{:<8} ", 0)?,
                _ => write!(f, "{:<8} ", "-")?,
            }
            write!(f, "{:>9}  {:<28} ", nanoseconds(entry.took()) / 1000, entry.name())?;
            if self.counts_instructions {
                write!(f, "{:>12}  ", OrNone(self.instructions(entry)))?;
            }
            if self.is_shared {
                let waited = self.place(entry).map(|_| entry.waited_us());
                write!(f, "{:>3}  {:>9}  ", OrNone(self.place(entry)), OrNone(waited))?;
            }
            write!(f, "{}", Place(entry.place()))?;
            why_skipped(entry).map_or(Ok(()), |reason| write!(f, ": {reason}"))
        })
    }

    /// The same for programs.
    pub fn raw_row(&self, entry: &'static EntryInfo) -> impl Display {
        fmt::from_fn(move |f| {
            let (level, name, path, place) = (entry.level().name(), entry.name(), entry.path(), entry.place());
            write!(f, "{level}\t{}\t{}\t{}\t", Field(name), Field(path), Field(Place(place)))?;
            write!(f, "{}\t{}\t", entry.state(), OrNone(entry.error()))?;
            write!(
                f,
                "{}\t{}\t",
                OrNone(start(entry).map(nanoseconds)),
                OrNone(took(entry).map(nanoseconds))
            )?;
            let on_error = (entry.level() != Level::Stage).then(|| entry.on_error());
            write!(f, "{}\t{}\t", OrNone(self.instructions(entry)), OrNone(on_error))?;
            let waited = self.place(entry).map(|_| u64::from(entry.waited_us()) * 1000);
            write!(
                f,
                "{}\t{}\t{}",
                Field(OrNone(why_skipped(entry))),
                OrNone(self.place(entry)),
                OrNone(waited)
            )
        })
    }

    /// All that is known of `entry`, a line for each thing; the last one ends without a line feed.
    pub fn details(&self, entry: &'static EntryInfo) -> impl Display {
        fmt::from_fn(move |f| {
            write!(f, "path      {}\nsource    {}", entry.path(), Place(entry.place()))?;
            write!(f, "\nlevel     {}\nstate     {}", entry.level().name(), entry.state())?;
            entry.error().map_or(Ok(()), |error| write!(f, " {error}"))?;
            why_skipped(entry).map_or(Ok(()), |reason| write!(f, ": {reason}"))?;
            if let Some(took) = took(entry) {
                write!(f, "\ntook      {} usecs", nanoseconds(took) / 1000)?;
            }
            if let Some(instructions) = self.instructions(entry) {
                write!(f, ", {instructions} instructions")?;
            }
            if entry.level() != Level::Stage {
                write!(f, "\non_error  {}", entry.on_error())?;
            }
            entry
                .dependencies()
                .map_or(Ok(()), |dependencies| write_dependencies(f, dependencies))
        })
    }

    /// The CPU that `entry` was called on, if several shared the initcalls.
    fn place(&self, entry: &EntryInfo) -> Option<usize> {
        start(entry)
            .filter(|_| self.is_shared && entry.level() >= Level::Pure)
            .map(|_| entry.cpu())
    }

    /// How many instructions `entry` took, if that can be known.
    fn instructions(&self, entry: &EntryInfo) -> Option<u64> {
        took(entry).filter(|_| self.counts_instructions)
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self::new()
    }
}

fn write_dependencies(f: &mut fmt::Formatter<'_>, dependencies: &Dependencies) -> fmt::Result {
    for (word, paths) in [("after", dependencies.after), ("before", dependencies.before)] {
        paths.iter().try_for_each(|path| write!(f, "\n{word:<9} {path}"))?;
    }
    let capabilities = [
        ("provides", dependencies.provides),
        ("requires", dependencies.requires),
        ("wants", dependencies.wants),
    ];
    for (word, capabilities) in capabilities {
        for capability in capabilities {
            write!(f, "\n{word:<9} {} ({})", capability.path(), Place(capability.place()))?;
        }
    }
    Ok(())
}

/// What is known of `capability`: its name, whether it is there, its source place, and a line for each function that provides it.
pub fn capability(capability: &'static CapabilityInfo) -> impl Display {
    fmt::from_fn(move |f| {
        let state = if capability.is_provided() { "provided" } else { "missing" };
        write!(f, "{:<20} {state:<9} {}", capability.name(), Place(capability.place()))?;
        for entry in stages().chain(initcalls()).filter(|entry| provides(entry, capability)) {
            write!(f, "\n  {:<18} {:<9} {}", entry.name(), entry.state(), Place(entry.place()))?;
            why_skipped(entry).map_or(Ok(()), |reason| write!(f, ": {reason}"))?;
        }
        Ok(())
    })
}

fn provides(entry: &EntryInfo, capability: &CapabilityInfo) -> bool {
    let provided = entry.dependencies().map_or(&[] as &[_], |dependencies| dependencies.provides);
    provided.iter().any(|provided| core::ptr::eq(*provided, capability))
}

/// What is known of `param`, for programs.
pub fn raw_param(param: &KernelParam) -> impl Display {
    fmt::from_fn(move |f| {
        let (name, kind, perm, origin) = (Field(param.name()), param.type_name(), param.perm(), param.origin());
        let (place, value) = (Field(Place(param.place())), Field(param.value()));
        write!(f, "{name}\t{kind}\t{perm:04o}\t{origin}\t{place}\t{value}")
    })
}

/// A source file and a line in it.
struct Place((&'static str, u32));

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = self.0;
        write!(f, "{file}:{line}")
    }
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

/// When `entry` was called, in ticks since the first stage was; `None` if it was not, be its state what it may.
fn start(entry: &EntryInfo) -> Option<u64> {
    let first = table::STAGE_INFO.get(0).map_or(0, EntryInfo::started);
    Some(entry.started())
        .filter(|started| *started != 0)
        .map(|started| started.saturating_sub(first))
}

/// How many ticks `entry` took; `None` if it was not called, or is not back.
fn took(entry: &EntryInfo) -> Option<u64> {
    start(entry).filter(|_| entry.state() != State::Running).map(|_| entry.took())
}

/// Ticks of the time stamp counter in nanoseconds; 0 if its rate is not known.
pub(super) fn nanoseconds(ticks: u64) -> u64 {
    match tsc_khz() {
        0 => 0,
        khz => u64::try_from(u128::from(ticks) * 1_000_000 / u128::from(khz)).unwrap_or(u64::MAX),
    }
}

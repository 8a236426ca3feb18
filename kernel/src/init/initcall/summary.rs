//! How long the initcalls have taken: from the first to the last, all added up, and those of them that would have to follow each other in any case.
//!
//! Takes no memory, so that the monitor may ask wherever the kernel has stopped.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit_lib::walk::longest_chain;

use crate::arch::x86::tsc::{counts_instructions, rdtsc};
use crate::init::info::{EntryInfo, Level};
use crate::init::listing::nanoseconds;
use crate::prelude::*;
use crate::table;

/// How many initcalls of a level can be looked at for its longest chain.
const MOST: usize = 256;

/// How many ticks of the time stamp counter the levels from `pure` to `late` took, with their parameters.
static WALL: AtomicU64 = AtomicU64::new(0);

/// Notes how long it has lived as the time of all levels.
pub(super) struct Measurement(u64);

impl Measurement {
    #[inline]
    pub(super) fn new() -> Self {
        Self(rdtsc())
    }
}

impl Drop for Measurement {
    #[inline]
    fn drop(&mut self) {
        WALL.store(rdtsc() - self.0, Relaxed);
    }
}

/// How many CPUs the initcalls from `pure` to `late` were shared by, if they were.
pub(in crate::init) fn sharing_cpus() -> Option<u32> {
    #[cfg(CONFIG_INITCALL_PARALLEL)]
    return super::parallel::cpus();
    #[cfg(not(CONFIG_INITCALL_PARALLEL))]
    None
}

/// The initcalls from `pure` to `late` as one: [`Display`](fmt::Display) writes what they took, the last line without a line feed.
pub struct Summary {
    counts_instructions: bool,
}

impl Summary {
    /// A summary of what has run so far.
    #[must_use]
    pub fn new() -> Self {
        Self {
            counts_instructions: counts_instructions(),
        }
    }

    fn amount(&self, ticks: u64) -> impl fmt::Display {
        let counts_instructions = self.counts_instructions;
        fmt::from_fn(move |f| match counts_instructions {
            true => write!(f, "{ticks} instructions"),
            false => write!(f, "{} usecs", nanoseconds(ticks) / 1000),
        })
    }

    /// Writes a level's longest chain, if it takes any time, and returns how long that is.
    fn write_chain(&self, f: &mut fmt::Formatter<'_>, level: &Initcalls) -> Result<u64, fmt::Error> {
        let (mut rest, mut next) = ([0; MOST], [0; MOST]);
        let (Some(rest), Some(next)) = (rest.get_mut(..level.count), next.get_mut(..level.count)) else {
            write!(f, "\n  more than {MOST} initcalls in a level are not looked at")?;
            return Ok(level.all().map(EntryInfo::took).sum());
        };
        let cost = |index| level.get(index).map_or(0, EntryInfo::took);
        let is_after = |then, first| {
            level
                .get(then)
                .zip(level.get(first))
                .is_some_and(|(then, first)| is_after(then, first))
        };
        let Some((mut at, longest)) = longest_chain(rest, next, cost, is_after).filter(|(_, longest)| *longest != 0) else {
            return Ok(0);
        };
        let (name, level_name) = (
            |at| level.get(at).map_or("", EntryInfo::name),
            level.get(at).map_or("", |info| info.level().name()),
        );
        write!(f, "\n  {level_name:<10}{}: {}", self.amount(longest), name(at))?;
        while usize::from(next[at]) != at {
            at = next[at].into();
            write!(f, ", {}", name(at))?;
        }
        Ok(longest)
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = || Initcalls::levels().flat_map(|level| level.all());
        let called = shared().filter(|info| info.started() != 0).count();
        let sum = shared().map(EntryInfo::took).sum();
        match sharing_cpus() {
            Some(cpus) => write!(f, "on {cpus} CPUs: {}", self.amount(WALL.load(Relaxed)))?,
            None => write!(f, "one after the other: {}", self.amount(WALL.load(Relaxed)))?,
        }
        write!(f, "\n{called} initcalls by themselves: {}", self.amount(sum))?;
        if sharing_cpus().is_some() {
            let waited: u64 = shared().map(|info| u64::from(info.waited_us())).sum();
            write!(f, "\nwaiting for their turn: {waited} usecs")?;
        }
        f.write_str("\nthe longest chain of each level:")?;
        let mut critical = 0;
        for level in Initcalls::levels() {
            critical += self.write_chain(f, &level)?;
        }
        write!(
            f,
            "\nthese chains: {}, so that any number of CPUs could save {} at most",
            self.amount(critical),
            self.amount(sum.saturating_sub(critical))
        )
    }
}

/// The initcalls of one level, as they stand in the table.
struct Initcalls {
    first: usize,
    count: usize,
}

impl Initcalls {
    /// The levels that are walked behind the start of the other CPUs.
    fn levels() -> impl Iterator<Item = Initcalls> {
        let level_of = |index| table::INITCALL_INFO.get(index).map(EntryInfo::level);
        let mut first = 0;
        core::iter::from_fn(move || {
            let level = level_of(first)?;
            let count = (first..).take_while(|index| level_of(*index) == Some(level)).count();
            first += count;
            Some((
                level,
                Initcalls {
                    first: first - count,
                    count,
                },
            ))
        })
        .filter_map(|(level, initcalls)| (level >= Level::Pure).then_some(initcalls))
    }

    fn get(&self, index: usize) -> Option<&'static EntryInfo> {
        table::INITCALL_INFO.get(self.first + index)
    }

    fn all(&self) -> impl Iterator<Item = &'static EntryInfo> + use<> {
        let first = self.first;
        (first..first + self.count).filter_map(|index| table::INITCALL_INFO.get(index))
    }
}

/// Whether a relation has `then` wait for `first`.
fn is_after(then: &EntryInfo, first: &EntryInfo) -> bool {
    let of_first = first.dependencies();
    if of_first.is_some_and(|of_first| of_first.before.contains(&then.path())) {
        return true;
    }
    then.dependencies().is_some_and(|of_then| {
        let mut needed = of_then.requires.iter().chain(of_then.wants);
        let provided = of_first.map_or(&[] as &[_], |of_first| of_first.provides);
        of_then.after.contains(&first.path()) || needed.any(|needed| provided.iter().any(|provided| core::ptr::eq(*needed, *provided)))
    })
}

#[ktest]
fn no_chain_takes_longer_than_all_initcalls() {
    let all = Initcalls::levels().map(|level| level.count).sum::<usize>();
    let early = table::INITCALL_INFO.iter().filter(|info| info.level() < Level::Pure).count();
    assert_eq!(all + early, table::INITCALL_INFO.len());
    assert!(
        WALL.load(Relaxed)
            >= Initcalls::levels()
                .flat_map(|level| level.all())
                .map(EntryInfo::took)
                .max()
                .unwrap_or(0)
    );
}

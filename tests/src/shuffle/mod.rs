//! Finds initcalls that rely on an order that nobody declared: boots an image in many legal orders, and narrows the first one that goes differently down to
//! the pair that matters.
//!
//! The kernel makes the orders (`initcall_shuffle=`); here are only boots, comparisons and the search between an order that goes well and one that does
//! not.

mod outcome;
mod search;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use incipit_linker::graph::Graph;
use incipit_linker::seal::image::Image;
use incipit_linker::seal::records::Record;

use crate::log::Log;
use crate::machine::Machine;
use outcome::Outcome;
use search::{Culprits, Place};

/// How many guests run at a time.
const THREADS: usize = 2;

/// What came of the search.
#[derive(Debug)]
pub enum Verdict {
    /// Every order went as the image's own.
    Passed,
    /// An order went differently; the lines say how, and which pair of initcalls it depends on.
    Failed(String),
}

/// An image, and how it is booted.
#[derive(Debug)]
pub struct Shuffle {
    machine: Machine,
    /// The declarations of its initcalls, in its own order.
    initcalls: Vec<Record>,
}

impl Shuffle {
    /// For the image `vmlinux`, booted with `words` on its command line.
    ///
    /// # Errors
    ///
    /// If the image cannot be read.
    pub fn new(vmlinux: &Path, words: &str) -> Result<Self> {
        let entries = Graph::of_image(&Image::read(vmlinux)?)?.entries.into_iter();
        let initcalls = entries.filter(|node| node.part.name != "stage").map(|node| node.record).collect();
        let machine = Machine::new(vmlinux).append("initcall_debug ignore_loglevel").append(words);
        Ok(Self { machine, initcalls })
    }

    /// Boots with each of `count` seeds from `first` on, and tells `progress` how many have been tried.
    ///
    /// # Errors
    ///
    /// If QEMU cannot be run, or the image's own order does not go the same way twice.
    pub fn run(&self, first: u64, count: u64, progress: impl Fn(u64) + Sync) -> Result<Verdict> {
        let (good, again) = (self.boot(None)?.1, self.boot(None)?.1);
        ensure!(
            again == good,
            "two boots in the image's own order do not go the same way: {}",
            good.difference(&again)
        );
        match self.first_failure(first, count, &good, progress)? {
            None => Ok(Verdict::Passed),
            Some(seed) => self.explain(seed, &good).map(Verdict::Failed),
        }
    }

    /// The least seed whose order goes differently.
    fn first_failure(&self, first: u64, count: u64, good: &Outcome, progress: impl Fn(u64) + Sync) -> Result<Option<u64>> {
        let (next, tried) = (AtomicU64::new(0), AtomicU64::new(0));
        let failed: Mutex<Vec<u64>> = Mutex::default();
        let work = || -> Result<()> {
            loop {
                let index = next.fetch_add(1, Relaxed);
                let stop = !failed.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
                // Seeds are taken in order, so whoever is still at work has a smaller one than those that are not taken any more.
                if index >= count || stop {
                    return Ok(());
                }
                let seed = first.wrapping_add(index);
                if self.boot(Some(Place::whole(seed)))?.1 != *good {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
                }
                progress(tried.fetch_add(1, Relaxed) + 1);
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        Ok(failed
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_iter()
            .min_by_key(|seed| seed.wrapping_sub(first)))
    }

    /// What went differently with `seed`, and because of which pair.
    fn explain(&self, seed: u64, good: &Outcome) -> Result<String> {
        let (log, bad) = self.boot(Some(Place::whole(seed)))?;
        let mut text = format!("initcall_shuffle={seed}: {}", good.difference(&bad));
        let shuffled = outcome::order(&log);
        let built = self.initcalls.iter().map(|record| record.name.clone()).collect::<Vec<_>>();
        let found = search::narrow(&built, &shuffled, seed, |place| Ok(self.boot(Some(place))?.1 != *good))?;
        let Some(Culprits { early, late, place }) = found else {
            text.push_str("\nIt does not depend on the order alone: a boot with the same seed went well.");
            return Ok(text);
        };
        let described = |name: &str| {
            let record = self.initcalls.iter().find(|record| record.name == name);
            record.map_or_else(|| name.to_owned(), |record| format!("{name} ({})", record.place()))
        };
        let difference = good.difference(&self.boot(Some(place))?.1);
        text.push_str(&format!(
            "\nIt goes well when {} runs before {},\nand otherwise (initcall_shuffle={place}): {difference}\nIf {late} relies on {early}, it should say so: \
             after({early}), or requires(…) of something that {early} provides.",
            described(&early),
            described(&late)
        ));
        Ok(text)
    }

    /// Boots in the order of `place`, or the image's own.
    fn boot(&self, place: Option<Place>) -> Result<(Log, Outcome)> {
        let words = place.map(|place| format!("initcall_shuffle={place}")).unwrap_or_default();
        let machine = self.machine.clone().append(&words);
        // A guest that does not end is an outcome, too.
        let log = match machine.run() {
            Ok(log) => log,
            Err(error) if error.to_string().starts_with("HARNESS") => Log::new(error.to_string().as_bytes()),
            Err(error) => return Err(error).with_context(|| words),
        };
        let outcome = Outcome::of(&log);
        Ok((log, outcome))
    }
}

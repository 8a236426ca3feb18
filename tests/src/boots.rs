//! Boots of machines with several CPUs, each as often as one likes: every one must bring all CPUs up, without a complaint.

use std::fmt::{self, Display};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::machine::{Accelerator, Machine};
use crate::session::Session;

/// What no boot may say.
const COMPLAINTS: &[&str] = &[
    "BUG: ",
    "WARNING: ",
    "Kernel panic",
    "do_boot_cpu failed",
    "does not come",
    "Call Trace:",
    "nobody cared",
];

/// What runs the CPUs of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// QEMU.
    Qemu(Accelerator),
    /// Bochs, which has one thread.
    Bochs,
}

/// A machine that is booted again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// How many CPUs it has.
    pub cpus: u32,
    /// What runs them.
    pub runner: Runner,
}

/// The machines in QEMU: each number of CPUs in a thread for each, and in one for all.
#[must_use]
pub fn qemu() -> Vec<Kind> {
    kinds(
        &[1, 2, 4, 8],
        &[Runner::Qemu(Accelerator::Tcg), Runner::Qemu(Accelerator::TcgInOneThread)],
    )
}

/// The machines on KVM.
#[must_use]
pub fn kvm() -> Vec<Kind> {
    kinds(&[1, 2, 4], &[Runner::Qemu(Accelerator::Kvm)])
}

/// The machines in Bochs.
#[must_use]
pub fn bochs() -> Vec<Kind> {
    kinds(&[1, 2, 4], &[Runner::Bochs])
}

fn kinds(cpus: &[u32], runners: &[Runner]) -> Vec<Kind> {
    let of_all = |&cpus| runners.iter().map(move |&runner| Kind { cpus, runner });
    cpus.iter().flat_map(of_all).collect()
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.runner {
            Runner::Qemu(Accelerator::Tcg) => "QEMU, a thread for each",
            Runner::Qemu(Accelerator::TcgInOneThread) => "QEMU, one thread",
            Runner::Qemu(Accelerator::Kvm) => "QEMU on KVM",
            Runner::Bochs => "Bochs",
        };
        write!(f, "{} CPU{}, {how}", self.cpus, if self.cpus == 1 { "" } else { "s" })
    }
}

impl Kind {
    /// The machine, with the image `vmlinux`.
    #[must_use]
    pub fn machine(&self, vmlinux: &Path) -> Machine {
        let machine = Machine::new(vmlinux).processors(self.cpus).append("kdb");
        match self.runner {
            Runner::Qemu(accelerator) => machine.accelerator(accelerator),
            Runner::Bochs => machine.in_bochs(),
        }
    }

    /// Boots once, up to the monitor, in which all CPUs must be online.
    ///
    /// # Errors
    ///
    /// What is wrong with the boot, with the end of its log.
    pub fn boot(&self, vmlinux: &Path) -> Result<()> {
        let mut session = Session::on(&self.machine(vmlinux))?;
        let list = session.obey("cpu")?;
        let log = session.guest.log();
        let online = list.lines().filter(|line| line.ends_with("  online")).count();
        ensure!(
            online == self.cpus as usize,
            "{online} of {} CPUs are online; the log ends:\n{}",
            self.cpus,
            log.tail()
        );
        for complaint in COMPLAINTS {
            ensure!(!log.mentions(complaint), "the log has `{complaint}`, and ends:\n{}", log.tail());
        }
        Ok(())
    }
}

/// What came of many boots of a machine.
#[derive(Debug)]
pub struct Outcome {
    /// The machine.
    pub kind: Kind,
    /// How long each boot took that went well, the shortest first.
    pub times: Vec<Duration>,
    /// What was wrong with the others.
    pub misses: Vec<String>,
}

/// Boots each of `kinds` so many times, as many at once as the computer has CPUs for, and tells `progress` how many boots are over.
pub fn run(vmlinux: &Path, kinds: &[Kind], count: u64, progress: impl Fn(u64) + Sync) -> Vec<Outcome> {
    let total = kinds.len() as u64 * count;
    let (next, over) = (AtomicU64::new(0), AtomicU64::new(0));
    let (results, boots) = channel();
    let work = |results: Sender<(usize, Result<Duration>)>| {
        loop {
            let boot = next.fetch_add(1, Relaxed);
            if boot >= total {
                return;
            }
            let index = (boot / count) as usize;
            let begin = Instant::now();
            let result = kinds[index].boot(vmlinux).map(|()| begin.elapsed());
            // Who listens does so until all have sent.
            let _ = results.send((index, result));
            progress(over.fetch_add(1, Relaxed) + 1);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let results = results.clone();
            scope.spawn(|| work(results));
        }
    });
    drop(results);
    let outcome = |kind: &Kind| Outcome {
        kind: *kind,
        times: Vec::new(),
        misses: Vec::new(),
    };
    let mut outcomes: Vec<_> = kinds.iter().map(outcome).collect();
    for (index, result) in boots {
        match result {
            Ok(time) => outcomes[index].times.push(time),
            Err(error) => outcomes[index].misses.push(format!("{error:#}")),
        }
    }
    outcomes.iter_mut().for_each(|outcome| outcome.times.sort_unstable());
    outcomes
}

//! Every interleaving of who asks, who works and who disables, under loom.

use super::*;
use loom::sync::Arc;
use loom::sync::atomic::{self, AtomicUsize};
use loom::thread;

#[derive(Default)]
struct Work {
    state: State<atomic::AtomicU32>,
    /// How often it is in the list.
    listed: AtomicUsize,
    /// What only the work touches, in two steps.
    own: atomic::AtomicU32,
    input: atomic::AtomicU32,
    seen: atomic::AtomicU32,
}

impl Work {
    fn ask(&self, input: u32) {
        self.input.fetch_max(input, Relaxed);
        if self.state.ask() {
            self.listed.fetch_add(1, Relaxed);
        }
    }

    /// Takes it out of the list if it is there, and does it or puts it back; whether it was done.
    fn run(&self) -> bool {
        if self.listed.compare_exchange(1, 0, Acquire, Relaxed).is_err() {
            return false;
        }
        if !self.state.begin() {
            self.listed.fetch_add(1, Relaxed);
            return false;
        }
        self.own.store(self.own.load(Relaxed) + 1, Relaxed);
        self.seen.fetch_max(self.input.load(Relaxed), Relaxed);
        self.state.end();
        true
    }

    fn times(&self) -> u32 {
        self.own.load(Relaxed)
    }
}

fn explore(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

#[test]
fn what_is_asked_for_is_done_after_the_last_asking_by_one_at_a_time() {
    explore(|| {
        let work = Arc::new(Work::default());
        let asker = thread::spawn({
            let work = work.clone();
            move || (1..=2).for_each(|input| work.ask(input))
        });
        let other = thread::spawn({
            let work = work.clone();
            move || usize::from(work.run())
        });
        let here = usize::from(work.run());
        asker.join().expect("no panic");
        let there = other.join().expect("no panic");
        assert!(work.listed.load(Relaxed) <= 1);
        let last = usize::from(work.run());
        assert_eq!(work.times() as usize, here + there + last);
        assert_eq!((work.seen.load(Relaxed), work.listed.load(Relaxed)), (2, 0));
        assert!(!work.state.is_asked_for() && !work.state.is_running());
    });
}

#[test]
fn what_is_disabled_does_not_run_and_is_not_forgotten() {
    explore(|| {
        let work = Arc::new(Work::default());
        work.ask(1);
        let runner = thread::spawn({
            let work = work.clone();
            move || {
                work.run();
            }
        });
        work.state.disable();
        while work.state.is_running() {
            thread::yield_now();
        }
        let before = work.times();
        runner.join().expect("no panic");
        assert!(!work.run());
        assert_eq!(work.times(), before);
        work.state.enable();
        assert_eq!(u32::from(work.run()) + before, 1);
    });
}

#[test]
fn what_is_made_disabled_waits_for_the_first_enable() {
    let state = State::disabled();
    assert!(state.ask() && !state.ask() && !state.begin());
    state.enable();
    assert!(state.begin() && state.is_running() && state.ask());
    assert!(!state.begin(), "it is still running");
    state.end();
    assert!(state.begin());
    state.end();
    assert!(state.ask());
    state.take_back();
    assert!(!state.is_asked_for() && !state.begin());
}

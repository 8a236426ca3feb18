//! Whatever the CPUs do when: no entry begins before what it comes after is over, each runs once, what they do in their turn is done in the order of the entries, and all come to an
//! end.

use std::vec::Vec;

use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::sync::{Arc, Mutex};
use loom::thread;
use proptest::prelude::*;

use super::*;
use crate::order::SplitMix64;

/// A number of entries, and relations that their order keeps; some of them twice.
fn entries() -> impl Strategy<Value = (usize, Vec<(u32, u32)>)> {
    (1usize..30).prop_flat_map(|count| {
        let pair =
            (0..count as u32, 0..count as u32).prop_filter_map("a pair of two", |(one, other)| (one < other).then_some((one, other)));
        (Just(count), proptest::collection::vec(pair, 0..if count > 1 { 60 } else { 1 }))
    })
}

/// What a CPU is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    /// The entry does what nobody sees.
    Quiet(usize),
    /// The entry waits for its turn before it goes on.
    Waits(usize),
    /// The entry has nothing more to do.
    Last(usize),
    Gone,
}

/// What came of a walk: entries as they began, as they had their turn, and as they were over; and the most that ran at once.
#[derive(Debug, Default)]
struct Outcome {
    begun: Vec<usize>,
    seen: Vec<usize>,
    over: Vec<usize>,
    at_once: usize,
}

/// Lets `cpus` CPUs walk, one step of one of them at a time. Whether an entry does something that is seen is up to `is_seen`.
fn simulate(count: usize, pairs: &[(u32, u32)], cpus: usize, is_seen: impl Fn(usize) -> bool, seed: u64) -> Result<Outcome, TestCaseError> {
    let (mut sorted, mut waiting) = (pairs.to_vec(), std::vec![7; count]);
    let mut walk = Walk::new(&mut sorted, &mut waiting).expect("the order keeps the pairs");
    let mut random = SplitMix64::new(seed);
    let (mut doing, mut outcome) = (std::vec![Doing::Nothing; cpus], Outcome::default());
    while doing.iter().any(|cpu| *cpu != Doing::Gone) {
        let is_stuck = |cpu: &Doing| match cpu {
            Doing::Waits(entry) => *entry != walk.turn(),
            Doing::Nothing | Doing::Quiet(_) | Doing::Last(_) => false,
            Doing::Gone => true,
        };
        prop_assert!(!doing.iter().all(is_stuck), "all wait for ever: {doing:?}");
        let cpu = random.below(cpus);
        doing[cpu] = match doing[cpu] {
            Doing::Nothing => match walk.claim() {
                Claim::Entry(entry) => {
                    let mut before = pairs.iter().filter(|(_, then)| *then as usize == entry);
                    prop_assert!(
                        before.all(|(first, _)| outcome.over.contains(&(*first as usize))),
                        "{entry} is early"
                    );
                    outcome.begun.push(entry);
                    Doing::Quiet(entry)
                }
                Claim::Wait => {
                    let runs = |cpu: &Doing| matches!(cpu, Doing::Quiet(_) | Doing::Waits(_) | Doing::Last(_));
                    prop_assert!(doing.iter().any(runs), "nobody runs whom one could wait for");
                    Doing::Nothing
                }
                Claim::Done => Doing::Gone,
            },
            Doing::Quiet(entry) if is_seen(entry) => Doing::Waits(entry),
            Doing::Quiet(entry) => Doing::Last(entry),
            Doing::Waits(entry) if entry == walk.turn() => {
                outcome.seen.push(entry);
                Doing::Last(entry)
            }
            Doing::Last(entry) => {
                outcome.over.push(entry);
                walk.finish(entry);
                Doing::Nothing
            }
            same => same,
        };
        let at_once = doing.iter().filter(|cpu| !matches!(cpu, Doing::Nothing | Doing::Gone)).count();
        outcome.at_once = outcome.at_once.max(at_once);
    }
    prop_assert_eq!(walk.turn(), count);
    Ok(outcome)
}

fn sorted(entries: &[usize]) -> Vec<usize> {
    let mut entries = entries.to_vec();
    entries.sort_unstable();
    entries
}

proptest! {
    #[test]
    fn all_run_once_behind_what_they_come_after_and_are_seen_in_order((count, pairs) in entries(), cpus in 1usize..6, quiet: u32, seed: u64) {
        let is_seen = |entry: usize| quiet & 1 << entry == 0;
        let outcome = simulate(count, &pairs, cpus, is_seen, seed)?;
        let all: Vec<_> = (0..count).collect();
        prop_assert_eq!(sorted(&outcome.begun), &all[..]);
        prop_assert_eq!(sorted(&outcome.over), &all[..]);
        prop_assert_eq!(outcome.seen, all.into_iter().filter(|entry| is_seen(*entry)).collect::<Vec<_>>());
    }

    #[test]
    fn one_cpu_runs_them_in_their_order((count, pairs) in entries(), seed: u64) {
        let outcome = simulate(count, &pairs, 1, |_| true, seed)?;
        prop_assert_eq!(outcome.begun, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn only_a_chain_of_all_leaves_no_choice((count, pairs) in entries(), seed: u64) {
        prop_assume!(count > 1);
        let has_choice = Walk::new(&mut pairs.clone(), &mut std::vec![0; count]).unwrap().has_choice();
        if !has_choice {
            prop_assert!(simulate(count, &pairs, 4, |_| false, seed)?.at_once <= 1);
        }
        let chain: Vec<_> = (1..count as u32).map(|then| (then - 1, then)).collect();
        let all: Vec<_> = pairs.iter().chain(&chain).copied().collect();
        prop_assert!(!Walk::new(&mut all.clone(), &mut std::vec![0; count]).unwrap().has_choice());
        let one_less = &all[..all.len() - 1];
        let is_declared_too = pairs.contains(&(count as u32 - 2, count as u32 - 1));
        let has_choice = Walk::new(&mut one_less.to_vec(), &mut std::vec![0; count]).unwrap().has_choice();
        prop_assert_eq!(has_choice, !is_declared_too);
    }

    #[test]
    fn the_longest_chain_is_the_longest_of_all((count, pairs) in entries(), costs in proptest::collection::vec(0u64..100, 30)) {
        let is_after = |then: usize, first: usize| pairs.contains(&(first as u32, then as u32));
        let (mut rest, mut next) = (std::vec![9; count], std::vec![9; count]);
        let (start, longest) = longest_chain(&mut rest, &mut next, |entry| costs[entry], is_after).unwrap();
        // Forwards, with what each chain that ends with an entry takes.
        let mut ends: Vec<u64> = Vec::new();
        for (then, cost) in costs.iter().enumerate().take(count) {
            let before = (0..then).filter(|first| is_after(then, *first)).map(|first| ends[first]).max();
            ends.push(before.unwrap_or(0) + cost);
        }
        prop_assert_eq!(Some(longest), ends.into_iter().max());
        let (mut at, mut whole) = (start, costs[start]);
        while usize::from(next[at]) != at {
            let then = usize::from(next[at]);
            prop_assert!(is_after(then, at));
            (at, whole) = (then, whole + costs[then]);
        }
        prop_assert_eq!(whole, longest);
    }
}

#[test]
fn independent_entries_run_at_once_and_others_do_not() {
    let most = |pairs: &[(u32, u32)]| {
        let outcomes = (0..200).map(|seed| simulate(4, pairs, 4, |_| true, seed).unwrap().at_once);
        outcomes.max().unwrap()
    };
    assert_eq!(most(&[]), 4);
    assert_eq!(most(&[(0, 1), (2, 3)]), 2);
    assert_eq!(most(&[(0, 1), (1, 2), (2, 3)]), 1);
}

#[test]
fn relations_against_the_order_are_refused() {
    for pair in [(1, 0), (1, 1), (0, 3), (7, 8)] {
        assert_eq!(Walk::new(&mut [pair], &mut [0; 3]).unwrap_err(), Misplaced, "{pair:?}");
    }
}

#[test]
#[should_panic(expected = "entry 1 does not run")]
fn what_was_not_claimed_cannot_be_over() {
    let (mut pairs, mut waiting) = ([], [0; 2]);
    Walk::new(&mut pairs, &mut waiting).unwrap().finish(1);
}

#[test]
fn nothing_has_no_chain() {
    assert_eq!(longest_chain(&mut [], &mut [], |_| 1, |_, _| true), None);
}

/// What the kernel makes of it: the walk under a lock, whose turn it is in a word of its own.
struct Shared {
    walk: Mutex<Walk<'static>>,
    turn: AtomicUsize,
    seen: Mutex<Vec<usize>>,
}

impl Shared {
    fn work(&self) {
        loop {
            let claim = self.walk.lock().unwrap().claim();
            match claim {
                Claim::Entry(entry) => {
                    while self.turn.load(SeqCst) != entry {
                        thread::yield_now();
                    }
                    self.seen.lock().unwrap().push(entry);
                    let mut walk = self.walk.lock().unwrap();
                    self.turn.store(walk.finish(entry), SeqCst);
                }
                Claim::Wait => thread::yield_now(),
                Claim::Done => return,
            }
        }
    }
}

/// Every interleaving of two CPUs, with up to two preemptions.
fn explore(pairs: &'static [(u32, u32)]) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let walk = Walk::new(pairs.to_vec().leak(), std::vec![0; 3].leak()).unwrap();
        let shared = Arc::new(Shared {
            walk: Mutex::new(walk),
            turn: AtomicUsize::new(0),
            seen: Mutex::new(Vec::new()),
        });
        let other = thread::spawn({
            let shared = shared.clone();
            move || shared.work()
        });
        shared.work();
        other.join().unwrap();
        assert_eq!(*shared.seen.lock().unwrap(), [0, 1, 2]);
    });
}

#[test]
fn no_interleaving_of_two_cpus_waits_for_ever() {
    explore(&[]);
    explore(&[(0, 1)]);
    explore(&[(0, 2), (1, 2)]);
}

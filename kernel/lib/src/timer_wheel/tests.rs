//! Against a list of deadlines, with random timers by the hundred thousand, and the hand-over in every interleaving.

use super::*;
use proptest::prelude::*;
use std::println;
use std::vec::Vec;

struct Timers(Vec<TimerNode>);

impl Timers {
    fn new(count: usize) -> Timers {
        Timers((0..count).map(|_| TimerNode::new()).collect())
    }
}

fn id(index: usize) -> Id {
    Id::new(index + 1).unwrap()
}

impl Arena for Timers {
    fn node(&self, id: Id) -> &TimerNode {
        &self.0[id.get() - 1]
    }
}

/// The finest level that reaches `distance`: one less than its buckets, the rest of the present one being as good as nothing.
fn level_of(distance: u64) -> Option<usize> {
    (0..LEVELS).find(|&level| distance < (SIZE as u64 - 1) * 8_u64.pow(level as u32))
}

/// How late a timer may be that was armed at `armed` for `expires`.
fn allowed(armed: u64, expires: u64) -> u64 {
    granularity(level_of(expires.saturating_sub(armed)).unwrap_or(LEVELS - 1))
}

/// A wheel beside what it should do: for each timer when it was armed, and for when.
struct Checked {
    wheel: Wheel,
    timers: Timers,
    armed: Vec<Option<(u64, u64)>>,
    now: u64,
    lateness: [usize; 32],
}

impl Checked {
    fn new(count: usize, now: u64) -> Checked {
        Checked {
            wheel: Wheel::new(now),
            timers: Timers::new(count),
            armed: std::vec![None; count],
            now,
            lateness: [0; 32],
        }
    }

    fn modify(&mut self, index: usize, expires: u64) {
        self.wheel.forward(self.now);
        let (was_pending, _) = self.wheel.modify(&self.timers, id(index), expires);
        assert_eq!(was_pending, self.armed[index].is_some());
        self.armed[index] = Some((self.wheel.clk(), expires));
    }

    fn remove(&mut self, index: usize) {
        let was_pending = self.wheel.remove(&self.timers, id(index));
        assert_eq!(was_pending, self.armed[index].take().is_some());
        assert!(!self.timers.0[index].is_pending());
    }

    /// Goes to `now`; all that expires is neither early nor later than its level allows, and nothing that is overdue stays.
    fn advance(&mut self, now: u64) {
        self.now = now;
        while self.wheel.advance(&self.timers, now) {
            let tick = self.wheel.clk() - 1;
            while let Some(expired) = self.wheel.pop_due(&self.timers) {
                let (armed, expires) = self.armed[expired.get() - 1].take().expect("a timer that was armed");
                assert!(tick > expires, "{expires} expired early, at {tick}");
                let late = tick - expires.max(armed.saturating_sub(1));
                assert!(late <= allowed(armed, expires), "{expires}, armed at {armed}, expired at {tick}");
                self.lateness[late.checked_ilog2().map_or(0, |bits| bits as usize + 1)] += 1;
            }
        }
        let latest = |&(armed, expires): &(u64, u64)| expires.max(armed).saturating_add(allowed(armed, expires));
        let overdue = self.armed.iter().flatten().find(|timer| latest(timer) < now);
        assert_eq!(overdue, None, "lost at {now}");
        let due = self.armed.iter().flatten().count();
        assert_eq!(self.wheel.is_empty(), due == 0);
        assert!(self.wheel.next_expiry().is_none_or(|next| next > now));
        assert_eq!(self.wheel.next_expiry().is_some(), due != 0);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Modify(usize, u64),
    Remove(usize),
    Advance(u64),
}

const COUNT: usize = 24;

/// Distances of each order of magnitude alike.
fn distance() -> impl Strategy<Value = u64> {
    (0..34u32, any::<u64>()).prop_map(|(bits, value)| value & ((1 << bits) - 1))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..COUNT, distance()).prop_map(|(index, distance)| Step::Modify(index, distance)),
        1 => (0..COUNT).prop_map(Step::Remove),
        2 => distance().prop_map(Step::Advance),
    ]
}

proptest! {
    #[test]
    fn none_early_none_lost(start in prop_oneof![0..1000u64, (1 << 32) - 1000..(1u64 << 32)], steps in prop::collection::vec(step(), 1..120)) {
        let mut checked = Checked::new(COUNT, start);
        for step in steps {
            match step {
                // Some are overdue when they are added.
                Step::Modify(index, distance) => checked.modify(index, (checked.now + distance).saturating_sub(3)),
                Step::Remove(index) => checked.remove(index),
                Step::Advance(by) => checked.advance(checked.now + by),
            }
        }
        let mut listed = 0;
        checked.wheel.for_each(&checked.timers, |_| listed += 1);
        prop_assert_eq!(listed, checked.armed.iter().flatten().count());
        checked.advance(1 << 40);
        prop_assert!(checked.wheel.is_empty());
    }
}

#[test]
fn each_distance_goes_to_the_finest_level_that_reaches_it() {
    for distance in (0..10_000)
        .chain((4..33).flat_map(|bits| (1_u64 << bits).saturating_sub(70)..(1 << bits) + 70))
        .filter(|&distance| distance < CUTOFF)
    {
        assert_eq!(Some(bucket_of(distance, 0).0 / SIZE), level_of(distance), "{distance}");
    }
}

#[test]
fn hundred_thousand_timers_with_random_deadlines() {
    const TIMERS: usize = 100_000;
    let mut checked = Checked::new(TIMERS, 0);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for index in 0..TIMERS {
        let bits = random() % 24;
        checked.modify(index, random() & ((1 << bits) - 1));
    }
    let mut now = 0;
    while !checked.wheel.is_empty() {
        now += 1 + (random() & 0xfff);
        checked.advance(now);
    }
    let late: usize = checked.lateness.iter().sum();
    assert_eq!(late, TIMERS);
    for (bits, count) in checked.lateness.iter().enumerate().filter(|&(_, &count)| count != 0) {
        println!("late by less than {:>8} ticks: {count:>6}", 1u64 << bits);
    }
}

#[test]
fn a_cpu_that_goes_away_leaves_all_its_timers() {
    let timers = Timers::new(COUNT);
    let mut wheel = Wheel::new(7);
    (0..COUNT).for_each(|index| {
        wheel.add(&timers, id(index), 7 + (1 << index));
    });
    assert!(wheel.advance(&timers, 60));
    let mut left: Vec<_> = core::iter::from_fn(|| wheel.pop_any(&timers)).collect();
    left.sort();
    assert_eq!(left, (0..COUNT).map(id).collect::<Vec<_>>());
    assert!(wheel.is_empty());
}

/// The hand-over between CPUs, under loom.
mod handover {
    use super::super::home::{Bases, Home};
    use super::*;
    use loom::sync::atomic::AtomicU32;
    use loom::sync::{Arc, Mutex, MutexGuard};
    use loom::thread;

    /// What a CPU has: the deadline of the one timer if it is here, in place of a wheel, which is too large for loom's stacks.
    #[derive(Default)]
    struct Base {
        pending: Option<u64>,
        running: bool,
    }

    struct Machine {
        bases: [Mutex<Base>; 2],
        home: Home<AtomicU32>,
        calls: AtomicU32,
        is_gone: AtomicU32,
    }

    impl Bases for Machine {
        type Guard<'a> = MutexGuard<'a, Base>;
        const END: u32 = 2;

        fn lock(&self, cpu: u32) -> MutexGuard<'_, Base> {
            self.bases[cpu as usize].lock().expect("no panic")
        }
    }

    impl Machine {
        fn new() -> Machine {
            Machine {
                bases: [Mutex::new(Base::default()), Mutex::new(Base::default())],
                home: Home::default(),
                calls: AtomicU32::new(0),
                is_gone: AtomicU32::new(0),
            }
        }

        fn modify(&self, cpu: u32, expires: u64) {
            let (from, mut base) = self.home.lock(self);
            base.pending = None;
            if from != cpu && !base.running {
                base = self.home.migrate(self, base, cpu);
            }
            base.pending = Some(expires);
        }

        fn delete_sync(&self) {
            loop {
                let (_, mut base) = self.home.lock(self);
                if !base.running {
                    base.pending = None;
                    return;
                }
                drop(base);
                thread::yield_now();
            }
        }

        fn expire(&self, cpu: u32, now: u64) {
            let mut base = self.lock(cpu);
            while base.pending.take_if(|expires| *expires < now).is_some() {
                base.running = true;
                drop(base);
                assert_eq!(self.is_gone.load(Relaxed), 0, "called after it was deleted");
                self.calls.fetch_add(1, Relaxed);
                base = self.lock(cpu);
                base.running = false;
            }
        }
    }

    fn explore(f: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(f);
    }

    #[test]
    fn a_deleted_timer_is_not_called_however_it_moved() {
        explore(|| {
            let machine = Arc::new(Machine::new());
            machine.modify(0, 1);
            let expiring = thread::spawn({
                let machine = machine.clone();
                move || machine.expire(0, 2)
            });
            machine.modify(1, 1);
            machine.delete_sync();
            machine.is_gone.store(1, Relaxed);
            expiring.join().expect("no panic");
            assert!(machine.lock(0).pending.is_none() && machine.lock(1).pending.is_none());
        });
    }

    #[test]
    fn a_timer_that_is_modified_while_it_expires_is_not_lost() {
        explore(|| {
            let machine = Arc::new(Machine::new());
            machine.modify(0, 1);
            let expiring = thread::spawn({
                let machine = machine.clone();
                move || machine.expire(0, 2)
            });
            machine.modify(1, 1);
            expiring.join().expect("no panic");
            let before = machine.calls.load(Relaxed);
            (0..2).for_each(|cpu| machine.expire(cpu, 4));
            assert!(machine.lock(0).pending.is_none() && machine.lock(1).pending.is_none());
            assert!((1..=2).contains(&machine.calls.load(Relaxed)) && before <= 2);
        });
    }
}

//! Tests with threads, and under loom with all interleavings of two and three CPUs.

use super::*;
use core::cell::Cell;

/// A CPU: its number, how many waiters it has in use, the waiters of all, and how it waits.
struct Cpu<'a, W> {
    number: u32,
    nesting: Cell<u32>,
    waiters: &'a [[Waiter<W>; MAX_NESTING as usize]],
    relax: fn(),
}

impl<W: Atomic<u32>> Machine for Cpu<'_, W> {
    type Word = W;
    // Each reading is one more place at which loom has something to try.
    const PENDING_LOOPS: u32 = 1;

    fn this_cpu(&self) -> u32 {
        self.number
    }

    fn enter(&self) -> u32 {
        self.nesting.replace(self.nesting.get() + 1)
    }

    fn leave(&self) {
        self.nesting.set(self.nesting.get() - 1);
    }

    fn waiter(&self, cpu: u32, index: u32) -> &Waiter<W> {
        &self.waiters[cpu as usize][index as usize]
    }

    fn relax(&self) {
        (self.relax)();
    }
}

/// Under loom.
mod loomed {
    use super::*;
    use loom::sync::Arc;
    use loom::sync::atomic;

    /// Lets two CPUs take the lock while CPU 0 gives it back: `held` is the word that they find, in which CPU 0 is the one who has it, and the one who is pending.
    fn explore(held: u32, nesting: u32) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(1);
        builder.max_branches = 10_000;
        builder.check(move || {
            let shared = Arc::new((
                atomic::AtomicU32::new(held),
                [(); 3].map(|()| <[Waiter<atomic::AtomicU32>; 4]>::default()),
                loom::cell::UnsafeCell::new(0),
            ));
            // loom fails the test if two are in the closure at once, or if one does not see what the other has done.
            shared.2.with_mut(|_| ());
            let others = [1, 2].map(|number| {
                let shared = shared.clone();
                loom::thread::spawn(move || {
                    let cpu = Cpu {
                        number,
                        nesting: Cell::new(nesting),
                        waiters: &shared.1,
                        relax: loom::thread::yield_now,
                    };
                    lock(&shared.0, &cpu);
                    shared.2.with_mut(|_| ());
                    unlock(&shared.0);
                    assert_eq!(cpu.nesting.get(), nesting, "a waiter is lost");
                })
            });
            let cpu = Cpu {
                number: 0,
                nesting: Cell::new(0),
                waiters: &shared.1,
                relax: loom::thread::yield_now,
            };
            unlock(&shared.0);
            if held & PENDING != 0 {
                wait_pending(&shared.0, &cpu);
                shared.2.with_mut(|_| ());
                unlock(&shared.0);
            }
            others.into_iter().for_each(|thread| thread.join().expect("no panic"));
            assert_eq!(shared.0.load(Relaxed), 0);
        });
    }

    #[test]
    fn two_cpus_wait_for_a_lock_that_is_taken() {
        explore(LOCKED, 0);
    }

    #[test]
    fn two_cpus_wait_behind_one_that_is_pending() {
        explore(LOCKED | PENDING, 0);
    }

    #[test]
    fn two_cpus_without_a_waiter_left_exclude_each_other() {
        explore(LOCKED | PENDING, MAX_NESTING);
    }
}

/// With threads of the host.
mod threaded {
    use super::*;
    use std::thread;
    use std::vec::Vec;

    #[test]
    fn nothing_is_lost_with_eight_cpus() {
        const CPUS: u32 = 8;
        const TURNS: u64 = 5_000;
        let word = AtomicU32::new(0);
        let waiters: Vec<[Waiter; 4]> = (0..CPUS).map(|_| Default::default()).collect();
        // Added to by a load and a store, which loses turns if two do it at once.
        let sum = core::sync::atomic::AtomicU64::new(0);
        thread::scope(|scope| {
            for number in 0..CPUS {
                let (word, waiters, sum) = (&word, &waiters, &sum);
                scope.spawn(move || {
                    let cpu = Cpu {
                        number,
                        nesting: Cell::new(number % (MAX_NESTING + 1)),
                        waiters,
                        relax: thread::yield_now,
                    };
                    for _ in 0..TURNS {
                        lock(word, &cpu);
                        sum.store(sum.load(Relaxed) + 1, Relaxed);
                        unlock(word);
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), u64::from(CPUS) * TURNS);
        assert_eq!(word.into_inner(), 0);
    }

    #[test]
    fn a_lock_that_is_taken_is_not_to_be_had() {
        let word = AtomicU32::new(0);
        assert!(try_lock(&word) && is_locked(&word) && !try_lock(&word) && !is_contended(&word));
        unlock(&word);
        assert!(!is_locked(&word) && try_lock(&word));
    }

    #[test]
    fn a_tail_names_every_cpu_and_every_nesting() {
        for cpu in [0, 1, 255, MAX_CPUS - 1] {
            for index in 0..MAX_NESTING {
                let tail = tail_of(cpu, index);
                assert_eq!(tail & !TAIL_MASK, 0);
                assert_eq!(((tail >> TAIL_CPU_SHIFT) - 1, tail >> TAIL_INDEX_SHIFT & 3), (cpu, index));
            }
        }
    }
}

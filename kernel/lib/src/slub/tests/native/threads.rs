//! Threads on CPUs of their own that free each other's objects.

use super::machine::{Machine, NONE, Thread};
use super::sync::Mutex;
use crate::slub::{Backend, alloc, free};
use std::collections::HashSet;
use std::thread;
use std::vec::Vec;

const CPUS: usize = 4;
const ROUNDS: usize = 20_000;

fn give(thread: &Thread, (slab, offset): (usize, usize)) {
    if !free::give(thread, slab, offset) {
        free::give_slow(thread, slab, offset).expect("it was in use");
    }
}

/// Puts an object into the pool, and frees one of those that are there.
fn work(machine: &Machine, cpu: usize, pool: &Mutex<Vec<(usize, usize)>>) {
    let quiet = |_: &Thread| ();
    let thread = Thread::new(machine, cpu, &quiet);
    let mut state = cpu + 1;
    for _ in 0..ROUNDS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if state >> 40 & 1 == 0 {
            let object = alloc::take(&thread).or_else(|| alloc::refill(&thread, NONE));
            pool.lock().expect("no panic").extend(object);
        } else {
            let mut pool = pool.lock().expect("no panic");
            if !pool.is_empty() {
                let index = (state >> 41) % pool.len();
                let object = pool.swap_remove(index);
                drop(pool);
                give(&thread, object);
            }
        }
    }
}

#[test]
fn objects_freed_by_other_cpus_are_neither_lost_nor_given_out_twice() {
    const SLABS: usize = 64;
    let machine = Machine::new(CPUS, 2, SLABS, 7, 2);
    let pool = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for cpu in 0..CPUS {
            let (machine, pool) = (&machine, &pool);
            scope.spawn(move || work(machine, cpu, pool));
        }
    });
    let left = pool.into_inner().expect("no panic");
    assert_eq!(left.iter().collect::<HashSet<_>>().len(), left.len());
    let quiet = |_: &Thread| ();
    let thread = Thread::new(&machine, 0, &quiet);
    left.into_iter().for_each(|object| give(&thread, object));
    for cpu in 0..CPUS {
        thread.cpu.set(cpu);
        (&thread).with_interrupts_off(|| alloc::flush(&thread));
    }
    (0..2).for_each(|node| assert!(!free::shrink(&thread, node)));
    assert_eq!(machine.unused(), SLABS);
}

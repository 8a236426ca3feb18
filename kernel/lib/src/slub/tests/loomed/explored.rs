//! The lock-free paths under every interleaving of two or three threads, within loom's bound on preemptions.

use super::machine::{Machine, NONE, Thread};
use super::sync::Arc;
use crate::slub::{Backend, alloc, free};
use loom::thread;
use std::vec::Vec;

type Object = (usize, usize);

fn explore(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(f);
}

/// Runs `f` as a thread of a CPU.
fn on<R>(machine: &Machine, cpu: usize, f: impl FnOnce(&Thread) -> R) -> R {
    let quiet = |_: &Thread| ();
    f(&Thread::new(machine, cpu, &quiet))
}

fn allocate(thread: &Thread) -> Option<Object> {
    alloc::take(thread).or_else(|| alloc::refill(thread, NONE))
}

fn give(thread: &Thread, (slab, offset): Object) {
    if !free::give(thread, slab, offset) {
        free::give_slow(thread, slab, offset).expect("it was in use");
    }
}

/// Gives everything back and checks that all memory has come back.
fn drain(machine: &Machine, objects: impl IntoIterator<Item = Object>, cpus: usize, slabs: usize) {
    let objects: Vec<Object> = objects.into_iter().collect();
    for (index, object) in objects.iter().enumerate() {
        assert!(!objects[..index].contains(object), "an object was given out twice");
    }
    on(machine, 0, |thread| {
        objects.into_iter().for_each(|object| give(thread, object));
        for cpu in 0..cpus {
            thread.cpu.set(cpu);
            thread.with_interrupts_off(|| alloc::flush(thread));
        }
        assert!(!free::shrink(thread, 0));
    });
    assert_eq!(machine.unused(), slabs, "a slab is lost");
}

/// One CPU frees what another has allocated, which meanwhile allocates on, or gives its slab up.
fn freed_elsewhere(owner: fn(&Thread) -> Option<Object>) {
    explore(move || {
        let machine = Arc::new(Machine::new(2, 1, 2, 2, 0));
        let objects = on(&machine, 0, |thread| [(); 2].map(|()| allocate(thread).expect("memory")));
        let other = thread::spawn({
            let machine = machine.clone();
            move || on(&machine, 1, |thread| objects.into_iter().for_each(|object| give(thread, object)))
        });
        let taken = on(&machine, 0, owner);
        other.join().expect("no panic");
        drain(&machine, taken, 2, 2);
    });
}

#[test]
fn a_cpu_allocates_while_another_frees_to_its_slab() {
    freed_elsewhere(allocate);
}

#[test]
fn a_cpu_gives_its_slab_up_while_another_frees_to_it() {
    freed_elsewhere(|thread| {
        thread.with_interrupts_off(|| alloc::flush(thread));
        None
    });
}

#[test]
fn two_cpus_free_to_a_slab_that_is_nobodys() {
    explore(|| {
        let machine = Arc::new(Machine::new(3, 1, 1, 2, 0));
        let [first, second] = on(&machine, 0, |thread| {
            let objects = [(); 2].map(|()| allocate(thread).expect("memory"));
            thread.with_interrupts_off(|| alloc::flush(thread));
            objects
        });
        let other = thread::spawn({
            let machine = machine.clone();
            move || on(&machine, 1, |thread| give(thread, first))
        });
        on(&machine, 2, |thread| give(thread, second));
        other.join().expect("no panic");
        drain(&machine, [], 3, 1);
    });
}

#[test]
fn two_threads_of_one_cpu_come_between_each_others_instructions() {
    explore(|| {
        let machine = Arc::new(Machine::new(1, 1, 2, 3, 0));
        let first = on(&machine, 0, |thread| allocate(thread).expect("memory"));
        let other = thread::spawn({
            let machine = machine.clone();
            move || {
                on(&machine, 0, |thread| {
                    give(thread, first);
                    allocate(thread)
                })
            }
        });
        let mine = on(&machine, 0, allocate);
        let others = other.join().expect("no panic");
        drain(&machine, mine.into_iter().chain(others), 1, 2);
    });
}

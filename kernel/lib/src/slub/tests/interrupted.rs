//! One thread, and what can happen between any two of its steps: an interrupt that allocates and frees, a move to another CPU.

use super::native::machine::{Machine, NONE, Thread};
use crate::slub::{alloc, free};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::vec::Vec;

const CPUS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Allocate { node: Option<usize> },
    Free { which: prop::sample::Index },
    Shrink,
}

/// What comes between two steps of a path.
#[derive(Debug, Clone, Copy)]
enum Between {
    Nothing,
    Allocate,
    Free,
    Move(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => prop::option::weighted(0.2, 0..2_usize).prop_map(|node| Step::Allocate { node }),
        5 => any::<prop::sample::Index>().prop_map(|which| Step::Free { which }),
        1 => Just(Step::Shrink),
    ];
    prop::collection::vec(step, 0..120)
}

fn between() -> impl Strategy<Value = Vec<Between>> {
    let event = prop_oneof![
        6 => Just(Between::Nothing),
        2 => Just(Between::Allocate),
        2 => Just(Between::Free),
        1 => (0..CPUS).prop_map(Between::Move),
    ];
    prop::collection::vec(event, 0..800)
}

/// The objects that somebody has. Interrupts have some, too.
#[derive(Default)]
struct Held {
    objects: RefCell<Vec<(usize, usize)>>,
}

impl Held {
    fn allocate(&self, thread: &Thread, node: Option<usize>) {
        let request = node.unwrap_or(NONE);
        let object = alloc::take(thread).or_else(|| alloc::refill(thread, request));
        if let Some(object) = object {
            self.objects.borrow_mut().push(object);
        }
    }

    fn free(&self, thread: &Thread, which: usize) {
        let (slab, offset) = {
            let mut objects = self.objects.borrow_mut();
            if objects.is_empty() {
                return;
            }
            let index = which % objects.len();
            objects.swap_remove(index)
        };
        if !free::give(thread, slab, offset) {
            free::give_slow(thread, slab, offset).expect("it was in use");
        }
    }

    fn all_differ(&self) -> bool {
        let objects = self.objects.borrow();
        objects.iter().collect::<HashSet<_>>().len() == objects.len()
    }
}

fn play(steps: &[Step], events: &[Between], slabs: usize) {
    let machine = Machine::new(CPUS, 2, slabs, 3, 1);
    let held = Held::default();
    let next = Cell::new(0);
    let inside = Cell::new(false);
    let happens = |thread: &Thread| {
        // Each happens once: a path that is interrupted for ever never ends.
        let event = events.get(next.replace(next.get() + 1));
        if inside.replace(true) {
            return;
        }
        match *event.unwrap_or(&Between::Nothing) {
            Between::Nothing => (),
            Between::Allocate => held.allocate(thread, None),
            Between::Free => held.free(thread, next.get()),
            Between::Move(cpu) => thread.cpu.set(cpu),
        }
        inside.set(false);
    };
    let thread = Thread::new(&machine, 0, &happens);
    for step in steps {
        match step {
            Step::Allocate { node } => held.allocate(&thread, *node),
            Step::Free { which } => held.free(&thread, which.index(1 << 16)),
            Step::Shrink => (0..2).for_each(|node| {
                free::shrink(&thread, node);
            }),
        }
        assert!(held.all_differ(), "an object was given out twice");
    }
    drain(&machine, &held);
    assert_eq!(machine.unused(), slabs, "a slab is lost");
}

/// Gives everything back, and the memory.
fn drain(machine: &Machine, held: &Held) {
    let quiet = |_: &Thread| ();
    let thread = Thread::new(machine, 0, &quiet);
    while !held.objects.borrow().is_empty() {
        held.free(&thread, 0);
    }
    for cpu in 0..CPUS {
        thread.cpu.set(cpu);
        crate::slub::Backend::with_interrupts_off(&thread, || alloc::flush(&thread));
    }
    (0..2).for_each(|node| assert!(!free::shrink(&thread, node), "slabs with objects are left"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_object_is_given_out_twice_and_none_is_lost(steps in steps(), events in between(), slabs in 1..12_usize) {
        play(&steps, &events, slabs);
    }
}

#[test]
fn the_object_freed_last_is_the_next() {
    let machine = Machine::new(1, 1, 1, 3, 1);
    let quiet = |_: &Thread| ();
    let thread = Thread::new(&machine, 0, &quiet);
    let first = alloc::refill(&thread, NONE).expect("memory");
    let second = alloc::take(&thread).expect("the slab has three");
    assert_ne!(first, second);
    assert!(free::give(&thread, first.0, first.1));
    assert!(!free::give(&thread, first.0, first.1));
    assert_eq!(free::give_slow(&thread, first.0, first.1), Err(free::AlreadyFree));
    assert_eq!(alloc::take(&thread), Some(first));
}

#[test]
fn an_object_freed_from_elsewhere_comes_back_when_the_cpu_has_no_other() {
    let machine = Machine::new(2, 1, 1, 2, 1);
    let quiet = |_: &Thread| ();
    let thread = Thread::new(&machine, 0, &quiet);
    let objects = [(); 2].map(|()| alloc::take(&thread).or_else(|| alloc::refill(&thread, NONE)).expect("memory"));
    thread.cpu.set(1);
    assert!(!free::give(&thread, objects[0].0, objects[0].1));
    assert_eq!(free::give_slow(&thread, objects[0].0, objects[0].1), Ok(()));
    assert_eq!(free::give_slow(&thread, objects[0].0, objects[0].1), Err(free::AlreadyFree));
    assert_eq!(alloc::refill(&thread, NONE), None, "the only slab is the other CPU's");
    thread.cpu.set(0);
    assert_eq!(alloc::refill(&thread, NONE), Some(objects[0]));
    assert_eq!(alloc::refill(&thread, NONE), None);
}

#[test]
fn a_list_that_leads_in_a_circle_has_an_end() {
    let machine = Machine::new(1, 1, 2, 3, 0);
    let quiet = |_: &Thread| ();
    let thread = Thread::new(&machine, 0, &quiet);
    let objects = [
        alloc::refill(&thread, NONE).expect("memory"),
        alloc::take(&thread).expect("the second"),
    ];
    for index in [0, 1, 0] {
        assert!(free::give(&thread, objects[index].0, objects[index].1));
    }
    crate::slub::Backend::with_interrupts_off(&thread, || alloc::flush(&thread));
    assert!(alloc::refill(&thread, NONE).is_some(), "the boot goes on");
}

//! The trees: any operations, against what std has for the same.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use incipit_lib::idr::Idr;
use incipit_lib::interval_tree::{self, IntervalNode, IntervalTree};
use incipit_lib::rbtree::{self, Id, RbNode, RbRoot};
use incipit_lib::xarray::{Entry, Node, Nodes, XArray};
use libfuzzer_sys::fuzz_target;

const NODES: usize = 64;

fn id(index: usize) -> Id {
    Id::new((index + 1) * 2).expect("not zero")
}

fn index(id: Id) -> usize {
    id.get() / 2 - 1
}

struct Keyed([RbNode; NODES]);

impl rbtree::Arena for Keyed {
    fn node(&self, id: Id) -> &RbNode {
        &self.0[index(id)]
    }
}

/// A red-black tree of numbered nodes, each with a key of its own while it is in.
fn rb_tree(steps: &[u8]) {
    let arena = Keyed([const { RbNode::new() }; NODES]);
    let (root, mut keys, mut model) = (RbRoot::new(), [0; NODES], BTreeSet::new());
    for step in steps.chunks_exact(2) {
        let (at, key) = (usize::from(step[0]) % NODES, step[1]);
        if model.remove(&(keys[at], at)) {
            root.erase(&arena, id(at));
        } else {
            keys[at] = key;
            model.insert((key, at));
            root.insert(&arena, id(at), |other| (key, at) < (keys[index(other)], index(other)));
        }
        assert!(
            root.iter(&arena)
                .map(|node| (keys[index(node)], index(node)))
                .eq(model.iter().copied())
        );
        let found = root.find(&arena, |node| key.cmp(&keys[index(node)]));
        assert_eq!(found.is_some(), model.iter().any(|entry| entry.0 == key));
        assert_eq!(root.last(&arena).map(index), model.last().map(|entry| entry.1));
    }
}

struct Intervals(Vec<IntervalNode>);

impl interval_tree::Arena for Intervals {
    fn interval(&self, id: Id) -> &IntervalNode {
        &self.0[index(id)]
    }
}

/// An interval tree, against a look at each interval.
fn intervals(steps: &[u8]) {
    let interval = |step: &[u8]| (u64::from(step[0]), u64::from(step[0]) + u64::from(step[1] % 32));
    let all: Vec<_> = steps.chunks_exact(2).take(NODES).map(interval).collect();
    let arena = Intervals(all.iter().map(|&(start, last)| IntervalNode::new(start, last)).collect());
    let (tree, mut inside) = (IntervalTree::new(), BTreeSet::new());
    for step in steps.chunks_exact(2) {
        let at = usize::from(step[0] ^ step[1]) % all.len();
        if inside.remove(&at) {
            tree.remove(&arena, id(at));
        } else {
            inside.insert(at);
            tree.insert(&arena, id(at));
        }
        let (start, last) = interval(step);
        let found: BTreeSet<_> = tree.overlapping(&arena, start, last).map(index).collect();
        let overlaps = |at: &usize| all[*at].0 <= last && start <= all[*at].1;
        assert_eq!(found, inside.iter().copied().filter(overlaps).collect());
    }
}

/// So many nodes, and no more.
struct Pool {
    nodes: Vec<Node>,
    free: Mutex<Vec<usize>>,
}

impl Pool {
    fn new(nodes: usize) -> Self {
        Self {
            nodes: (0..nodes).map(|_| Node::new()).collect(),
            free: Mutex::new((0..nodes).map(|index| (index + 1024) * 4).collect()),
        }
    }

    fn used(&self) -> usize {
        self.nodes.len() - self.free.lock().expect("nobody panics with it").len()
    }
}

impl Nodes for Pool {
    fn node(&self, id: usize) -> &Node {
        &self.nodes[id / 4 - 1024]
    }

    fn alloc(&self) -> Option<usize> {
        self.free.lock().expect("nobody panics with it").pop()
    }

    fn free(&self, id: usize) {
        self.free.lock().expect("nobody panics with it").push(id);
    }
}

fn value(number: usize) -> Entry {
    Entry::value(number).expect("a small number")
}

/// An array with few nodes: what fails for want of one changes nothing.
fn array(steps: &[u8]) {
    let (array, pool, mut model) = (XArray::new(), Pool::new(12), BTreeMap::new());
    for (number, step) in steps.chunks_exact(2).enumerate() {
        let index = usize::from(step[1]) << (step[0] % 64);
        if step[0] & 0x80 == 0 {
            match array.store(&pool, index, value(number)) {
                Ok(old) => assert_eq!(old, model.insert(index, number).map(value)),
                Err(_) => assert_eq!(array.load(&pool, index), model.get(&index).copied().map(value)),
            }
        } else {
            assert_eq!(array.remove(&pool, index), model.remove(&index).map(value));
        }
        assert_eq!(array.load(&pool, index), model.get(&index).copied().map(value));
        let found = array.find(&pool, index, usize::MAX).map(|found| (found.index, found.entry));
        let expected = model.range(index..).next().map(|(index, number)| (*index, value(*number)));
        assert_eq!(found, expected);
    }
    let entries = array.iter(&pool, 0, usize::MAX, None).map(|found| (found.index, found.entry));
    assert!(entries.eq(model.iter().map(|(index, number)| (*index, value(*number)))));
    for index in model.into_keys() {
        array.remove(&pool, index);
    }
    assert!(array.is_empty() && pool.used() == 0);
}

/// Numbers that are handed out are the lowest that are free.
fn numbers(steps: &[u8]) {
    let (idr, pool, mut model) = (Idr::new(), Pool::new(64), BTreeMap::new());
    for (number, step) in steps.chunks_exact(2).enumerate() {
        let start = u32::from(step[1]) << (step[0] % 8);
        if step[0] & 0x80 == 0 {
            let last = start + u32::from(step[0] >> 3);
            let free = (start..=last).find(|id| !model.contains_key(id));
            match idr.alloc(&pool, start..=last, value(number)) {
                Ok(id) => {
                    assert_eq!(Some(id), free);
                    model.insert(id, number);
                }
                Err(_) => assert!(free.is_none() || pool.used() > 48, "{free:?} is free"),
            }
        } else {
            assert_eq!(idr.remove(&pool, start), model.remove(&start).map(value));
        }
    }
    assert!(idr.iter(&pool).eq(model.iter().map(|(id, number)| (*id, value(*number)))));
}

fuzz_target!(|data: &[u8]| {
    let [which, steps @ ..] = data else { return };
    match which % 4 {
        0 => rb_tree(steps),
        1 => intervals(steps),
        2 => array(steps),
        _ => numbers(steps),
    }
});

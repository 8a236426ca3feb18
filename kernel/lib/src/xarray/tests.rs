//! Against a `BTreeMap`; with nodes that run out; with readers that race the writer.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::vec::Vec;

mod races;

/// So many nodes, and no more.
pub(crate) struct Pool {
    nodes: Vec<Node>,
    free: Mutex<Vec<usize>>,
    /// Whether a node that was freed may be allocated again.
    reuse: bool,
}

impl Pool {
    pub(crate) fn new(nodes: usize) -> Pool {
        Pool {
            nodes: (0..nodes).map(|_| Node::new()).collect(),
            free: Mutex::new((0..nodes).rev().map(|index| (index + 1024) * 4).collect()),
            reuse: true,
        }
    }

    fn used(&self) -> usize {
        self.nodes.len() - self.free.lock().unwrap().len()
    }
}

impl Nodes for Pool {
    fn node(&self, id: usize) -> &Node {
        &self.nodes[id / 4 - 1024]
    }

    fn alloc(&self) -> Option<usize> {
        self.free.lock().unwrap().pop()
    }

    fn free(&self, id: usize) {
        if self.reuse {
            self.free.lock().unwrap().push(id);
        }
    }
}

pub(crate) fn value(number: usize) -> Entry {
    Entry::value(number).unwrap()
}

/// Checks what nodes say of each other and of their slots; the answer is how many there are.
fn check(array: &XArray, pool: &Pool) -> usize {
    let head = array.head.load(Relaxed);
    let Some(id) = node_of(head) else {
        assert!(!array.track_free || array.marked(FREE) == (head == 0));
        return 0;
    };
    assert_eq!(pool.node(id).parent.load(Relaxed), 0);
    let (nodes, marks) = check_node(array, pool, id);
    assert_eq!(marks, array.marks.load(Relaxed), "marks at the top");
    nodes
}

fn check_node(array: &XArray, pool: &Pool, id: usize) -> (usize, u8) {
    let node = pool.node(id);
    let words: Vec<usize> = node.slots.iter().map(|slot| slot.load(Relaxed)).collect();
    assert_eq!(
        usize::from(node.count.load(Relaxed)),
        words.iter().filter(|word| **word != 0).count()
    );
    assert_ne!(node.count.load(Relaxed), 0, "an empty node");
    let mut nodes = 1;
    let bit = |mark: usize, offset: usize| node.marks[mark].load(Relaxed) >> offset & 1;
    for (offset, word) in words.iter().enumerate() {
        if let Some(child) = node_of(*word) {
            let below = pool.node(child);
            assert_eq!(below.parent.load(Relaxed), id);
            assert_eq!(usize::from(below.offset.load(Relaxed)), offset);
            assert_eq!(below.shift() + SHIFT, node.shift());
            let (more, marks) = check_node(array, pool, child);
            nodes += more;
            (0..MARKS).for_each(|mark| assert_eq!(bit(mark, offset), u64::from(marks >> mark & 1), "mark {mark}"));
        } else if *word == 0 {
            (0..MARKS).for_each(|mark| assert_eq!(bit(mark, offset) == 1, array.track_free && mark == 0));
        } else if array.track_free {
            assert_eq!(bit(0, offset), 0, "what is taken is free");
        }
        if let Some(first) = sibling_of(*word) {
            assert!(first < offset && sibling_of(words[first]).is_none());
        }
    }
    let marks = node.marks.iter().enumerate();
    (nodes, marks.map(|(mark, bits)| u8::from(bits.load(Relaxed) != 0) << mark).sum())
}

#[test]
fn entries_are_addresses_or_numbers() {
    let address = |address: usize| Entry::pointer(NonZeroUsize::new(address).unwrap());
    assert_eq!(address(0x1000).and_then(Entry::as_pointer), NonZeroUsize::new(0x1000));
    assert_eq!(address(0x1000).and_then(Entry::as_value), None);
    assert_eq!((address(0x1001), address(0x1002)), (None, None));
    assert_eq!(Entry::value(0).and_then(Entry::as_value), Some(0));
    assert_eq!(Entry::value(usize::MAX >> 1).and_then(Entry::as_value), Some(usize::MAX >> 1));
    assert_eq!(Entry::value((usize::MAX >> 1) + 1), None);
}

#[test]
fn the_ends_of_the_indices_are_indices() {
    let (array, pool) = (XArray::new(), Pool::new(64));
    for index in [usize::MAX, 0, 1, 63, 64, usize::MAX - 1] {
        assert_eq!(array.store(&pool, index, value(7)), Ok(None));
        assert_eq!(array.load(&pool, index), Some(value(7)));
        check(&array, &pool);
    }
    assert_eq!(array.find(&pool, 65, usize::MAX).map(|found| found.index), Some(usize::MAX - 1));
    assert_eq!(array.iter(&pool, 0, usize::MAX, None).count(), 6);
    for index in [usize::MAX, usize::MAX - 1, 64, 63, 1, 0] {
        assert_eq!(array.remove(&pool, index), Some(value(7)));
        check(&array, &pool);
    }
    assert!(array.is_empty());
    assert_eq!(pool.used(), 0);
}

#[test]
fn a_reserved_index_is_empty_but_taken() {
    let (array, pool) = (XArray::tracking_free(), Pool::new(8));
    assert_eq!(array.reserve(&pool, 70), Ok(()));
    assert_eq!((array.load(&pool, 70), array.find(&pool, 0, usize::MAX)), (None, None));
    assert_eq!(array.find_free(&pool, 70, usize::MAX), Some(71));
    assert_eq!(array.store(&pool, 70, value(1)), Ok(None));
    assert_eq!(array.reserve(&pool, 70), Ok(()));
    assert_eq!(array.load(&pool, 70), Some(value(1)));
    array.remove(&pool, 70);
    assert_eq!(array.reserve(&pool, 70), Ok(()));
    assert_eq!(array.remove(&pool, 70), None);
    assert_eq!(pool.used(), 0);
}

#[test]
fn an_array_full_of_entries_has_no_free_index() {
    let (array, pool) = (XArray::tracking_free(), Pool::new(80));
    for index in 0..4096 {
        assert_eq!(array.find_free(&pool, 0, 4095), Some(index));
        array.store(&pool, index, value(index)).unwrap();
    }
    assert_eq!(array.find_free(&pool, 0, 4095), None);
    assert_eq!(array.find_free(&pool, 17, usize::MAX), Some(4096));
    array.remove(&pool, 1000);
    assert_eq!(array.find_free(&pool, 0, 4095), Some(1000));
    assert_eq!(array.find_free(&pool, 1001, 4095), None);
    check(&array, &pool);
}

#[test]
fn gangs_are_found_in_order_with_and_without_a_mark() {
    let (array, pool) = (XArray::new(), Pool::new(16));
    for index in [3, 64, 65, 9000] {
        array.store(&pool, index, value(index)).unwrap();
    }
    array.set_mark(&pool, 64, Mark::Mark1);
    array.set_mark(&pool, 9000, Mark::Mark1);
    array.set_mark(&pool, 4, Mark::Mark1);
    let mut gang = [value(0); 3];
    assert_eq!(array.gang_lookup(&pool, &mut gang, 4, None), 3);
    assert_eq!(gang, [value(64), value(65), value(9000)]);
    assert_eq!(array.gang_lookup(&pool, &mut gang, 0, Some(Mark::Mark1)), 2);
    assert_eq!(gang[..2], [value(64), value(9000)]);
    assert!(!array.get_mark(&pool, 4, Mark::Mark1));
    array.remove(&pool, 9000);
    array.clear_mark(&pool, 64, Mark::Mark1);
    assert!(!array.marked(Mark::Mark1));
}

#[test]
fn an_entry_of_several_indices_is_found_at_each() {
    for (order, index) in [
        (1, 2),
        (3, 8),
        (5, 32),
        (6, 64),
        (7, 128),
        (9, 512),
        (12, 4096),
        (13, 8192),
        (63, 0),
    ] {
        let (array, pool) = (XArray::new(), Pool::new(32));
        let last = index + ((1_usize << order) - 1);
        array.store(&pool, last, value(9)).unwrap();
        array.store_order(&pool, index, order, value(order as usize)).unwrap();
        check(&array, &pool);
        for inside in [index, index + 1, last - 1, last] {
            assert_eq!(array.load(&pool, inside), Some(value(order as usize)), "{order}");
            let found = Found {
                index,
                last,
                entry: value(order as usize),
            };
            assert_eq!(array.find(&pool, inside, usize::MAX), Some(found));
        }
        assert_eq!(
            (
                array.load(&pool, last + 1),
                index.checked_sub(1).and_then(|before| array.load(&pool, before))
            ),
            (None, None)
        );
        assert_eq!(array.iter(&pool, 0, usize::MAX, None).count(), 1);
        assert_eq!(array.store(&pool, index + 1, value(5)), Ok(Some(value(order as usize))));
        assert_eq!(array.load(&pool, last), Some(value(5)));
        assert_eq!(array.remove(&pool, last), Some(value(5)));
        assert_eq!(pool.used(), 0);
    }
}

#[test]
fn a_store_without_memory_changes_nothing() {
    for room in 0..12 {
        let pool = Pool::new(room);
        for track in [XArray::new(), XArray::tracking_free()] {
            let array = track;
            let mut stored = Vec::new();
            for index in [0, 5, 70, 1 << 20, usize::MAX, 1 << 40] {
                match array.store(&pool, index, value(index >> 1)) {
                    Ok(old) => {
                        assert_eq!(old, None);
                        stored.push(index);
                    }
                    Err(NoMemory) => assert_eq!(array.load(&pool, index), None),
                }
                assert_eq!(check(&array, &pool), pool.used(), "room for {room}, {index:#x}");
            }
            stored.sort_unstable();
            assert!(array.iter(&pool, 0, usize::MAX, None).map(|found| found.index).eq(stored));
            array.clear(&pool);
            assert_eq!(pool.used(), 0);
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Store(usize, usize),
    Range(usize, u32, usize),
    Remove(usize),
    Mark(usize, bool),
    Find(usize, usize),
}

/// Numbers near each other, and a few far away.
fn index() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0_usize..200, 2 => 4000_usize..4200, 1 => (0_u32..64, 0_usize..3).prop_map(|(bit, add)| (1_usize << bit).wrapping_add(add))]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (index(), 0_usize..1000).prop_map(|(index, value)| Op::Store(index, value)),
        1 => (index(), 0_u32..14, 0_usize..1000).prop_map(|(index, order, value)| Op::Range(index, order, value)),
        4 => index().prop_map(Op::Remove),
        3 => (index(), any::<bool>()).prop_map(|(index, set)| Op::Mark(index, set)),
        2 => (index(), index()).prop_map(|(start, max)| Op::Find(start, max)),
    ]
}

/// What an array should hold: each entry's first index with its last, its value and its mark.
type Model = BTreeMap<usize, (usize, usize, bool)>;

fn around(model: &Model, index: usize) -> Option<usize> {
    let (first, (last, ..)) = model.range(..=index).next_back()?;
    (*last >= index).then_some(*first)
}

fn apply(array: &XArray, pool: &Pool, model: &mut Model, op: &Op) {
    match *op {
        Op::Store(index, number) => {
            let first = around(model, index).unwrap_or(index);
            let old = model.get(&first).copied();
            assert_eq!(array.store(pool, index, value(number)), Ok(old.map(|(_, old, _)| value(old))));
            model.insert(first, old.map_or((index, number, false), |(last, _, mark)| (last, number, mark)));
        }
        Op::Range(index, order, number) => {
            let first = index & !((1 << order) - 1);
            let last = first + ((1 << order) - 1);
            let larger = around(model, index).filter(|other| model[other].0 - other > last - first);
            array.store_order(pool, index, order, value(number)).unwrap();
            let (first, last) = larger.map_or((first, last), |first| (first, model[&first].0));
            let mark = order == 0 && model.get(&first).is_some_and(|(.., mark)| *mark);
            model.retain(|other, _| *other < first || *other > last);
            model.insert(first, (last, number, mark));
        }
        Op::Remove(index) => {
            let old = around(model, index).and_then(|first| model.remove(&first));
            assert_eq!(array.remove(pool, index), old.map(|(_, old, _)| value(old)));
        }
        Op::Mark(index, set) => {
            if set {
                array.set_mark(pool, index, Mark::Mark2);
            } else {
                array.clear_mark(pool, index, Mark::Mark2);
            }
            if let Some(first) = around(model, index) {
                model.entry(first).and_modify(|(.., mark)| *mark = set);
            }
        }
        Op::Find(start, max) => {
            let mut found = model.iter().filter(|(first, (last, ..))| *last >= start && **first <= max);
            let expected = found.clone().next().map(|(first, _)| *first);
            assert_eq!(
                array.find(pool, start, max).map(|found| found.index),
                if start <= max { expected } else { None }
            );
            let marked = found.find(|(_, (.., mark))| *mark).map(|(first, _)| *first);
            assert_eq!(
                array.find_marked(pool, start, max, Mark::Mark2).map(|found| found.index),
                if start <= max { marked } else { None }
            );
        }
    }
}

proptest! {
    #[test]
    fn any_operations_leave_what_a_map_would(ops in proptest::collection::vec(op(), 1..80), track in any::<bool>()) {
        let (array, pool) = (if track { XArray::tracking_free() } else { XArray::new() }, Pool::new(2000));
        let mut model = Model::new();
        for op in &ops {
            apply(&array, &pool, &mut model, op);
            prop_assert_eq!(check(&array, &pool), pool.used());
        }
        let entries = array.iter(&pool, 0, usize::MAX, None).map(|found| (found.index, (found.last, found.entry)));
        prop_assert!(entries.eq(model.iter().map(|(first, (last, number, _))| (*first, (*last, value(*number))))));
        for (first, (last, number, mark)) in &model {
            prop_assert_eq!(array.load(&pool, *last), Some(value(*number)));
            prop_assert_eq!(array.get_mark(&pool, *first, Mark::Mark2), *mark);
        }
        array.clear(&pool);
        prop_assert_eq!(pool.used(), 0);
    }

    #[test]
    fn the_first_free_index_is_free_and_those_before_are_not(taken in proptest::collection::vec(index(), 0..200), start in index(), max in index()) {
        let (array, pool) = (XArray::tracking_free(), Pool::new(2000));
        for index in &taken {
            array.store(&pool, *index, value(1)).unwrap();
        }
        let expected = (start..=max).find(|index| !taken.contains(index));
        prop_assert_eq!(array.find_free(&pool, start, max), expected);
    }
}

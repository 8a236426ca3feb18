//! Against a `BTreeMap`, and the properties that make the tree what it is called.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::vec::Vec;

/// Nodes with keys; each keeps the number of nodes below it, to see that what is kept is right.
pub(crate) struct Keyed {
    nodes: Vec<(u32, RbNode, AtomicUsize)>,
}

pub(crate) fn id(index: usize) -> Id {
    Id::new((index + 1) * 2).unwrap()
}

fn index(id: Id) -> usize {
    id.get() / 2 - 1
}

impl Keyed {
    fn new(keys: impl IntoIterator<Item = u32>) -> Keyed {
        let node = |key| (key, RbNode::new(), AtomicUsize::new(0));
        Keyed {
            nodes: keys.into_iter().map(node).collect(),
        }
    }

    fn key(&self, id: Id) -> u32 {
        self.nodes[index(id)].0
    }

    fn size(&self, id: Option<Id>) -> usize {
        id.map_or(0, |id| self.nodes[index(id)].2.load(Relaxed))
    }
}

impl Arena for Keyed {
    const AUGMENTED: bool = true;

    fn node(&self, id: Id) -> &RbNode {
        &self.nodes[index(id)].1
    }

    fn update(&self, id: Id) -> bool {
        let node = self.node(id);
        let size = 1 + self.size(node.left()) + self.size(node.right());
        self.nodes[index(id)].2.swap(size, Relaxed) != size
    }
}

/// Checks the subtree and says how many black nodes each path through it has, and how many nodes it has.
fn check(arena: &Keyed, id: Option<Id>, parent: Option<Id>) -> (usize, usize) {
    let Some(id) = id else { return (1, 0) };
    let node = arena.node(id);
    assert_eq!(node.parent(), parent);
    if let Some(parent) = parent {
        assert!(node.is_black() || arena.node(parent).is_black(), "two red nodes");
    } else {
        assert!(node.is_black(), "a red root");
    }
    let (left, right) = (check(arena, node.left(), Some(id)), check(arena, node.right(), Some(id)));
    assert_eq!(left.0, right.0, "black nodes");
    let size = 1 + left.1 + right.1;
    assert_eq!(arena.size(Some(id)), size, "what is kept of a subtree");
    (left.0 + usize::from(node.is_black()), size)
}

fn check_all(root: &RbRoot, arena: &Keyed, model: &BTreeSet<(u32, usize)>) {
    assert_eq!(check(arena, root.root(), None).1, model.len());
    let keys = || root.iter(arena).map(|id| arena.key(id));
    assert!(keys().eq(model.iter().map(|(key, _)| *key)));
    assert_eq!(root.first(arena).map(|id| arena.key(id)), model.first().map(|(key, _)| *key));
    assert_eq!(root.last(arena).map(|id| arena.key(id)), model.last().map(|(key, _)| *key));
    let mut backwards: Vec<_> = core::iter::successors(root.last(arena), |id| prev(arena, *id)).collect();
    backwards.reverse();
    assert!(root.iter(arena).eq(backwards));
}

fn insert(root: &RbRoot, arena: &Keyed, at: usize) {
    let key = arena.key(id(at));
    root.insert(arena, id(at), |other| key < arena.key(other));
}

#[test]
fn an_empty_tree_has_nothing() {
    let (root, arena) = (RbRoot::new(), Keyed::new([]));
    assert!(root.is_empty() && root.first(&arena).is_none() && root.last(&arena).is_none());
    assert_eq!(root.iter(&arena).count(), 0);
    assert_eq!(root.find(&arena, |_| Ordering::Equal), None);
}

#[test]
fn equal_keys_stand_in_the_order_in_which_they_came() {
    let (root, arena) = (RbRoot::new(), Keyed::new([5; 100]));
    (0..100).for_each(|at| insert(&root, &arena, at));
    assert!(root.iter(&arena).eq((0..100).map(id)));
}

#[test]
fn a_second_of_one_key_is_refused() {
    let (root, arena) = (RbRoot::new(), Keyed::new([1, 2, 1]));
    let try_insert = |at: usize| root.try_insert(&arena, id(at), |other| arena.key(id(at)).cmp(&arena.key(other)));
    assert_eq!((try_insert(0), try_insert(1), try_insert(2)), (Ok(()), Ok(()), Err(id(0))));
    assert_eq!(root.find(&arena, |other| 2.cmp(&arena.key(other))), Some(id(1)));
    assert_eq!(root.find(&arena, |other| 3.cmp(&arena.key(other))), None);
}

#[test]
fn ascending_and_descending_keys_stay_balanced() {
    for keys in [(0..1000).collect::<Vec<_>>(), (0..1000).rev().collect()] {
        let (root, arena) = (RbRoot::new(), Keyed::new(keys.iter().copied()));
        let mut model = BTreeSet::new();
        for (at, key) in keys.iter().enumerate() {
            insert(&root, &arena, at);
            model.insert((*key, at));
        }
        check_all(&root, &arena, &model);
        for (at, key) in keys.iter().enumerate() {
            root.erase(&arena, id(at));
            model.remove(&(*key, at));
            if at % 50 == 0 {
                check_all(&root, &arena, &model);
            }
        }
        assert!(root.is_empty());
    }
}

proptest! {
    #[test]
    fn any_insertions_and_removals_leave_what_a_set_would(keys in proptest::collection::vec(0_u32..60, 1..120), steps in proptest::collection::vec(any::<prop::sample::Index>(), 1..300)) {
        let (root, arena) = (RbRoot::new(), Keyed::new(keys.iter().copied()));
        let mut model = BTreeSet::new();
        for step in steps {
            let at = step.index(keys.len());
            if model.remove(&(keys[at], at)) {
                root.erase(&arena, id(at));
            } else {
                insert(&root, &arena, at);
                model.insert((keys[at], at));
            }
            check_all(&root, &arena, &model);
        }
    }
}

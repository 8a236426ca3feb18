//! Finds what stays, and where it refers to init memory.

use std::collections::VecDeque;

use super::items::{Class, Items};
use super::references::{Reference, Target};

/// That something which stays refers to init memory.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// What stays by itself, as the index of its item.
    pub root: usize,
    /// Where it refers to [`Self::derived`], or to init memory if there is none: address of the field.
    pub at: u64,
    /// What the compiler made, stays because of the root, and is what refers to init memory: the index of its item, and the address of the field.
    pub derived: Option<(usize, u64)>,
    /// What is referred to.
    pub to: Target,
}

/// How an item came to stay: the one that refers to it, and the address of the field; nothing for one that stays by itself.
type Reason = Option<(usize, u64)>;

/// Every reference from what stays to init memory.
#[must_use]
pub fn mismatches(items: &Items, references: &[Reference]) -> Vec<Mismatch> {
    let graph = Graph::of(items, references);
    let mut stays: Vec<Option<Reason>> = vec![None; items.all().len()];
    let mut queue: VecDeque<usize> = graph.roots(items).collect();
    for &root in &queue {
        stays[root] = Some(None);
    }
    let mut found = Vec::new();
    while let Some(item) = queue.pop_front() {
        for reference in graph.from(item) {
            let target = match reference.to {
                Target::Table(_) => None,
                Target::Address(address) => items.at(address),
            };
            match target.map(|target| items.all()[target].class) {
                None | Some(Class::Init) => found.push((item, *reference)),
                Some(Class::Derived) => {
                    let target = target.unwrap_or_default();
                    if stays[target].is_none() {
                        stays[target] = Some(Some((item, reference.at)));
                        queue.push_back(target);
                    }
                }
                Some(_) => {}
            }
        }
    }
    found.into_iter().map(|(item, reference)| trace(&stays, item, reference)).collect()
}

/// Follows the reasons from `item` back to what stays by itself.
fn trace(stays: &[Option<Reason>], item: usize, reference: Reference) -> Mismatch {
    let (mut root, mut at, mut derived) = (item, reference.at, None);
    while let Some(Some((referrer, field))) = stays[root] {
        derived.get_or_insert((item, reference.at));
        (root, at) = (referrer, field);
    }
    Mismatch {
        root,
        at,
        derived,
        to: reference.to,
    }
}

/// The references by the item that they are in.
struct Graph {
    references: Vec<(usize, Reference)>,
    /// Whether something else refers to the item.
    is_referred_to: Vec<bool>,
}

impl Graph {
    fn of(items: &Items, references: &[Reference]) -> Self {
        let mut is_referred_to = vec![false; items.all().len()];
        let mut by_item = Vec::with_capacity(references.len());
        for reference in references {
            let Some(from) = items.at(reference.at) else { continue };
            if let Target::Address(address) = reference.to
                && let Some(to) = items.at(address).filter(|&to| to != from)
            {
                is_referred_to[to] = true;
            }
            by_item.push((from, *reference));
        }
        by_item.sort_by_key(|(from, reference)| (*from, reference.at));
        Self {
            references: by_item,
            is_referred_to,
        }
    }

    /// What stays by itself and may not refer to init memory.
    fn roots(&self, items: &Items) -> impl Iterator<Item = usize> {
        let stays = |&(index, class): &(usize, Class)| match class {
            Class::Kept | Class::PerCpu => true,
            Class::Derived => !self.is_referred_to[index],
            Class::Init | Class::Excepted | Class::Compared => false,
        };
        let classes = items.all().iter().map(|item| item.class).enumerate();
        classes.filter(stays).map(|(index, _)| index)
    }

    fn from(&self, item: usize) -> impl Iterator<Item = &Reference> {
        let first = self.references.partition_point(|(from, _)| *from < item);
        self.references[first..]
            .iter()
            .take_while(move |(from, _)| *from == item)
            .map(|(_, reference)| reference)
    }
}

//! Finds what stays, and where it refers to init memory.

use std::collections::HashSet;

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

/// The references from what stays to init memory: for what refers there, all that makes it stay; one for each pair of who makes it stay and what is
/// referred to, the straightest.
#[must_use]
pub fn mismatches(items: &Items, references: &[Reference]) -> Vec<Mismatch> {
    let graph = Graph::of(items, references);
    let (stays, found) = graph.follow();
    let mut mismatches = Vec::new();
    let mut referrers = None;
    for Edge { from, at, to } in found {
        if graph.is_root(from) {
            mismatches.push(Mismatch {
                root: from,
                at,
                derived: None,
                to,
            });
            continue;
        }
        let referrers = referrers.get_or_insert_with(|| graph.referrers(&stays));
        mismatches.extend(graph.roots_of(from, referrers).into_iter().map(|(root, field)| Mismatch {
            root,
            at: field,
            derived: Some((from, at)),
            to,
        }));
    }
    let pair = |mismatch: &Mismatch| match mismatch.to {
        Target::Table(table) => (mismatch.root, None, table.name),
        Target::Address(_) => (mismatch.root, items.target(mismatch.to), ""),
    };
    mismatches.sort_by_key(|mismatch| (pair(mismatch), mismatch.derived, mismatch.at));
    mismatches.dedup_by_key(|mismatch| pair(mismatch));
    mismatches
}

/// A reference, and the item that it is in.
#[derive(Debug, Clone, Copy)]
struct Edge {
    from: usize,
    at: u64,
    to: Target,
}

/// The references by the item that they are in.
struct Graph<'i> {
    items: &'i Items,
    edges: Vec<Edge>,
    /// Whether something else refers to the item.
    is_referred_to: Vec<bool>,
}

impl<'i> Graph<'i> {
    fn of(items: &'i Items, references: &[Reference]) -> Self {
        let mut is_referred_to = vec![false; items.all().len()];
        let mut edges = Vec::with_capacity(references.len());
        for &Reference { at, to } in references {
            let Some(from) = items.at(at) else { continue };
            if let Some(to) = items.target(to).filter(|&to| to != from) {
                is_referred_to[to] = true;
            }
            edges.push(Edge { from, at, to });
        }
        edges.sort_by_key(|edge| (edge.from, edge.at));
        Self {
            items,
            edges,
            is_referred_to,
        }
    }

    fn class(&self, item: usize) -> Class {
        self.items.all()[item].class
    }

    /// Whether the item stays by itself and may not refer to init memory.
    fn is_root(&self, item: usize) -> bool {
        match self.class(item) {
            Class::Kept | Class::PerCpu => true,
            Class::Derived => !self.is_referred_to[item],
            Class::Init | Class::Excepted | Class::Compared => false,
        }
    }

    /// Whether each item stays, and the references from there to init memory.
    fn follow(&self) -> (Vec<bool>, Vec<Edge>) {
        let mut queue: Vec<usize> = (0..self.items.all().len()).filter(|&item| self.is_root(item)).collect();
        let mut stays = vec![false; self.items.all().len()];
        for &root in &queue {
            stays[root] = true;
        }
        let mut found = Vec::new();
        while let Some(item) = queue.pop() {
            for edge in self.edges_from(item) {
                match (edge.to, self.items.target(edge.to)) {
                    (Target::Table(_), _) => found.push(*edge),
                    (_, Some(target)) if self.class(target) == Class::Init => found.push(*edge),
                    (_, Some(target)) if self.class(target) == Class::Derived && !stays[target] => {
                        stays[target] = true;
                        queue.push(target);
                    }
                    _ => {}
                }
            }
        }
        (stays, found)
    }

    fn edges_from(&self, item: usize) -> impl Iterator<Item = &Edge> {
        let first = self.edges.partition_point(|edge| edge.from < item);
        self.edges[first..].iter().take_while(move |edge| edge.from == item)
    }

    /// For each item what refers to it and stays.
    fn referrers(&self, stays: &[bool]) -> Vec<Vec<Edge>> {
        let mut referrers = vec![Vec::new(); self.items.all().len()];
        for edge in self.edges.iter().filter(|edge| stays[edge.from]) {
            if let Some(target) = self.items.target(edge.to) {
                referrers[target].push(*edge);
            }
        }
        referrers
    }

    /// What stays by itself and leads to `item` through nothing but what was derived: each with the field from which it does.
    fn roots_of(&self, item: usize, referrers: &[Vec<Edge>]) -> Vec<(usize, u64)> {
        let (mut roots, mut pending, mut seen) = (Vec::new(), vec![item], HashSet::from([item]));
        while let Some(item) = pending.pop() {
            for edge in &referrers[item] {
                if !seen.insert(edge.from) {
                    continue;
                }
                if self.is_root(edge.from) {
                    roots.push((edge.from, edge.at));
                } else {
                    pending.push(edge.from);
                }
            }
        }
        roots
    }
}

//! Who has which part of a range of virtual addresses: the areas of `vmalloc`.
//!
//! The areas and the gaps between them lie in one balanced tree (`tree`), by address, in which each node knows the largest gap below it. So finding room, finding
//! the area of an address, taking and giving back all take a number of steps that grows with the logarithm of the number of areas. Room is found at the lowest
//! address. Nothing here allocates: nodes come from a store that its owner makes larger ([`Areas::grow`]) before it runs out.

mod tree;

use core::ops::{DerefMut, Range};

pub use tree::Node;
use tree::Tree;

/// How many spare nodes an operation may need at the most.
pub const NODES_NEEDED: usize = 2;

/// Why addresses could not be taken. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AreaError {
    /// No gap is large enough, or the addresses asked for are not all free.
    NoRoom,
    /// The store has no spare nodes: make it larger and try again.
    NoNodes,
    /// No bytes, or an alignment that is no power of two.
    BadRequest,
}

/// What addresses are asked for: the lowest that fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Bytes.
    pub size: usize,
    /// What the first address is a multiple of, a power of two.
    pub align: usize,
    /// Where all the addresses lie.
    pub within: Range<usize>,
}

/// Areas of a range of addresses, with a `T` for each. The nodes are in `S`.
#[derive(Debug)]
pub struct Areas<T, S> {
    tree: Tree<T, S>,
    /// A node without addresses that a joined area left in the tree. The next area that begins there takes it: who allocates and frees again and again
    /// changes no links.
    left_over: Option<u32>,
}

impl<T, S: DerefMut<Target = [Node<T>]>> Areas<T, S> {
    /// No areas in `space`. The first of `nodes` is used at once; without one there is no room in the space.
    #[must_use]
    pub fn new(nodes: S, space: Range<usize>) -> Self {
        let mut tree = Tree::new(nodes);
        if !space.is_empty() && tree.spare() > 0 {
            tree.insert(space, None);
        }
        Areas { tree, left_over: None }
    }

    /// How many nodes are not in use.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.tree.spare()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.tree.nodes()
    }

    /// Uses the nodes of `larger` from now on, and gives the old store back. Nothing changes, and `larger` comes back, if it does not have more nodes.
    pub fn grow(&mut self, larger: S) -> S {
        self.tree.grow(larger)
    }

    /// Takes the lowest free addresses that are as asked for, and keeps `value` with them.
    ///
    /// # Errors
    ///
    /// See [`AreaError`].
    pub fn alloc(&mut self, request: &Request, value: T) -> Result<Range<usize>, AreaError> {
        if request.size == 0 || !request.align.is_power_of_two() {
            return Err(AreaError::BadRequest);
        }
        let (gap, area) = self.tree.lowest_fit(request).ok_or(AreaError::NoRoom)?;
        self.carve(gap, area.clone(), value)?;
        Ok(area)
    }

    /// Takes the addresses `area`, and keeps `value` with them.
    ///
    /// # Errors
    ///
    /// See [`AreaError`].
    pub fn take(&mut self, area: Range<usize>, value: T) -> Result<(), AreaError> {
        if area.is_empty() {
            return Err(AreaError::BadRequest);
        }
        let gap = self.gap_with(&area).ok_or(AreaError::NoRoom)?;
        self.carve(gap, area, value)
    }

    /// The lowest address `base`, a multiple of `align` from `from` on, for which `size` bytes are free from each of `base + offset` on. It goes from area to area
    /// that is in the way, so it takes longer than [`alloc`](Self::alloc).
    #[must_use]
    pub fn find_congruent(&self, offsets: &[usize], size: usize, align: usize, from: usize) -> Option<usize> {
        let mut base = from.checked_next_multiple_of(align)?;
        loop {
            let obstacle = offsets.iter().find_map(|&offset| {
                let Some(start) = base.checked_add(offset) else { return Some(None) };
                let Some(end) = start.checked_add(size) else { return Some(None) };
                match self.tree.find(start) {
                    None => Some(None),
                    Some(index) => {
                        let node = self.tree.node(index);
                        let fits = node.value.is_none() && end <= node.end;
                        (!fits).then(|| Some(node.end - offset))
                    }
                }
            });
            match obstacle {
                None => return Some(base),
                Some(behind) => base = behind?.max(base + 1).checked_next_multiple_of(align)?,
            }
        }
    }

    /// Gives back the area that begins at `start`, and what was kept with it; nothing if none begins there.
    pub fn free(&mut self, start: usize) -> Option<(Range<usize>, T)> {
        let index = self.tree.find(start).filter(|&index| self.tree.node(index).start == start)?;
        self.tree.node(index).value.as_ref()?;
        self.remove_left_over();
        let area = self.tree.range(index);
        let mut gap = area.clone();
        let is_gap = |index: &u32| self.tree.node(*index).value.is_none();
        let before = start.checked_sub(1).and_then(|address| self.tree.find(address)).filter(is_gap);
        let after = self.tree.find(area.end).filter(is_gap);
        if let Some(after) = after {
            gap.end = self.tree.node(after).end;
            self.tree.remove(after);
        }
        if let Some(before) = before {
            gap.start = self.tree.node(before).start;
            self.tree.remove(before);
        }
        // Not before the others are removed: what removing one finds to be right is not looked at again when the range is set.
        let value = self.tree.node_mut(index).value.take()?;
        self.tree.set_range(index, gap);
        Some((area, value))
    }

    /// Makes the area that begins at `start` a part of the one right before it, if there is one and `joins` says so of what is kept with it. What was kept with the
    /// former is dropped.
    pub fn join(&mut self, start: usize, joins: impl FnOnce(&T) -> bool) -> bool {
        let before = start.checked_sub(1).and_then(|address| self.tree.find(address));
        let area = self.tree.find(start).filter(|&index| self.tree.node(index).start == start);
        let (Some(before), Some(area)) = (before, area) else { return false };
        let agrees = self.tree.node(area).value.is_some() && self.tree.node(before).value.as_ref().is_some_and(joins);
        if agrees {
            self.remove_left_over();
            let end = self.tree.node(area).end;
            let joined = self.tree.node(before).start..end;
            self.tree.node_mut(area).value = None;
            self.tree.set_range(area, end..end);
            self.tree.set_range(before, joined);
            self.left_over = Some(area);
        }
        agrees
    }

    fn remove_left_over(&mut self) {
        if let Some(index) = self.left_over.take() {
            self.tree.remove(index);
        }
    }

    /// The area that has `address`, and what is kept with it.
    #[must_use]
    pub fn find(&self, address: usize) -> Option<(Range<usize>, &T)> {
        let index = self.tree.find(address)?;
        let value = self.tree.node(index).value.as_ref()?;
        Some((self.tree.range(index), value))
    }

    /// As [`find`](Self::find), to change what is kept.
    pub fn find_mut(&mut self, address: usize) -> Option<(Range<usize>, &mut T)> {
        let index = self.tree.find(address)?;
        let range = self.tree.range(index);
        self.tree.node_mut(index).value.as_mut().map(|value| (range, value))
    }

    /// The first area that begins at `address` or behind it.
    #[must_use]
    pub fn next(&self, address: usize) -> Option<(Range<usize>, &T)> {
        let mut index = self.tree.from(address)?;
        while self.tree.node(index).value.is_none() {
            index = self.tree.find(self.tree.node(index).end)?;
        }
        let value = self.tree.node(index).value.as_ref()?;
        Some((self.tree.range(index), value))
    }

    /// The areas, by address.
    pub fn iter(&self) -> impl Iterator<Item = (Range<usize>, &T)> {
        let mut address = Some(0);
        core::iter::from_fn(move || {
            let (area, value) = self.next(address?)?;
            address = Some(area.end);
            Some((area, value))
        })
    }

    /// Bytes of the largest gap.
    #[must_use]
    pub fn largest_gap(&self) -> usize {
        self.tree.largest_gap()
    }

    /// The gap that all of `area` lies in.
    fn gap_with(&self, area: &Range<usize>) -> Option<u32> {
        self.tree.find(area.start).filter(|&index| {
            let node = self.tree.node(index);
            node.value.is_none() && area.end <= node.end
        })
    }

    /// Makes `area`, which lies in the gap, an area.
    fn carve(&mut self, gap: u32, area: Range<usize>, value: T) -> Result<(), AreaError> {
        if self.tree.spare() < NODES_NEEDED {
            return Err(AreaError::NoNodes);
        }
        let Range { start, end } = self.tree.range(gap);
        match (start < area.start, area.end < end) {
            (false, false) => {
                self.tree.node_mut(gap).value = Some(value);
                self.tree.set_range(gap, area);
            }
            (false, true) => {
                self.tree.set_range(gap, area.end..end);
                match self.left_over.take_if(|index| self.tree.node(*index).start == start) {
                    Some(index) => {
                        self.tree.node_mut(index).value = Some(value);
                        self.tree.set_range(index, area);
                    }
                    None => self.tree.insert(area, Some(value)),
                }
            }
            (true, remains) => {
                self.tree.set_range(gap, start..area.start);
                let rest = area.end..end;
                self.tree.insert(area, Some(value));
                if remains {
                    self.tree.insert(rest, None);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

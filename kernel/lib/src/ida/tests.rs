//! Against a `BTreeSet`.

use super::*;
use crate::xarray::Node;
use crate::xarray::tests::Pool;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::vec::Vec;

/// So many nodes and bitmaps, and no more.
struct Memory {
    nodes: Pool,
    bitmaps: Vec<Bitmap>,
    free: Mutex<Vec<usize>>,
}

impl Memory {
    fn new(nodes: usize, bitmaps: usize) -> Memory {
        Memory {
            nodes: Pool::new(nodes),
            bitmaps: (0..bitmaps).map(|_| Bitmap::new()).collect(),
            free: Mutex::new((1..=bitmaps).rev().map(|index| index * 4).collect()),
        }
    }

    fn bitmaps_in_use(&self) -> usize {
        self.bitmaps.len() - self.free.lock().unwrap().len()
    }
}

impl Nodes for Memory {
    fn node(&self, id: usize) -> &Node {
        self.nodes.node(id)
    }

    fn alloc(&self) -> Option<usize> {
        self.nodes.alloc()
    }

    fn free(&self, id: usize) {
        self.nodes.free(id);
    }
}

impl Bitmaps for Memory {
    fn bitmap(&self, id: usize) -> &Bitmap {
        &self.bitmaps[id / 4 - 1]
    }

    fn alloc_bitmap(&self) -> Option<usize> {
        let id = self.free.lock().unwrap().pop()?;
        self.bitmap(id).words.iter().for_each(|word| word.store(0, Relaxed));
        Some(id)
    }

    fn free_bitmap(&self, id: usize) {
        self.free.lock().unwrap().push(id);
    }
}

#[test]
fn few_numbers_take_no_memory_and_many_a_bit_each() {
    let (ida, memory) = (Ida::new(), Memory::new(4, 2));
    assert!((0..63).all(|id| ida.alloc(&memory, 0..=u32::MAX) == Ok(id)));
    assert_eq!(memory.bitmaps_in_use(), 0);
    assert!((63..2048).all(|id| ida.alloc(&memory, 0..=u32::MAX) == Ok(id)));
    assert_eq!(memory.bitmaps_in_use(), 2);
    assert_eq!(ida.alloc(&memory, 0..=2047), Err(Errno::ENOSPC));
    assert!(ida.free(&memory, 1500) && !ida.free(&memory, 1500));
    assert!(!ida.is_taken(&memory, 1500) && ida.is_taken(&memory, 1501));
    assert_eq!(ida.alloc(&memory, 0..=2047), Ok(1500));
    assert!((0..2048).all(|id| ida.free(&memory, id)));
    assert!(ida.is_empty());
    assert_eq!(memory.bitmaps_in_use(), 0);
}

#[test]
fn a_range_begins_and_ends_inside_of_entries() {
    let (ida, memory) = (Ida::new(), Memory::new(8, 4));
    assert_eq!(ida.alloc(&memory, 62..=64), Ok(62));
    assert_eq!(ida.alloc(&memory, 62..=64), Ok(63));
    assert_eq!(ida.alloc(&memory, 62..=64), Ok(64));
    assert_eq!(ida.alloc(&memory, 62..=64), Err(Errno::ENOSPC));
    assert_eq!(ida.alloc(&memory, 0..=64), Ok(0));
    assert_eq!(ida.alloc(&memory, u32::MAX..=u32::MAX), Ok(u32::MAX));
    assert_eq!(ida.alloc(&memory, u32::MAX..=u32::MAX), Err(Errno::ENOSPC));
    assert!(!ida.free(&memory, 70) && !ida.free(&memory, 5000));
    ida.clear(&memory);
    assert_eq!((ida.is_empty(), memory.bitmaps_in_use()), (true, 0));
}

#[test]
fn without_memory_no_number_is_taken() {
    let (ida, memory) = (Ida::new(), Memory::new(0, 1));
    assert!((0..1024).all(|id| ida.alloc(&memory, 0..=u32::MAX) == Ok(id)));
    assert_eq!(ida.alloc(&memory, 0..=u32::MAX), Err(Errno::ENOMEM));
    assert_eq!(ida.alloc(&memory, 1100..=u32::MAX), Err(Errno::ENOMEM));
    assert_eq!(memory.bitmaps_in_use(), 1);
    assert!(!ida.is_taken(&memory, 1024) && ida.is_taken(&memory, 1023));
}

proptest! {
    #[test]
    fn any_operations_leave_what_a_set_would(steps in proptest::collection::vec((0_u32..2100, 0_u32..80, any::<bool>()), 1..300)) {
        let (ida, memory) = (Ida::new(), Memory::new(64, 64));
        let mut model = BTreeSet::new();
        for (start, length, frees) in steps {
            if frees {
                let id = model.range(start..).next().copied().unwrap_or(start);
                prop_assert_eq!(ida.free(&memory, id), model.remove(&id));
            } else {
                let range = start / 3..=start / 3 + length;
                let expected = range.clone().find(|id| !model.contains(id)).ok_or(Errno::ENOSPC);
                prop_assert_eq!(ida.alloc(&memory, range), expected);
                model.extend(expected);
            }
        }
        prop_assert!((0..2200).all(|id| ida.is_taken(&memory, id) == model.contains(&id)));
        ida.clear(&memory);
        prop_assert_eq!(memory.bitmaps_in_use(), 0);
    }
}

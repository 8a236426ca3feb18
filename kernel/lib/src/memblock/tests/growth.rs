//! Lists that outgrow their room.

use super::super::*;
use core::ops::Range;
use proptest::prelude::*;
use std::{vec, vec::Vec};

const PAGE: u64 = 0x1000;
/// Where the memory is that lists grow into; what tests add lies above.
const GROUND: u64 = 64 << 20;

/// A memblock as the kernel uses one: an operation that finds no room is repeated when there is more.
struct Growing {
    memblock: Memblock<4>,
    arrays: Vec<Range<u64>>,
}

impl Growing {
    /// The lists may grow into all memory below `limit`.
    fn below(limit: u64) -> Self {
        let mut memblock = Memblock::new();
        memblock.set_current_limit(limit);
        memblock.add(PAGE, GROUND - PAGE).expect("room");
        Self { memblock, arrays: vec![] }
    }

    fn double(&mut self, list: List, avoid: &Range<u64>) -> Result<(), MemblockError> {
        let array = |_, capacity| vec![Region::EMPTY; capacity].leak() as &'static mut [Region];
        let doubled = self.memblock.double(list, avoid.clone(), array)?;
        assert!(doubled.place.end <= avoid.start || avoid.end <= doubled.place.start || avoid.is_empty());
        assert!(
            self.memblock
                .is_region_reserved(doubled.place.start, doubled.place.end - doubled.place.start)
        );
        assert!((doubled.place.end - doubled.place.start) as usize >= doubled.capacity * size_of::<Region>());
        assert!(
            self.arrays
                .iter()
                .all(|array| array.end <= doubled.place.start || doubled.place.end <= array.start)
        );
        self.arrays.push(doubled.place);
        Ok(())
    }

    fn run(&mut self, avoid: Range<u64>, operation: impl Fn(&mut Memblock<4>) -> Result<(), MemblockError>) {
        loop {
            match operation(&mut self.memblock) {
                Err(MemblockError::Full(list)) => match self.double(list, &avoid) {
                    Err(MemblockError::Full(list)) => self.double(list, &avoid).expect("memory for the list"),
                    doubled => doubled.expect("memory for the list"),
                },
                done => return done.expect("nothing but room was missing"),
            }
        }
    }

    fn add(&mut self, base: u64, size: u64) {
        self.run(0..0, |memblock| memblock.add(base, size));
    }

    fn reserve(&mut self, base: u64, size: u64) {
        self.run(base..base + size, |memblock| memblock.reserve(base, size));
    }

    fn remove(&mut self, base: u64, size: u64) {
        self.run(base..base + size, |memblock| memblock.remove(base, size));
    }
}

#[test]
fn a_map_of_thousands_of_regions_has_all_of_them() {
    const COUNT: u64 = 5000;
    let mut growing = Growing::below(GROUND);
    for at in 0..COUNT {
        growing.add(GROUND + PAGE + 2 * at * PAGE, PAGE);
        growing.reserve(GROUND + PAGE + 2 * at * PAGE, 16);
    }
    let memblock = &growing.memblock;
    assert_eq!(memblock.memory().len() as u64, 1 + COUNT);
    assert!(memblock.memory().capacity() >= memblock.memory().len() && memblock.memory().capacity() < 4 * COUNT as usize);
    for at in 0..COUNT {
        let base = GROUND + PAGE + 2 * at * PAGE;
        assert!(memblock.is_region_memory(base, PAGE) && !memblock.is_memory(base - 1));
        assert!(memblock.is_region_reserved(base, 16) && !memblock.is_reserved(base + 16));
    }
    let arrays: u64 = growing.arrays.iter().map(|array| array.end - array.start).sum();
    assert_eq!(memblock.reserved().total_size(), arrays + COUNT * 16);
}

#[test]
fn memory_is_not_doubled_while_its_place_cannot_be_reserved() {
    let mut memblock = Growing::below(GROUND).memblock;
    for at in 0..4 {
        memblock.reserve(GROUND + 2 * at * PAGE, PAGE).expect("room");
    }
    let no_array = |_, _| -> &'static mut [Region] { panic!("no array is asked for") };
    let doubled = memblock.double(List::Memory, 0..0, no_array);
    assert_eq!(doubled.err(), Some(MemblockError::Full(List::Reserved)));
    assert_eq!((memblock.memory().capacity(), memblock.reserved().len()), (4, 4));
}

#[test]
fn a_list_for_which_there_is_no_memory_stays_as_it_is() {
    let mut memblock = Memblock::<4>::new();
    memblock.add(PAGE, 2 * PAGE).expect("room");
    let no_array = |_, _| -> &'static mut [Region] { panic!("no array is asked for") };
    let doubled = memblock.double(List::Reserved, PAGE..3 * PAGE, no_array);
    assert_eq!(doubled.err(), Some(MemblockError::NoMemory { size: PAGE, align: PAGE }));
    assert!(memblock.reserved().is_empty());
}

#[test]
fn the_array_before_the_last_one_can_be_given_back() {
    let mut memblock = Growing::below(GROUND).memblock;
    let array = |_, capacity| vec![Region::EMPTY; capacity].leak() as &'static mut [Region];
    assert!(memblock.double(List::Memory, 0..0, array).expect("memory").old.is_none());
    let second = memblock.double(List::Memory, 0..0, array).expect("memory");
    assert_eq!(second.old.map(|old| old.len()), Some(8));
    let larger = vec![Region::EMPTY; 64].leak();
    assert_eq!(memblock.move_to(List::Memory, larger).map(|old| old.len()), Some(second.capacity));
    assert_eq!((memblock.memory().len(), memblock.memory().capacity()), (1, 64));
}

proptest! {
    #[test]
    fn any_map_is_kept_whole(
        ranges in proptest::collection::vec((0..3_u8, 0..4000_u64, 1..6_u64), 0..1500),
        limit in prop_oneof![Just(GROUND), Just(u64::MAX)],
    ) {
        let mut growing = Growing::below(limit);
        let mut memory = vec![false; 4010];
        let mut taken = vec![false; 4010];
        for (kind, at, count) in ranges {
            let (base, size) = (GROUND + at * PAGE, count * PAGE);
            let places = at as usize..(at + count) as usize;
            match kind {
                0 => {
                    growing.add(base, size);
                    memory[places].fill(true);
                }
                1 => {
                    growing.reserve(base, size);
                    taken[places].fill(true);
                }
                _ => {
                    growing.remove(base, size);
                    memory[places].fill(false);
                }
            }
        }
        // What the lists themselves have taken is not part of the model.
        let own = |at: u64| growing.arrays.iter().any(|array| array.contains(&(GROUND + at * PAGE)));
        for at in 0..memory.len() {
            let address = GROUND + at as u64 * PAGE;
            prop_assert_eq!(growing.memblock.is_memory(address), memory[at]);
            prop_assert_eq!(growing.memblock.is_reserved(address), taken[at] || own(at as u64));
        }
    }
}

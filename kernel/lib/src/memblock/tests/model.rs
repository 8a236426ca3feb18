//! Any operations, against a map of every address.

use super::super::*;
use proptest::prelude::*;
use std::{vec, vec::Vec};

/// Addresses of the model: one entry each.
const SPACE: usize = 96;

/// One operation on the allocator and on the model.
#[derive(Clone, Debug)]
enum Step {
    Add(u64, u64),
    Remove(u64, u64),
    Reserve(u64, u64),
    Free(u64, u64),
    Mark(u64, u64, bool),
    Find {
        size: u64,
        align: u64,
        start: u64,
        end: u64,
        bottom_up: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let range = || (0..64_u64, 0..24_u64);
    prop_oneof![
        range().prop_map(|(base, size)| Step::Add(base, size)),
        range().prop_map(|(base, size)| Step::Remove(base, size)),
        range().prop_map(|(base, size)| Step::Reserve(base, size)),
        range().prop_map(|(base, size)| Step::Free(base, size)),
        (range(), any::<bool>()).prop_map(|((base, size), set)| Step::Mark(base, size, set)),
        (1..8_u64, 0..4_u32, range(), any::<bool>()).prop_map(|(size, shift, (start, len), bottom_up)| Step::Find {
            size,
            align: 1 << shift,
            start,
            end: start + len * 4,
            bottom_up,
        }),
    ]
}

/// What each address is: memory (and its flags) and reserved or not.
#[derive(Clone, Debug)]
struct Model {
    memory: Vec<Option<RegionFlags>>,
    reserved: Vec<bool>,
}

impl Model {
    fn new() -> Self {
        Self {
            memory: vec![None; SPACE],
            reserved: vec![false; SPACE],
        }
    }

    fn apply(&mut self, step: &Step) {
        let range = |base: u64, size: u64| base as usize..(base + size) as usize;
        match *step {
            Step::Add(base, size) => self.memory[range(base, size)]
                .iter_mut()
                .for_each(|place| *place = place.or(Some(RegionFlags::NONE))),
            Step::Remove(base, size) => self.memory[range(base, size)].fill(None),
            Step::Reserve(base, size) => self.reserved[range(base, size)].fill(true),
            Step::Free(base, size) => self.reserved[range(base, size)].fill(false),
            Step::Mark(base, size, set) => {
                let flags = if set { RegionFlags::NOMAP } else { RegionFlags::NONE };
                self.memory[range(base, size)].iter_mut().flatten().for_each(|place| *place = flags);
            }
            Step::Find { .. } => {}
        }
    }

    fn is_free(&self, at: usize) -> bool {
        self.memory[at] == Some(RegionFlags::NONE) && !self.reserved[at]
    }

    /// Regions in the longer list.
    fn slots(&self) -> usize {
        let memory = self.runs(|at| self.memory[at]).len();
        memory.max(self.runs(|at| self.reserved[at].then_some(())).len())
    }

    /// Runs of addresses that are alike, those that `key` gives nothing for left out.
    fn runs<K: PartialEq + Copy>(&self, key: impl Fn(usize) -> Option<K>) -> Vec<(u64, u64, K)> {
        let mut runs: Vec<(u64, u64, K)> = vec![];
        for at in 0..SPACE {
            let Some(kind) = key(at) else { continue };
            match runs.last_mut() {
                Some(last) if last.1 == at as u64 && last.2 == kind => last.1 += 1,
                _ => runs.push((at as u64, at as u64 + 1, kind)),
            }
        }
        runs
    }
}

/// The allocator with its first page out of the way: model addresses are offset by it.
const OFFSET: u64 = 0x1000;

fn run<const N: usize>(memblock: &mut Memblock<N>, step: &Step) -> Result<(), MemblockError> {
    match *step {
        Step::Add(base, size) => memblock.add(OFFSET + base, size),
        Step::Remove(base, size) => memblock.remove(OFFSET + base, size),
        Step::Reserve(base, size) => memblock.reserve(OFFSET + base, size),
        Step::Free(base, size) => memblock.free(OFFSET + base, size),
        Step::Mark(base, size, set) => memblock.mark(OFFSET + base, size, RegionFlags::NOMAP, set),
        Step::Find { bottom_up, .. } => {
            memblock.set_bottom_up(bottom_up.then_some(0));
            Ok(())
        }
    }
}

fn check<const N: usize>(memblock: &Memblock<N>, model: &Model) -> Result<(), TestCaseError> {
    let memory: Vec<_> = memblock
        .memory()
        .iter()
        .map(|region| (region.base - OFFSET, region.end() - OFFSET, region.flags))
        .collect();
    prop_assert_eq!(memory, model.runs(|at| model.memory[at]));
    let reserved: Vec<_> = memblock
        .reserved()
        .iter()
        .map(|region| (region.base - OFFSET, region.end() - OFFSET, ()))
        .collect();
    prop_assert_eq!(reserved, model.runs(|at| model.reserved[at].then_some(())));
    let free: Vec<_> = memblock
        .free_ranges()
        .map(|range| (range.start - OFFSET, range.end - OFFSET, ()))
        .collect();
    // A region may end where the next one begins, as they differ in flags; free ranges do not.
    prop_assert_eq!(free, model.runs(|at| model.is_free(at).then_some(())));
    Ok(())
}

proptest! {
    #[test]
    fn the_lists_agree_with_a_map_of_every_address(
        steps in proptest::collection::vec(step(), 0..40),
    ) {
        let mut memblock = Memblock::<64>::new();
        let mut model = Model::new();
        for step in &steps {
            prop_assert_eq!(run(&mut memblock, step), Ok(()));
            model.apply(step);
            check(&memblock, &model)?;
            if let Step::Find { size, align, start, end, bottom_up } = *step {
                let found = memblock
                    .find_in_range(size, align, OFFSET + start, OFFSET + end)
                    .map(|place| place - OFFSET);
                let fits = |place: &u64| {
                    let range = *place as usize..(*place + size) as usize;
                    place.is_multiple_of(align) && range.end as u64 <= end && range.end <= SPACE
                        && range.clone().all(|at| model.is_free(at))
                };
                let mut places = (start..SPACE as u64).filter(fits);
                let place = if bottom_up { places.next() } else { places.next_back() };
                prop_assert_eq!(found, place.ok_or(MemblockError::NoMemory { size, align }));
            }
        }
    }

    #[test]
    fn an_operation_on_a_small_list_works_wholly_or_not_at_all(
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut memblock = Memblock::<4>::new();
        let mut model = Model::new();
        for step in &steps {
            let mut after = model.clone();
            after.apply(step);
            match run(&mut memblock, step) {
                Ok(()) => model = after,
                Err(error) => {
                    prop_assert!(matches!(error, MemblockError::Full(_)));
                    // Only with reason: the list is nearly full, or would overflow.
                    prop_assert!(model.slots().max(after.slots()) >= 3);
                }
            }
            check(&memblock, &model)?;
        }
    }
}

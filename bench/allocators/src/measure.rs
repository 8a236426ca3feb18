//! What is measured of each: time, the worst of it, and how much of the memory can be used.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::time::Instant;

use crate::contender::{ARENA, Arena, Contender};
use crate::trace::{self, SLOTS, Sequence, Step};

/// How often the sequence is run. The least of each operation's times counts: what the rest of the machine does in between hits another one each time.
const PASSES: usize = 7;

/// The large blocks that are asked for in what is left.
const LARGE: usize = 64 << 10;

/// What one contender did.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Nanoseconds for an operation, on average.
    pub mean: f64,
    /// Nanoseconds for the worst of them.
    pub worst: u64,
    /// Bytes asked for that fit, of each hundred bytes of memory.
    pub filled: f64,
    /// Large blocks that can be had when every second stretch of the blocks of a full memory was freed, of each hundred that the free bytes would hold.
    pub large: f64,
}

/// Requests in a row that are refused when the memory counts as full.
const GIVE_UP: usize = 64;

/// A live block.
type Live = Option<(NonNull<u8>, Layout)>;

fn layout(size: usize) -> Layout {
    let align = if size >= 4096 { 4096 } else { 8 };
    Layout::from_size_align(size, align).expect("sizes of the trace are small")
}

/// Measures one contender.
pub fn figures<C: Contender>(steps: &[Step]) -> Figures {
    let mut least = vec![u64::MAX; steps.len()];
    let mut total = u64::MAX;
    for _ in 0..PASSES {
        let arena = Arena::new();
        total = total.min(whole::<C>(&arena, steps));
        each::<C>(&arena, steps, &mut least);
    }
    let (filled, large) = space::<C>();
    Figures {
        mean: total as f64 / steps.len() as f64,
        worst: least.into_iter().max().unwrap_or_default(),
        filled,
        large,
    }
}

/// Runs one step, and whether a block was to be had.
fn run<C: Contender>(contender: &mut C, slots: &mut [Live], step: Step) -> bool {
    let slot = &mut slots[step.slot];
    match slot.take() {
        // SAFETY: the slot's block is from this contender, and the slot was the only one to know it.
        Some((block, layout)) => unsafe { contender.free(block, layout) },
        None => {
            let layout = layout(step.size);
            *slot = contender.alloc(layout).map(|block| (block, layout));
            return slot.is_some();
        }
    }
    true
}

/// Nanoseconds of the whole sequence.
fn whole<C: Contender>(arena: &Arena, steps: &[Step]) -> u64 {
    let mut contender = C::new(arena);
    let mut slots: Vec<Live> = vec![None; SLOTS];
    let start = Instant::now();
    let all = steps.iter().all(|&step| run(&mut contender, &mut slots, step));
    let took = start.elapsed().as_nanos() as u64;
    assert!(all, "{} has too little memory for the sequence", C::NAME);
    took
}

/// The time of each step, where it is less than what is known.
fn each<C: Contender>(arena: &Arena, steps: &[Step], least: &mut [u64]) {
    let mut contender = C::new(arena);
    let mut slots: Vec<Live> = vec![None; SLOTS];
    for (&step, least) in steps.iter().zip(least) {
        let start = Instant::now();
        run(&mut contender, &mut slots, step);
        *least = (*least).min(start.elapsed().as_nanos() as u64);
    }
}

/// Blocks that are freed together, and as many kept between: what one task took, say.
const STRETCH: usize = 4096;

/// Fills the memory, then frees every second stretch and asks for large blocks.
fn space<C: Contender>() -> (f64, f64) {
    let arena = Arena::new();
    let mut contender = C::new(&arena);
    let mut sequence = Sequence::new(0x0fed_cba9_8765_4321);
    let mut live: Vec<(NonNull<u8>, Layout)> = Vec::new();
    let mut asked = 0;
    let mut failures = 0;
    while failures < GIVE_UP {
        let layout = layout(sequence.size());
        let Some(block) = contender.alloc(layout) else {
            failures += 1;
            continue;
        };
        failures = 0;
        asked += layout.size();
        live.push((block, layout));
    }
    let mut left = 0;
    for (index, (block, layout)) in live.into_iter().enumerate() {
        if (index / STRETCH).is_multiple_of(2) {
            // SAFETY: the block is from this contender, and the list was the only one to know it.
            unsafe { contender.free(block, layout) };
        } else {
            left += layout.size();
        }
    }
    let ideal = (ARENA - left) / LARGE;
    let found = (0..ideal).take_while(|_| contender.alloc(layout(LARGE)).is_some()).count();
    (100.0 * asked as f64 / ARENA as f64, 100.0 * found as f64 / ideal as f64)
}

/// The sequence that all are measured with.
pub fn sequence() -> Vec<Step> {
    trace::steps()
}

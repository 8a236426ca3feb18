//! `initcall_shuffle=SEED[:K[:J]]`: the initcalls in another legal order, to find those that rely on an order that nobody declared.
//!
//! Every relation is kept; what has none to each other changes places. `K` takes only the first `K` initcalls of the boot as the seed has them and the rest as
//! the build left them; `J` lets the last of those `K` fall back behind `J` of those that it has overtaken. With the two, a tool finds out which pair
//! it is that matters.

use core::fmt;

use incipit_lib::order::{self, SplitMix64};

use super::{InitcallEntry, call_in_order, do_one_initcall, relations};
use crate::locking::SpinLock;
use crate::mm::slab::KVec;
use crate::prelude::*;
use crate::table::InitTable;

/// How many names stand in a line of the log.
const NAMES: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shuffle {
    seed: u64,
    taken: usize,
    passed: usize,
    /// Initcalls in the parts that have been walked.
    walked: usize,
}

static SHUFFLE: SpinLock<Option<Shuffle>> = SpinLock::new(None);

/// `initcall_shuffle=SEED[:K[:J]]`: runs the initcalls of each level in another order that keeps every declared relation, the same one for the same seed. `K` takes
/// only the first `K` initcalls of that order and leaves the rest as the build has them; `J` lets the last of those fall back behind `J` of those that it has
/// overtaken. `make shuffle` finds the numbers.
#[init]
#[early_param("initcall_shuffle")]
fn initcall_shuffle(value: Option<&'static str>) -> Result<(), Errno> {
    *SHUFFLE.lock() = Some(parse(value.ok_or(Errno::EINVAL)?).ok_or(Errno::EINVAL)?);
    Ok(())
}

/// `SEED[:K[:J]]`, decimal numbers.
#[init]
fn parse(text: &str) -> Option<Shuffle> {
    let mut numbers = text.split(':');
    let shuffle = Shuffle {
        seed: numbers.next()?.parse().ok()?,
        taken: numbers.next().map_or(Some(usize::MAX), |number| number.parse().ok())?,
        passed: numbers.next().map_or(Some(0), |number| number.parse().ok())?,
        walked: 0,
    };
    numbers.next().is_none().then_some(shuffle)
}

/// Whether the order is to be another.
#[init]
pub(super) fn is_on() -> bool {
    SHUFFLE.lock().is_some()
}

/// Runs the initcalls of a part in the order that is asked for.
#[init]
pub(super) fn run(calls: &InitTable<InitcallEntry>, init: InitMemory<'_>) {
    let mut shuffle = SHUFFLE.lock();
    let Some(asked) = shuffle.as_mut() else { return };
    let this = *asked;
    asked.walked += calls.len();
    drop(shuffle);
    match order_of(calls, init, this) {
        Some(order) => {
            announce(calls, init, &order);
            order
                .iter()
                .filter_map(|index| calls.get(init, *index as usize))
                .for_each(|entry| do_one_initcall(entry, call_in_order));
        }
        None => {
            pr_err!("initcall_shuffle: no memory for another order of {} initcalls", calls.len());
            calls.iter(init).for_each(|entry| do_one_initcall(entry, call_in_order));
        }
    }
}

/// The indices of `calls` in the order that is asked for; `None` without memory for them.
#[init]
fn order_of(calls: &InitTable<InitcallEntry>, init: InitMemory<'_>, asked: Shuffle) -> Option<KVec<u32>> {
    let mut pairs = relations::pairs(calls, init)?;
    let (mut order, mut buffer) = (relations::zeros(calls.len())?, relations::zeros(calls.len())?);
    // Each part has a sequence of its own: parts of one length are not shuffled alike.
    let mut random = SplitMix64::new(asked.seed ^ (asked.walked as u64).rotate_left(32));
    // The build has refused cycles.
    order::shuffle(&mut pairs, &mut order, &mut buffer, &mut random).ok()?;
    let taken = asked.taken.saturating_sub(asked.walked);
    let passed = if taken <= calls.len() { asked.passed } else { 0 };
    order::approach(&mut order, taken, passed, &mut buffer);
    Some(order)
}

/// Prints the order, so that who reads the log knows it.
#[init]
fn announce(calls: &InitTable<InitcallEntry>, init: InitMemory<'_>, order: &[u32]) {
    for line in order.chunks(NAMES) {
        let names = fmt::from_fn(|f| {
            let entries = line.iter().filter_map(|index| calls.get(init, *index as usize));
            entries.into_iter().try_for_each(|entry| write!(f, " {}", entry.info.name()))
        });
        let level = line
            .first()
            .and_then(|index| calls.get(init, *index as usize))
            .map_or("", |entry| entry.info.level().name());
        pr_info!("initcall_shuffle: {level}:{names}");
    }
}

mod tests {
    use super::*;

    #[ktest]
    fn a_shuffle_is_a_seed_and_up_to_two_numbers() {
        let shuffle = |seed, taken, passed| {
            Some(Shuffle {
                seed,
                taken,
                passed,
                walked: 0,
            })
        };
        assert_eq!(parse("7"), shuffle(7, usize::MAX, 0));
        assert_eq!(parse("18446744073709551615:3"), shuffle(u64::MAX, 3, 0));
        assert_eq!(parse("0:3:2"), shuffle(0, 3, 2));
        for text in ["", "x", "-1", "1:", "1:2:", "1:2:3:4", "18446744073709551616", " 1"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}

//! The search between the order of the build, which goes well, and a shuffled one, which does not.
//!
//! The kernel can be told to stop on the way from one to the other (see `initcall_shuffle=`): after any number of initcalls, and within the last one's move,
//! after any number of those that it overtakes. Each such order differs from the next by one change of place, so the search ends at one pair.

use std::fmt;

use anyhow::Result;

/// A place on the way from the built order to the shuffled one, as the command line spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    seed: u64,
    taken: Option<usize>,
    passed: usize,
}

impl Place {
    /// The shuffled order.
    pub const fn whole(seed: u64) -> Self {
        Self {
            seed,
            taken: None,
            passed: 0,
        }
    }

    const fn at(seed: u64, taken: usize, passed: usize) -> Self {
        Self {
            seed,
            taken: Some(taken),
            passed,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        self.taken.map_or(Ok(()), |taken| write!(f, ":{taken}:{}", self.passed))
    }
}

/// The pair that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprits {
    /// The one that must run first.
    pub early: String,
    /// The one that goes wrong if it runs before the other.
    pub late: String,
    /// The order that goes wrong and differs from one that goes well by this pair alone.
    pub place: Place,
}

/// Finds the pair, given the two orders, the seed, and a way to find out whether a place goes wrong. `None` if the shuffled order does not go wrong, or the
/// orders are not of the same initcalls.
///
/// # Errors
///
/// What `fails` returns.
pub fn narrow(built: &[String], shuffled: &[String], seed: u64, mut fails: impl FnMut(Place) -> Result<bool>) -> Result<Option<Culprits>> {
    let count = shuffled.len();
    if built.len() != count || !fails(Place::at(seed, count, 0))? {
        return Ok(None);
    }
    // With none taken it is the built order, which goes well.
    let taken = first_that(0, count, |taken| fails(Place::at(seed, taken, 0)))?;
    let late = &shuffled[taken - 1];
    let overtaken: Vec<_> = built
        .iter()
        .take_while(|name| *name != late)
        .filter(|name| !shuffled[..taken].contains(name))
        .collect();
    // Behind all that it has overtaken, the last one stands as it did with one less taken: that went well.
    let passed = last_that(overtaken.len(), |passed| fails(Place::at(seed, taken, passed)))?;
    Ok(overtaken.get(passed).map(|early| Culprits {
        early: (*early).clone(),
        late: late.clone(),
        place: Place::at(seed, taken, passed),
    }))
}

/// A number in `good + 1..=bad` that fails while the one before it does not; `good` does not, `bad` does.
fn first_that(mut good: usize, mut bad: usize, mut fails: impl FnMut(usize) -> Result<bool>) -> Result<usize> {
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if fails(middle)? {
            bad = middle;
        } else {
            good = middle;
        }
    }
    Ok(bad)
}

/// A number below `good` that fails while the one behind it does not; 0 does, `good` does not.
fn last_that(mut good: usize, mut fails: impl FnMut(usize) -> Result<bool>) -> Result<usize> {
    let mut bad = 0;
    while good - bad > 1 {
        let middle = bad.midpoint(good);
        if fails(middle)? {
            bad = middle;
        } else {
            good = middle;
        }
    }
    Ok(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use incipit_lib::order::{SplitMix64, approach, shuffle};

    fn names(order: &[u32]) -> Vec<String> {
        order.iter().map(|number| format!("call_{number}")).collect()
    }

    /// The order at `place`, as the kernel would make it of `count` initcalls of one level that have no relations.
    fn order_at(count: usize, place: Place) -> Vec<u32> {
        let (mut order, mut buffer) = (vec![0; count], vec![0; count]);
        shuffle(&mut [], &mut order, &mut buffer, &mut SplitMix64::new(place.seed)).unwrap();
        approach(&mut order, place.taken.unwrap_or(usize::MAX), place.passed, &mut buffer);
        order
    }

    #[test]
    fn a_hidden_pair_is_found_in_few_boots() {
        const COUNT: usize = 60;
        let built = names(&(0..COUNT as u32).collect::<Vec<_>>());
        let mut tried = 0;
        for seed in 0..200 {
            let (early, late) = ((seed % 59) as u32, 59 - (seed % 7) as u32);
            let place = |order: &[u32], number| order.iter().position(|other| *other == number);
            let mut boots = 0;
            let mut fails = |at: Place| {
                boots += 1;
                let order = order_at(COUNT, at);
                Ok(early < late && place(&order, early) > place(&order, late))
            };
            if !fails(Place::whole(seed)).unwrap() {
                continue;
            }
            let shuffled = names(&order_at(COUNT, Place::whole(seed)));
            let found = narrow(&built, &shuffled, seed, fails).unwrap().expect("a pair");
            assert_eq!(
                (found.early, found.late),
                (format!("call_{early}"), format!("call_{late}")),
                "seed {seed}"
            );
            assert!(boots <= 16, "{boots} boots");
            tried += 1;
        }
        assert!(tried > 50, "{tried} orders went wrong");
    }

    #[test]
    fn an_order_that_goes_well_has_no_culprits() {
        let order = names(&[0, 1, 2]);
        assert_eq!(narrow(&order, &order, 1, |_| Ok(false)).unwrap(), None);
        assert_eq!(narrow(&order, &order[..2], 1, |_| Ok(true)).unwrap(), None);
    }

    #[test]
    fn places_are_spelled_as_the_command_line_takes_them() {
        assert_eq!(
            (Place::whole(7).to_string(), Place::at(7, 3, 0).to_string()),
            ("7".into(), "7:3:0".into())
        );
    }
}

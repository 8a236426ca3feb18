//! Orders are legal, come back with their seed, and every legal one can come.

use std::collections::HashSet;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn shuffled(count: usize, pairs: &[(u32, u32)], seed: u64) -> Result<Vec<u32>, Cycle> {
    let (mut pairs, mut order, mut waiting) = (pairs.to_vec(), std::vec![u32::MAX; count], std::vec![7; count]);
    shuffle(&mut pairs, &mut order, &mut waiting, &mut SplitMix64::new(seed))?;
    Ok(order)
}

fn is_legal(order: &[u32], pairs: &[(u32, u32)]) -> bool {
    let place = |number: u32| order.iter().position(|other| *other == number).unwrap();
    let all: HashSet<_> = order.iter().copied().collect();
    all.len() == order.len()
        && order.iter().all(|number| (*number as usize) < order.len())
        && pairs.iter().all(|(first, then)| place(*first) < place(*then))
}

/// A number of things, and pairs of them without a cycle.
fn acyclic() -> impl Strategy<Value = (usize, Vec<(u32, u32)>)> {
    (1usize..40).prop_flat_map(|count| {
        let pair =
            (0..count as u32, 0..count as u32).prop_filter_map("a pair of two", |(one, other)| (one < other).then_some((one, other)));
        (Just(count), proptest::collection::vec(pair, 0..if count > 1 { 80 } else { 1 }))
    })
}

proptest! {
    #[test]
    fn an_order_keeps_every_pair_and_comes_back_with_its_seed((count, pairs) in acyclic(), seed: u64) {
        let order = shuffled(count, &pairs, seed).unwrap();
        prop_assert!(is_legal(&order, &pairs));
        prop_assert_eq!(shuffled(count, &pairs, seed).unwrap(), order);
    }

    #[test]
    fn every_order_between_two_legal_ones_is_legal((count, pairs) in acyclic(), seed: u64, taken in 0usize..50, passed in 0usize..50) {
        let mut order = shuffled(count, &pairs, seed).unwrap();
        approach(&mut order, taken, passed, &mut std::vec![0; count]);
        prop_assert!(is_legal(&order, &pairs));
    }

    #[test]
    fn a_pair_each_way_is_a_cycle((count, mut pairs) in acyclic(), seed: u64) {
        prop_assume!(!pairs.is_empty());
        let (first, then) = pairs[0];
        pairs.push((then, first));
        prop_assert_eq!(shuffled(count, &pairs, seed), Err(Cycle));
    }
}

#[test]
fn every_legal_order_comes() {
    // 0 before 1; 2 and 3 anywhere: 4! / 2 orders.
    let orders: HashSet<_> = (0..2000).map(|seed| shuffled(4, &[(0, 1)], seed).unwrap()).collect();
    assert_eq!(orders.len(), 12);
}

#[test]
fn nothing_has_an_order_and_one_has_one() {
    assert_eq!(shuffled(0, &[], 1), Ok(Vec::new()));
    assert_eq!(shuffled(1, &[], 1), Ok(std::vec![0]));
    assert_eq!(shuffled(1, &[(0, 0)], 1), Err(Cycle));
}

#[test]
fn the_way_between_two_orders_goes_step_by_step() {
    let between = |taken, passed| {
        let mut order = [3, 1, 0, 2];
        approach(&mut order, taken, passed, &mut [0; 4]);
        order
    };
    assert_eq!(between(0, 0), [0, 1, 2, 3]);
    // 3 has overtaken 0, 1 and 2, and is let fall behind them one by one.
    assert_eq!(between(1, 0), [3, 0, 1, 2]);
    assert_eq!(between(1, 1), [0, 3, 1, 2]);
    assert_eq!(between(1, 2), [0, 1, 3, 2]);
    assert_eq!(between(1, 3), between(0, 0));
    assert_eq!(between(1, 99), between(0, 0));
    assert_eq!(between(2, 0), [3, 1, 0, 2]);
    assert_eq!(between(2, 1), [3, 0, 1, 2]);
    assert_eq!(between(4, 0), [3, 1, 0, 2]);
    assert_eq!(between(99, 0), [3, 1, 0, 2]);
}

#[test]
fn the_numbers_are_splitmix64s() {
    // The sequence of seed 1234567 that the generator's author publishes.
    let mut random = SplitMix64::new(1_234_567);
    let numbers: Vec<_> = (0..3).map(|_| random.next_u64()).collect();
    assert_eq!(
        numbers,
        [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
    );
}

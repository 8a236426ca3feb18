use super::*;
use proptest::prelude::*;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

const MIB: usize = 1 << 20;

/// What Linux 6.1 has on most distributions of today.
const LINUX: Sizes = Sizes {
    fixed: 217_088,
    reserved: 8192,
    dynamic: 28_672,
};

fn one_node<const N: usize>(cpus: usize, sizes: Sizes) -> Layout<N> {
    Layout::new(sizes, 2 * MIB, 0..cpus, |_, _| true)
}

fn lines<const N: usize>(layout: &Layout<N>) -> Vec<String> {
    layout.lines().map(|line| line.to_string()).collect()
}

#[test]
fn one_cpu_has_the_whole_atom() {
    let layout = one_node::<4>(1, LINUX);
    assert_eq!(
        lines(&layout),
        ["pcpu-alloc: s217088 r8192 d28672 u2097152 alloc=1*2097152", "pcpu-alloc: [0] 0 "]
    );
}

#[test]
fn cpus_of_a_node_share_atoms_as_linux_logs_it() {
    // Lines as they stand in many a log: of machines with 4, with 8 and with 16 possible CPUs.
    for (cpus, unit, row) in [(4, 524_288, "[0] 0 1 2 3 "), (8, 262_144, "[0] 0 1 2 3 4 5 6 7 ")] {
        let layout = one_node::<64>(cpus, LINUX);
        let head = format!("pcpu-alloc: s217088 r8192 d28672 u{unit} alloc=1*2097152");
        assert_eq!(lines(&layout), [head, format!("pcpu-alloc: {row}")]);
    }
    assert_eq!(
        lines(&one_node::<64>(16, LINUX))[1..],
        ["pcpu-alloc: [0] 00 01 02 03 04 05 06 07 [0] 08 09 10 11 12 13 14 15 "]
    );
}

#[test]
fn a_unit_that_nobody_has_is_shown_as_dashes() {
    // Six CPUs: units of a quarter of an atom would waste two of eight, which is not more than a third.
    let layout = one_node::<8>(6, LINUX);
    assert_eq!(layout.unit_size, 262_144);
    assert_eq!(lines(&layout)[1], "pcpu-alloc: [0] 0 1 2 3 4 5 - - ");
    assert_eq!((layout.units(0), layout.cpus(0).count()), (8, 6));
}

#[test]
fn each_node_has_a_group() {
    let layout: Layout<8> = Layout::new(LINUX, 2 * MIB, 0..4, |a, b| a % 2 == b % 2);
    assert_eq!(layout.groups(), 2);
    assert_eq!(layout.unit_size, MIB);
    assert_eq!(lines(&layout)[1], "pcpu-alloc: [0] 0 2 [1] 1 3 ");
}

#[test]
fn nearness_must_be_mutual() {
    let layout: Layout<4> = Layout::new(LINUX, 2 * MIB, 0..2, |a, b| a <= b);
    assert_eq!(layout.groups(), 2);
}

#[test]
fn small_sizes_are_made_the_least() {
    let nothing = Sizes {
        fixed: 1,
        reserved: 0,
        dynamic: 0,
    };
    assert_eq!(nothing.rounded().sum(), 6 * PAGE_SIZE);
    let layout: Layout<4> = Layout::new(nothing, PAGE_SIZE, 0..2, |_, _| true);
    assert_eq!((layout.unit_size, layout.alloc_size), (MIN_UNIT_SIZE, MIN_UNIT_SIZE));
}

proptest! {
    #[test]
    fn every_cpu_has_a_unit_that_holds_all(
        fixed in 1_usize..1_000_000,
        reserved in 0_usize..20_000,
        dynamic in 0_usize..100_000,
        large in any::<bool>(),
        nodes in proptest::collection::vec(0_u8..4, 1..32),
        gap in 0_usize..33,
    ) {
        let atom = if large { 2 * MIB } else { PAGE_SIZE };
        let cpus: Vec<usize> = (0..nodes.len()).filter(|&cpu| cpu == 0 || cpu != gap).collect();
        let layout: Layout<32> = Layout::new(Sizes { fixed, reserved, dynamic }, atom, cpus.iter().copied(), |a, b| nodes[a] == nodes[b]);
        prop_assert!(layout.sizes.sum() <= layout.unit_size);
        prop_assert!(layout.sizes.dynamic >= dynamic.max(DYNAMIC_EARLY_SIZE));
        prop_assert!(layout.unit_size.is_multiple_of(PAGE_SIZE) && layout.sizes.sum().is_multiple_of(PAGE_SIZE));
        prop_assert!(layout.alloc_size.is_multiple_of(atom) && layout.alloc_size.is_multiple_of(layout.unit_size));
        let mut seen: Vec<usize> = Vec::new();
        let mut units = 0;
        for group in 0..layout.groups() {
            let members: Vec<usize> = layout.cpus(group).collect();
            prop_assert!(!members.is_empty() && members.len() <= layout.units(group));
            prop_assert!(members.iter().all(|&cpu| nodes[cpu] == nodes[members[0]]));
            units += layout.units(group);
            seen.extend(members);
        }
        prop_assert!(units - cpus.len() <= cpus.len() / 3);
        seen.sort_unstable();
        prop_assert_eq!(seen, cpus);
        prop_assert!(layout.lines().count() >= 2);
    }
}

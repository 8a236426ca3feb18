use super::*;
use crate::acpi::{Slit, Srat, build};
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn blocks(list: &[(u64, u64, usize)]) -> Blocks {
    let mut blocks = Blocks::new();
    for &(start, end, nid) in list {
        blocks.add(start..end, nid).expect("room");
    }
    blocks
}

fn spans(blocks: &Blocks) -> Vec<(u64, u64, usize)> {
    let blocks = blocks.as_slice().iter();
    blocks.map(|block| (block.range.start, block.range.end, block.nid)).collect()
}

fn read(entries: &[Vec<u8>], max_nodes: usize) -> (Option<Affinity>, Vec<String>) {
    let table = build::table(b"SRAT", &build::srat(&entries.concat()));
    let srat = Srat::parse(&table).expect("long enough");
    let mut lines = vec![];
    let mut found = Affinity::default();
    let used = found
        .read(&srat, max_nodes, |line| lines.push(line.to_string()))
        .expect("few blocks");
    (used.then_some(found), lines)
}

/// A processor's entry.
fn processor(domain: u8, apic_id: u8) -> Vec<u8> {
    let mut entry = vec![0, 16, domain, apic_id, 1, 0, 0, 0];
    entry.resize(16, 0);
    entry
}

#[test]
fn domains_become_nodes_in_the_order_of_their_entries() {
    let entries = [
        processor(7, 0),
        build::memory_affinity(3, 0, 0xa_0000),
        build::memory_affinity(7, MIB, GIB - MIB),
    ];
    let (found, lines) = read(&entries, 64);
    let found = found.expect("a sound table");
    assert_eq!((found.node_of(7), found.node_of(3), found.node_of(0)), (Some(0), Some(1), None));
    assert_eq!(spans(found.blocks()), [(0, 0xa_0000, 1), (MIB, GIB, 0)]);
    assert_eq!(
        lines,
        [
            "SRAT: PXM 7 -> APIC 0x00 -> Node 0",
            "ACPI: SRAT: Node 1 PXM 3 [mem 0x00000000-0x0009ffff]",
            "ACPI: SRAT: Node 0 PXM 7 [mem 0x00100000-0x3fffffff]",
        ]
    );
}

#[test]
fn a_domain_too_many_makes_the_table_useless() {
    let entries: Vec<_> = (0..3)
        .map(|domain| build::memory_affinity(domain, u64::from(domain) * GIB, GIB))
        .collect();
    let (found, lines) = read(&entries, 2);
    assert_eq!(found, None);
    assert_eq!(lines.last().map(String::as_str), Some("SRAT: Too many proximity domains 2"));
}

#[test]
fn memory_that_wraps_around_is_named_and_empty_memory_is_nothing() {
    let entries = [
        build::memory_affinity(0, u64::MAX - 0xfff, 0x2000),
        build::memory_affinity(0, GIB, 0),
    ];
    let (found, lines) = read(&entries, 64);
    assert_eq!(spans(found.expect("a sound table").blocks()), []);
    assert_eq!(lines, ["NUMA: Warning: invalid memblk node 0 [mem 0xfffffffffffff000-0x00000fff]"]);
}

#[test]
fn blocks_of_a_node_are_joined_unless_another_s_lies_between() {
    let mut all = blocks(&[
        (0, 0xa_0000, 0),
        (MIB, GIB, 0),
        (GIB, 2 * GIB, 1),
        (4 * GIB, 5 * GIB, 0),
        (5 * GIB, 9 * GIB, 1),
    ]);
    let mut lines = vec![];
    assert_eq!(all.cleanup(8 * GIB, |_| true, |line| lines.push(line.to_string())), Ok(()));
    assert_eq!(
        spans(&all),
        [(0, GIB, 0), (GIB, 2 * GIB, 1), (4 * GIB, 5 * GIB, 0), (5 * GIB, 8 * GIB, 1)]
    );
    assert_eq!(
        lines,
        ["NUMA: Node 0 [mem 0x00000000-0x0009ffff] + [mem 0x00100000-0x3fffffff] -> [mem 0x00000000-0x3fffffff]"]
    );
}

#[test]
fn blocks_without_ram_are_dropped() {
    let mut all = blocks(&[(0, GIB, 0), (4 * GIB, 100 * GIB, 1), (200 * GIB, 300 * GIB, 2)]);
    all.cleanup(5 * GIB, |range| range.start != 4 * GIB, |_| {}).expect("no overlap");
    assert_eq!(spans(&all), [(0, GIB, 0)]);
}

#[test]
fn memory_of_two_nodes_at_once_is_refused() {
    let mut all = blocks(&[(0, GIB, 0), (GIB - 1, 2 * GIB, 1)]);
    let error = all.cleanup(2 * GIB, |_| true, |_| {}).expect_err("an overlap");
    assert_eq!(
        error.to_string(),
        "NUMA: node 0 [mem 0x00000000-0x3fffffff] overlaps with node 1 [mem 0x3fffffff-0x7fffffff]"
    );
}

#[test]
fn memory_without_a_node_is_refused_from_one_mib_on() {
    let all = blocks(&[(0, GIB, 0)]);
    assert_eq!(all.covers(core::iter::once(0..GIB + MIB - 1)), Ok(()));
    let error = all.covers(core::iter::once(0..GIB + MIB)).expect_err("a MiB without a node");
    assert_eq!(
        error.to_string(),
        "NUMA: nodes only cover 1024MB of your 1025MB e820 RAM. Not used."
    );
    assert!(Blocks::new().covers(core::iter::once(0..GIB)).is_err());
}

#[test]
fn more_blocks_than_fit_are_refused() {
    let mut all = Blocks::new();
    for at in 0..MAX_BLOCKS as u64 {
        assert_eq!(all.add(at * GIB..at * GIB + 1, 0), Ok(()));
    }
    assert_eq!(all.add(0..0, 0), Ok(()));
    assert_eq!(all.add(0..1, 0), Err(NodesError::TooManyBlocks));
}

#[test]
fn distances_that_cannot_be_are_refused() {
    let sound = build::table(b"SLIT", &build::slit(2, &[10, 21, 31, 10]));
    let slit = Slit::parse(&sound).expect("sound");
    assert_eq!((slit.distance(0, 1), slit.distance(1, 0)), (Some(21), Some(31)));
    assert!(Slit::parse(&build::table(b"SLIT", &build::slit(2, &[10, 9, 31, 10]))).is_err());
}

#[test]
fn values_of_numa_fake_are_counts_sizes_and_counts_for_each() {
    assert_eq!(Emulation::parse(b"4"), Ok(Emulation::Count(4)));
    assert_eq!(Emulation::parse(b"2U"), Ok(Emulation::Uniform(2)));
    assert_eq!(Emulation::parse(b"512M"), Ok(Emulation::Size(512 * MIB)));
    for wrong in ["", "0", "x", "4X", "4UU", "-1", "M", "0G", "99999999999999999999"] {
        assert_eq!(Emulation::parse(wrong.as_bytes()), Err(EmulationError::Malformed), "{wrong}");
    }
}

/// The fake nodes that `wanted` makes of `physical`, everything being RAM.
fn split(wanted: Emulation, physical: &Blocks, max_nodes: usize) -> Result<FakeNodes, EmulationError> {
    let mut fake = FakeNodes::default();
    wanted.split(physical, max_nodes, everything, &mut fake).map(|()| fake)
}

/// Bytes of RAM in a range, everything being RAM.
fn everything(range: Range<u64>) -> u64 {
    range.end - range.start
}

#[test]
fn a_node_is_dealt_out_in_equal_pieces() {
    let found = split(Emulation::Count(4), &blocks(&[(0, GIB, 0)]), 64).expect("enough");
    let quarter = GIB / 4;
    assert_eq!(
        spans(&found.blocks),
        [0, 1, 2, 3].map(|nid| (nid as u64 * quarter, (nid as u64 + 1) * quarter, nid))
    );
    assert_eq!(found.physical.as_slice(), [0; 4]);
}

#[test]
fn two_nodes_are_dealt_out_in_turn() {
    let physical = blocks(&[(0, GIB, 0), (GIB, 2 * GIB, 1)]);
    let found = split(Emulation::Count(4), &physical, 64).expect("enough");
    assert_eq!(found.physical.as_slice(), [0, 1, 0, 1]);
    let found = split(Emulation::Uniform(2), &physical, 64).expect("enough");
    assert_eq!(found.physical.as_slice(), [0, 0, 1, 1]);
    let found = split(Emulation::Size(256 * MIB), &physical, 64).expect("enough");
    assert_eq!(found.physical.len(), 8);
}

#[test]
fn nodes_that_would_be_too_small_are_not_made() {
    let few = blocks(&[(0, 100 * MIB, 0)]);
    assert_eq!(split(Emulation::Count(4), &few, 64), Err(EmulationError::NotEnoughMemory));
    assert_eq!(split(Emulation::Size(1), &few, 64).map(|found| found.physical.len()), Ok(3));
}

prop_compose! {
    fn any_blocks()(list in proptest::collection::vec((0..300_u64, 1..300_u64, 0..4_usize), 0..12), shuffle in any::<usize>()) -> Vec<(u64, u64, usize)> {
        let mut end = 0;
        let mut all: Vec<_> = list
            .into_iter()
            .map(|(hole, length, nid)| {
                let start = end + hole;
                end = start + length;
                (start * MIB, end * MIB, nid)
            })
            .collect();
        let middle = shuffle % (all.len() + 1);
        all.rotate_left(middle);
        all
    }
}

proptest! {
    #[test]
    fn cleaning_up_keeps_every_byte_of_ram_on_its_node(list in any_blocks()) {
        let mut all = blocks(&list);
        prop_assert_eq!(all.cleanup(u64::MAX, |_| true, |_| {}), Ok(()));
        for &(start, end, nid) in &list {
            prop_assert!(all.as_slice().iter().any(|block| block.nid == nid && block.range.start <= start && end <= block.range.end));
        }
        for (at, block) in all.as_slice().iter().enumerate() {
            prop_assert!(all.as_slice()[at + 1..].iter().all(|other| !block.overlaps(&other.range)));
        }
    }

    #[test]
    fn dealing_out_gives_every_byte_to_one_fake_node(list in any_blocks(), count in 1..70_usize, how in 0..3_usize, max in 1..65_usize) {
        let physical = blocks(&list);
        let emulation = [Emulation::Count(count), Emulation::Uniform(count), Emulation::Size(count as u64 * 20 * MIB)][how];
        if let Ok(found) = split(emulation, &physical, max) {
            let mut pieces = spans(&found.blocks);
            pieces.sort_unstable();
            let mut whole: Vec<(u64, u64)> = vec![];
            for &(start, end, nid) in &pieces {
                prop_assert!(nid < max && nid < found.physical.len());
                match whole.last_mut() {
                    Some(last) if last.1 == start => last.1 = end,
                    _ => whole.push((start, end)),
                }
            }
            let mut expected: Vec<(u64, u64)> = vec![];
            let mut sorted = list.clone();
            sorted.sort_unstable();
            for &(start, end, _) in &sorted {
                match expected.last_mut() {
                    Some(last) if last.1 == start => last.1 = end,
                    _ => expected.push((start, end)),
                }
            }
            prop_assert_eq!(whole, expected);
        }
    }

    #[test]
    fn any_table_is_read_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..400), max in 1..65_usize) {
        let table = build::table(b"SRAT", &build::srat(&bytes));
        let srat = Srat::parse(&table).expect("long enough");
        let mut found = Affinity::default();
        if found.read(&srat, max, |_| {}) == Ok(true) {
            let all = found.blocks_mut();
            prop_assert!(all.as_slice().iter().all(|block| block.nid < max && !block.range.is_empty()));
            let _ = all.cleanup(1 << 46, |range| range.start < GIB, |_| {});
        }
    }
}

//! The `setup_data` chain.

use super::*;
use proptest::prelude::*;
use std::vec;

fn memory() -> Memory {
    Memory {
        base: 0x9000,
        bytes: vec![0; 0x2000],
    }
}

#[test]
fn a_setup_data_chain_is_walked_in_order() {
    let mut memory = memory();
    memory.node(0x9100, 0x9800, SetupType::DTB, b"tree");
    memory.node(0x9800, 0x9040, SetupType::RNG_SEED, &[7; 32]);
    memory.node(0x9040, 0, SetupType::NONE, b"");
    let nodes: Vec<_> = walk_setup_data(0x9100, memory.map())
        .collect::<Result<_, _>>()
        .expect("a sound chain");
    assert_eq!(
        nodes[0],
        SetupData {
            phys: 0x9100,
            kind: SetupType::DTB,
            data: b"tree"
        }
    );
    assert_eq!((nodes[1].kind, nodes[1].size()), (SetupType::RNG_SEED, 48));
    assert_eq!((nodes[2].phys, nodes[2].data), (0x9040, &b""[..]));
    assert_eq!(nodes.len(), 3);
}

#[test]
fn no_chain_is_an_empty_chain() {
    assert_eq!(walk_setup_data(0, memory().map()).count(), 0);
}

#[test]
fn a_chain_that_leads_back_ends_there() {
    let mut memory = memory();
    memory.node(0x9100, 0x9200, SetupType::NONE, b"");
    memory.node(0x9200, 0x9300, SetupType::NONE, b"");
    memory.node(0x9300, 0x9200, SetupType::NONE, b"");
    let nodes: Vec<_> = walk_setup_data(0x9100, memory.map()).collect();
    assert_eq!(nodes.len(), 4);
    assert_eq!(nodes[3], Err(SetupDataError::Loop { phys: 0x9200 }));
}

#[test]
fn a_chain_has_an_upper_length() {
    let mut memory = memory();
    for n in 0..200 {
        memory.node(0x9000 + n * 16, 0x9000 + (n + 1) * 16, SetupType::NONE, b"");
    }
    let nodes: Vec<_> = walk_setup_data(0x9000, memory.map()).collect();
    assert_eq!(nodes.len(), 129);
    assert_eq!(nodes[128], Err(SetupDataError::TooLong));
}

#[test]
fn a_node_out_of_reach_ends_the_chain() {
    let mut memory = memory();
    memory.node(0x9100, u64::MAX - 3, SetupType::NONE, b"");
    let nodes: Vec<_> = walk_setup_data(0x9100, memory.map()).collect();
    assert_eq!(
        nodes[1],
        Err(SetupDataError::Unmapped {
            phys: u64::MAX - 3,
            len: 0
        })
    );
    assert_eq!(nodes.len(), 2);

    memory.put(0x9100 + 12, &u32::MAX.to_le_bytes());
    let nodes: Vec<_> = walk_setup_data(0x9100, memory.map()).collect();
    assert_eq!(
        nodes,
        [Err(SetupDataError::Unmapped {
            phys: 0x9100,
            len: u32::MAX
        })]
    );
}

#[test]
fn an_indirect_node_points_elsewhere_but_not_to_another_pointer() {
    let mut data = [0; 24];
    data[0] = 2;
    data[8..16].copy_from_slice(&0x1000_u64.to_le_bytes());
    data[16..].copy_from_slice(&0xabcd_0000_u64.to_le_bytes());
    let node = |kind, data| SetupData { phys: 1, kind, data };
    assert_eq!(
        node(SetupType::INDIRECT, &data).indirect(),
        Some(SetupIndirect {
            kind: SetupType::DTB,
            len: 0x1000,
            addr: 0xabcd_0000
        })
    );
    assert_eq!(node(SetupType::DTB, &data).indirect(), None);
    assert_eq!(node(SetupType::INDIRECT, &data[..23]).indirect(), None);
    let mut pointer = data;
    pointer[..4].copy_from_slice(&SetupType::INDIRECT.0.to_le_bytes());
    assert_eq!(node(SetupType::INDIRECT, &pointer).indirect(), None);
}

#[test]
fn a_memory_map_extension_yields_whole_entries_only() {
    let mut data = [0; 59];
    data[0] = 1;
    data[20 + 8] = 2;
    let node = SetupData {
        phys: 1,
        kind: SetupType::E820_EXT,
        data: &data,
    };
    let entries: Vec<_> = node.e820_entries().collect();
    assert_eq!(entries.len(), 2);
    assert_eq!((entries[0].addr, entries[1].size), (1, 2));
    let other = SetupData {
        kind: SetupType::DTB,
        ..node
    };
    assert_eq!(other.e820_entries().count(), 0);
}

proptest! {
    #[test]
    fn any_chain_ends(bytes in proptest::collection::vec(any::<u8>(), 0..512), first in 1_u64..64) {
        // Small numbers make links that meet.
        let bytes = bytes.iter().map(|byte| if byte % 3 == 0 { byte / 8 } else { 0 }).collect();
        let memory = Memory { base: 0, bytes };
        let nodes: Vec<_> = walk_setup_data(first, memory.map()).collect();
        prop_assert!(nodes.len() <= 129);
        let sound = nodes.iter().take_while(|node| node.is_ok()).count();
        prop_assert!(nodes.len() - sound <= 1);
        let mut seen: Vec<_> = nodes.iter().flatten().map(|node| node.phys).collect();
        seen.sort_unstable();
        seen.dedup();
        prop_assert_eq!(seen.len(), sound);
    }
}

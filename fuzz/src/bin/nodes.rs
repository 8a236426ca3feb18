//! SRAT and SLIT: any tables, through to nodes and fake nodes.

#![no_main]

use std::ops::Range;

use incipit_lib::acpi::{Slit, Srat, build};
use incipit_lib::numa::{Affinity, Blocks, Emulation, FakeNodes};
use libfuzzer_sys::fuzz_target;

/// What the machine has: two runs of RAM with a hole between them.
const RAM: [Range<u64>; 2] = [0x1000..0x8_0000_0000, 0x10_0000_0000..0x20_0000_0000];
const MAX_NODES: usize = 64;

/// Bytes of RAM in a range.
fn ram(range: Range<u64>) -> u64 {
    let inside = |run: &Range<u64>| run.end.min(range.end).saturating_sub(run.start.max(range.start));
    RAM.iter().map(inside).sum()
}

/// Blocks that are believed are in order, apart from each other, and of nodes that there may be.
fn check(blocks: &Blocks) {
    for block in blocks.as_slice() {
        assert!(!block.range.is_empty() && block.nid < MAX_NODES);
        assert!(ram(block.range.clone()) != 0, "no memory in {block:x?}");
    }
    for (index, block) in blocks.as_slice().iter().enumerate() {
        for other in &blocks.as_slice()[index + 1..] {
            let apart = block.range.end <= other.range.start || other.range.end <= block.range.start;
            assert!(apart, "{block:x?} and {other:x?}");
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [how, entries, rest @ ..] = data else { return };
    let (body, rest) = rest.split_at(rest.len().min(4 * usize::from(*entries)));
    // Most of the table is what is right but for a few fields, so that there is something to read.
    let mut srat = Vec::new();
    for entry in body.chunks_exact(4) {
        let at = u64::from(entry[1]) << (28 + entry[3] % 4);
        let mut affinity = build::memory_affinity(u32::from(entry[0] % 80), at, u64::from(entry[2]) << (24 + entry[3] / 32));
        affinity[28] = entry[3] % 8 | 1;
        srat.extend(affinity);
    }
    let (raw, slit) = rest.split_at(rest.len() / 2);
    srat.extend(raw);
    let table = build::table(b"SRAT", &build::srat(&srat));
    let Some(srat) = Srat::parse(&table) else { return };
    let mut affinity = Box::<Affinity>::default();
    let Ok(true) = affinity.read(&srat, MAX_NODES, |line| drop(line.to_string())) else {
        return;
    };
    for memory in srat.memory() {
        assert!(affinity.node_of(memory.domain).is_none_or(|nid| nid < MAX_NODES));
    }
    if let Ok(slit) = Slit::parse(&build::table(b"SLIT", slit)) {
        for from in 0..slit.count().min(MAX_NODES) {
            assert_eq!(slit.distance(from, from), Some(Slit::LOCAL_DISTANCE));
        }
    }
    let end = RAM[1].end;
    let blocks = affinity.blocks_mut();
    if blocks
        .cleanup(end, |range| ram(range.clone()) != 0, |line| drop(line.to_string()))
        .is_err()
    {
        return;
    }
    check(blocks);
    let believed = blocks.covers(RAM.iter().cloned());
    let covered: u64 = blocks.as_slice().iter().map(|block| ram(block.range.clone())).sum();
    let all: u64 = RAM.iter().map(|run| run.end - run.start).sum();
    assert_eq!(believed.is_ok(), all - covered < 1 << 20, "{covered:#x} of {all:#x}");
    let wanted = match how % 3 {
        0 => Emulation::parse(how.to_string().as_bytes()),
        1 => Emulation::parse(format!("{how}U").as_bytes()),
        _ => Emulation::parse(format!("{}M", 1_u32 << (how % 16)).as_bytes()),
    };
    let Ok(wanted) = wanted else { return };
    let mut fake = Box::<FakeNodes>::default();
    if wanted.split(blocks, MAX_NODES, ram, &mut fake).is_ok() {
        // What is left over goes round once more, so a node may have some of another's; but none is lost, and none dealt twice.
        check(&fake.blocks);
        assert!(fake.physical.len() <= MAX_NODES);
        assert!(fake.blocks.as_slice().iter().all(|block| block.nid < fake.physical.len()));
        let dealt: u64 = fake.blocks.as_slice().iter().map(|block| ram(block.range.clone())).sum();
        assert_eq!(dealt, covered);
    }
});

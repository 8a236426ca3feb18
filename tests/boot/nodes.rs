//! Nodes: what QEMU was told to be near what, what the command line makes of it, and tables that lie.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use incipit_lib::acpi::build::{self, Firmware};
use incipit_tests::guest::Folder;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::session::Session;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::init_memory::listed;
use crate::memory::{adds_up, given, node_ranges, ours};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Where the tables of a test are put: RAM that nobody has taken by then.
const BASE: u64 = 64 * MIB;

const ONE_NODE: &[&str] = &[
    "No NUMA configuration found",
    "Faking a node at [mem 0x0000000000000000-0x0000000007fdffff]",
    "Built 1 zonelists, mobility grouping on.  Total pages: 32126",
];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for chipset in ["pc", "q35"] {
        for (memory, each) in [("256M", 64 * MIB), ("4G", GIB), ("16G", 4 * GIB)] {
            let machine = four(chipset, memory);
            let name = format!("nodes::four_on_a_{chipset}_share_{memory}");
            trials.push(trial(name, move || shared(&machine.run()?, each)));
        }
    }
    trials.push(trial("nodes::the_monitor_shows_what_is_near_what", shown));
    trials.extend(command_line());
    trials.extend(lies());
    trials.extend(movable_node());
    trials
}

/// Four nodes in a row, each with a processor and a quarter of the memory.
fn four(chipset: &str, memory: &str) -> Machine {
    let mib = memory
        .strip_suffix('M')
        .map_or_else(|| memory.trim_end_matches('G').parse::<u64>().map(|gib| gib << 10), str::parse);
    let each = mib.unwrap_or_default() / 4;
    let mut machine = ours().chipset(chipset).memory(memory).processors(4);
    for nid in 0..4 {
        machine = machine
            .option("-object", &format!("memory-backend-ram,id=m{nid},size={each}M"))
            .option("-numa", &format!("node,nodeid={nid},memdev=m{nid},cpus={nid}"));
    }
    for (src, dst, val) in [(0, 1, 15), (0, 2, 25), (0, 3, 35), (1, 2, 15), (1, 3, 25), (2, 3, 15)] {
        machine = machine.option("-numa", &format!("dist,src={src},dst={dst},val={val}"));
    }
    machine
}

/// What the monitor's `numa` says of four nodes.
fn shown() -> Result<()> {
    let text = Session::on(&four("q35", "256M").append("kdb"))?.obey("numa")?;
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    for line in [
        "online: 0-3",
        "has_cpu: 0-3",
        "has_memory: 0-3",
        "node0 cpulist: 0",
        "node0 distance: 10 15 25 35",
        "node0 zones: DMA DMA32",
        "node2 cpulist: 2",
        "node2 distance: 25 15 10 15",
        "node3 zones: DMA32",
    ] {
        ensure!(lines.contains(&line), "no `{line}` in:\n{text}");
    }
    for nid in 0..4 {
        let kib = |what: &str| -> Result<u64> {
            let start = format!("Node {nid} {what}:");
            let rest = lines
                .iter()
                .find_map(|line| line.strip_prefix(&start))
                .with_context(|| text.clone())?;
            Ok(rest.trim_end_matches("kB").trim().parse()?)
        };
        let (total, free) = (kib("MemTotal")?, kib("MemFree")?);
        ensure!(
            free <= total && total <= 64 << 10 && total > 48 << 10,
            "node {nid}: {free} of {total} KiB are free"
        );
    }
    Ok(())
}

/// Fails unless each node has what it was given, and goes to its neighbours first.
fn shared(log: &Log, each: u64) -> Result<()> {
    given(log, 4 * each)?;
    let ranges = node_ranges(log)?;
    for nid in 0..4 {
        let own: u64 = ranges
            .iter()
            .filter(|range| range.0 == nid)
            .map(|(_, start, end)| end - start)
            .sum();
        ensure!(own <= each && each - own <= MIB, "node {nid} has {own:#x} of {each:#x}");
    }
    log.require(&[
        "SRAT: PXM 0 -> APIC 0x00 -> Node 0",
        "SRAT: PXM 3 -> APIC 0x03 -> Node 3",
        "Fallback order for Node 0: 0 1 2 3 ",
        "Fallback order for Node 1: 1 2 0 3 ",
        "Fallback order for Node 2: 2 3 1 0 ",
        "Fallback order for Node 3: 3 2 1 0 ",
    ])?;
    log.require_mention("nr_node_ids:4")?;
    log.require_mention("Built 4 zonelists, mobility grouping on.")
}

fn command_line() -> Vec<Trial> {
    vec![
        trial("nodes::numa_off_makes_them_one", || {
            let log = four("pc", "256M").append("numa=off").run()?;
            given(&log, 256 * MIB)?;
            log.require(&["NUMA turned off", "Faking a node at [mem 0x0000000000000000-0x000000000ffdffff]"])?;
            log.require_mention("Built 1 zonelists")?;
            log.refuse("SRAT: PXM")
        }),
        trial("nodes::numa_fake_4_makes_four_of_one", || {
            let log = ours().memory("512M").append("numa=fake=4").run()?;
            given(&log, 512 * MIB)?;
            log.require(&[
                "Faking node 0 at [mem 0x0000000000000000-0x0000000007ffffff] (128MB)",
                "Faking node 1 at [mem 0x0000000008000000-0x000000000fffffff] (128MB)",
                "Faking node 2 at [mem 0x0000000010000000-0x0000000017ffffff] (128MB)",
                "Faking node 3 at [mem 0x0000000018000000-0x000000001ffdffff] (127MB)",
            ])?;
            log.require_mention("Built 4 zonelists")
        }),
        trial("nodes::numa_fake_with_a_size_makes_nodes_of_that_size", || {
            let log = ours().memory("1G").append("numa=fake=256M").run()?;
            given(&log, GIB)?;
            // The first is longer because of its hole below 1 MiB, and the last has what is too little for one more.
            log.require(&[
                "Faking node 0 at [mem 0x0000000000000000-0x0000000011ffffff] (288MB)",
                "Faking node 1 at [mem 0x0000000012000000-0x0000000021ffffff] (256MB)",
                "Faking node 2 at [mem 0x0000000022000000-0x000000003ffdffff] (479MB)",
            ])
        }),
        trial("nodes::numa_fake_2u_makes_two_of_each", || {
            let log = four("pc", "1G").append("numa=fake=2U").run()?;
            given(&log, GIB)?;
            log.require(&[
                "Faking node 0 at [mem 0x0000000000000000-0x0000000007ffffff] (128MB)",
                "Faking node 7 at [mem 0x0000000038000000-0x000000003ffdffff] (127MB)",
            ])?;
            log.require_mention("Built 8 zonelists")
        }),
        trial("nodes::too_little_for_fake_nodes_leaves_those_there_are", || {
            let log = ours().append("numa=fake=8").run()?;
            given(&log, 128 * MIB)?;
            log.require(&["Not enough memory for each node.  NUMA emulation disabled."])?;
            log.require_mention("Built 1 zonelists")
        }),
        trial("nodes::a_wrong_value_of_numa_is_named", || {
            let log = ours().append("numa=fake=lots").run()?;
            given(&log, 128 * MIB)?;
            log.require(&[
                "numa=fake= takes a number of nodes, of nodes in each (4U), or their size (512M)",
                "Malformed early option 'numa'",
            ])
        }),
        trial("nodes::a_node_without_memory_is_initialised_and_served_by_others", || {
            let log = ours()
                .processors(2)
                .option("-object", "memory-backend-ram,id=m0,size=128M")
                .option("-numa", "node,nodeid=0,memdev=m0,cpus=0")
                .option("-numa", "node,nodeid=1,cpus=1")
                .run()?;
            given(&log, 128 * MIB)?;
            log.require(&[
                "Initmem setup node 1 as memoryless",
                "Fallback order for Node 0: 0 ",
                "Fallback order for Node 1: 1 0 ",
            ])
        }),
    ]
}

/// Calls `run` with a machine of 128 MiB with an SRAT, and a SLIT if there is one, that say this.
fn with_tables<R>(srat: &[u8], slit: Option<&[u8]>, run: impl FnOnce(Machine) -> Result<R>) -> Result<R> {
    let mut firmware = Firmware::new(BASE);
    let mut tables = vec![firmware.table(b"SRAT", &build::srat(srat))];
    tables.extend(slit.map(|slit| firmware.table(b"SLIT", slit)));
    let rsdt = firmware.rsdt(&tables);
    firmware.rsdp(rsdt);
    let folder = Folder::new()?;
    let file = folder.path().join("tables");
    std::fs::write(&file, firmware.bytes()).context("writing the tables")?;
    run(ours().loaded(&file, BASE).append(&format!("acpi_rsdp={BASE:#x}")))
}

/// Boots that machine.
fn boots_with(srat: &[u8], slit: Option<&[u8]>) -> Result<Log> {
    with_tables(srat, slit, |machine| machine.run())
}

/// What the early allocator has taken at last of memory that can be unplugged, when the command line has `words`.
fn taken_of_hotplug(words: &str) -> Result<Vec<Range<u64>>> {
    const HOTPLUG: Range<u64> = 96 * MIB..128 * MIB;
    let mut srat = build::memory_affinity(0, 0, HOTPLUG.start);
    let mut removable = build::memory_affinity(1, HOTPLUG.start, HOTPLUG.end - HOTPLUG.start);
    // Enabled, and hot-pluggable: ACPI 6.5, table 5.57.
    removable[28] = 3;
    srat.extend(removable);
    with_tables(&srat, None, |machine| {
        let mut session = Session::on(&machine.append("kdb").append(words))?;
        let taken = listed(&session.obey("mem")?, "reserved").into_iter();
        Ok(taken
            .filter(|range| range.start < HOTPLUG.end && HOTPLUG.start < range.end)
            .collect())
    })
}

fn movable_node() -> Vec<Trial> {
    vec![
        trial("nodes::with_movable_node_nothing_lies_in_memory_that_can_be_unplugged", || {
            let taken = taken_of_hotplug("movable_node")?;
            ensure!(taken.is_empty(), "{taken:x?}");
            Ok(())
        }),
        trial("nodes::without_movable_node_that_memory_is_like_any_other", || {
            ensure!(!taken_of_hotplug("")?.is_empty());
            Ok(())
        }),
    ]
}

/// A boot with an SRAT that is not to be believed: it has `line`, and one node.
fn lie(name: &str, line: &'static str, memory: &[(u32, u64, u64)]) -> Trial {
    let srat: Vec<u8> = memory
        .iter()
        .flat_map(|&(domain, base, length)| build::memory_affinity(domain, base, length))
        .collect();
    trial(format!("nodes::a_table_{name}_leaves_one_node"), move || {
        let log = boots_with(&srat, None)?;
        adds_up(&log)?;
        log.require(&[line])?;
        log.require(ONE_NODE)
    })
}

fn lies() -> Vec<Trial> {
    let many: Vec<_> = (0..65).map(|domain| (domain, u64::from(domain) * MIB, MIB)).collect();
    let scattered: Vec<_> = (0..129).map(|at| (at as u32 % 2, at * 2 * MIB, MIB)).collect();
    vec![
        lie(
            "with_memory_of_two_nodes_at_once",
            "NUMA: node 0 [mem 0x00000000-0x03ffffff] overlaps with node 1 [mem 0x02000000-0x07fdffff]",
            &[(0, 0, 64 * MIB), (1, 32 * MIB, 96 * MIB)],
        ),
        lie(
            "that_leaves_memory_out",
            "NUMA: nodes only cover 63MB of your 127MB e820 RAM. Not used.",
            &[(0, 0, 64 * MIB)],
        ),
        lie(
            "about_no_memory_at_all",
            "NUMA: nodes only cover 0MB of your 127MB e820 RAM. Not used.",
            &[(0, GIB, GIB)],
        ),
        lie(
            "whose_memory_wraps_around",
            "NUMA: Warning: invalid memblk node 0 [mem 0xfffffffffff00000-0x000fffff]",
            &[(0, u64::MAX - MIB + 1, 2 * MIB)],
        ),
        lie("with_too_many_domains", "SRAT: Too many proximity domains 40", &many),
        lie("with_too_many_ranges", "NUMA: too many memblk ranges", &scattered),
        trial("nodes::a_table_cut_in_the_middle_of_an_entry_counts_up_to_there", || {
            let mut srat = [
                build::memory_affinity(0, 0, 64 * MIB),
                build::memory_affinity(1, 64 * MIB, 64 * MIB),
            ]
            .concat();
            srat.truncate(60);
            let log = boots_with(&srat, None)?;
            adds_up(&log)?;
            log.require_mention("ACPI: SRAT: ")?;
            log.require(ONE_NODE)
        }),
        trial("nodes::two_nodes_whose_distances_cannot_be_keep_the_usual_ones", || {
            let srat = [
                build::memory_affinity(0, 0, 64 * MIB),
                build::memory_affinity(1, 64 * MIB, 64 * MIB),
            ]
            .concat();
            let log = boots_with(&srat, Some(&build::slit(2, &[10, 3, 20, 10])))?;
            adds_up(&log)?;
            log.require_mention("ACPI: SLIT table looks invalid. Not used.")?;
            log.require(&["Fallback order for Node 0: 0 1 ", "Fallback order for Node 1: 1 0 "])
        }),
        trial("nodes::a_distance_table_that_is_larger_than_it_says_is_not_read", || {
            let srat = [
                build::memory_affinity(0, 0, 64 * MIB),
                build::memory_affinity(1, 64 * MIB, 64 * MIB),
            ]
            .concat();
            let log = boots_with(&srat, Some(&build::slit(u64::MAX, &[10, 20, 20, 10])))?;
            adds_up(&log)?;
            log.require_mention("ACPI: SLIT table looks invalid. Not used.")
        }),
        trial("nodes::that_take_turns_page_by_page_are_two", || {
            // Within a granule of pages, and in more ranges than the list of memory has entries for when it is small.
            let srat: Vec<u8> = (0..60)
                .flat_map(|at| build::memory_affinity(at % 2, 32 * MIB + u64::from(at) * 0x1000, 0x1000))
                .chain(build::memory_affinity(0, 0, 32 * MIB))
                .chain(build::memory_affinity(1, 32 * MIB + 60 * 0x1000, 96 * MIB))
                .collect();
            let log = boots_with(&srat, None)?;
            adds_up(&log)?;
            log.require_mention("Built 2 zonelists")
        }),
    ]
}

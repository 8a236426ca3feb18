//! The boot with one allocation less, for each of them: it goes on to its end, or ends in the one line that says what there was no memory for.

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::ending::require_end;

/// What the kernel cannot do without, by the function that sets it up, and how it ends without memory for it.
const VITAL: [(&str, &str); 7] = [
    ("::kmem_cache_init+", "SLUB: cannot open the first caches: ENOMEM"),
    ("::pgtable_cache_init+", "pgtable_cache_init: no memory for page tables (ENOMEM)"),
    ("::vmalloc::areas::open+", "vmalloc_init: no memory for areas (ENOMEM)"),
    ("::early_irq_init+", "no memory for the descriptor of IRQ "),
    ("::init_IRQ+", "no memory for the stack of interrupts (ENOMEM)"),
    ("::collections::nodes::", "kmem_cache_create: Failed to create slab '"),
    ("::rest_init+", "no memory for the stack of init (ENOMEM)"),
];

/// What no boot may say, whatever there is no memory for.
const COMPLAINTS: [&str; 4] = ["BUG:", "Oops", "WARNING:", "memory allocation of"];

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = [
        ("the_boot", 1, ""),
        ("a_checked_boot", 1, "slub_debug=FZPU page_owner=on debug_pagealloc=on"),
        ("a_boot_of_four_nodes", 1, "numa=fake=4 hashdist=1"),
        ("a_shuffled_boot_of_three_cpus", 3, "initcall_shuffle=1"),
    ]
    .map(|(name, processors, words)| {
        trial(format!("failures::each_allocation_of_{name}_fails_in_turn"), move || {
            each_in_turn(&machine(words).processors(processors))
        })
    })
    .into();
    trials.push(trial("failures::the_ways_to_allocations_are_listed_once_each", listed));
    trials.push(trial("failures::a_number_that_is_none_is_named", || {
        for wrong in ["0", "-1", "first"] {
            let log = machine("").append(&format!("fail_nth={wrong}")).run()?;
            require_end(&log)?;
            log.require(&["Malformed early option 'fail_nth'"])?;
        }
        Ok(())
    }));
    trials
}

/// The smallest machine: it boots fastest.
fn machine(words: &str) -> Machine {
    Machine::new(&Build::ours().vmlinux())
        .memory("32M")
        .append("earlycon")
        .append(words)
}

/// Boots with the first allocation failing, then with the second, until none does.
fn each_in_turn(machine: &Machine) -> Result<()> {
    for nth in 1.. {
        let log = machine.clone().append(&format!("fail_nth={nth}")).run()?;
        let failed = format!("fail_nth: fails {nth} (");
        let Some(failed) = log.lines().find(|line| line.starts_with(&failed)) else {
            let count = allocations(&log)?;
            ensure!(nth == count + 1, "none of {count} allocations is number {nth}");
            // The caches alone are more.
            ensure!(count > 50, "the boot makes {count} allocations only");
            return require_end(&log);
        };
        survives_or_says_so(&log, failed).with_context(|| failed.to_owned())?;
    }
    Ok(())
}

fn survives_or_says_so(log: &Log, failed: &str) -> Result<()> {
    COMPLAINTS.iter().try_for_each(|complaint| log.refuse(complaint))?;
    let end = VITAL.iter().find(|(caller, _)| failed.contains(caller));
    match end {
        // With another slab, or a smaller one, it may go on.
        Some((_, reason)) if require_end(log).is_err() => log.require_mention(&format!("Kernel panic - not syncing: {reason}")),
        _ => {
            allocations(log)?;
            require_end(log)
        }
    }
}

/// How many allocations the boot has counted.
fn allocations(log: &Log) -> Result<u32> {
    let count = log
        .lines()
        .find_map(|line| line.strip_prefix("fail_nth: ")?.strip_suffix(" allocations"));
    Ok(count.context("the boot does not say how many allocations there were")?.parse()?)
}

/// `fail_nth=list` lets the boot be, and has for each way to an allocation its number and who is on it.
fn listed() -> Result<()> {
    let log = machine("").append("fail_nth=list").run()?;
    require_end(&log)?;
    let mut last = 0;
    let mut callers = Vec::new();
    for line in log.lines().filter_map(|line| line.strip_prefix("fail_nth: allocation ")) {
        let (number, rest) = line.split_once(' ').context("no number")?;
        let (name, way) = rest.split_once(" <- ").context("no callers")?;
        let number: u32 = number.parse()?;
        ensure!(number > last, "{number} is behind {last}");
        ensure!(["(failslab)", "(fail_page_alloc)"].contains(&name), "{name}");
        // The log cuts a line of a kilobyte short.
        ensure!(
            way.contains("incipit::init::") || line.len() > 900,
            "nobody of the boot is in {way}"
        );
        last = number;
        callers.push(way.to_owned());
    }
    let ways = callers.len();
    callers.sort_unstable();
    callers.dedup();
    ensure!(callers.len() == ways, "a way is listed twice");
    ensure!(ways > 20 && last <= allocations(&log)?, "{ways} ways to {last} allocations");
    Ok(())
}

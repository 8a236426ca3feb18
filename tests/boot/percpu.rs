//! Per-CPU areas: what the log says of them adds up, and every CPU has a unit.

use anyhow::{Context, Result, ensure};
use incipit_tests::built::Build;
use incipit_tests::elf::Elf;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

const PAGE_SIZE: u64 = 4096;
/// What is allocated at once.
const ATOM: u64 = 2 << 20;

pub fn trials() -> Vec<Trial> {
    let machine = Machine::new(&Build::ours().vmlinux()).append("loglevel=8");
    [1, 2, 3, 6, 16]
        .map(|cpus| {
            let machine = machine.clone().processors(cpus);
            trial(format!("percpu::units_of_{cpus}"), move || units(&machine, cpus))
        })
        .into_iter()
        .chain([trial("percpu::units_with_16_megabytes", {
            let machine = machine.clone().memory("16M");
            move || units(&machine, 1)
        })])
        .collect()
}

/// The lines of the units, Linux's words: `percpu: Embedded 13 pages/cpu s12416 r8192 d32640 u524288` and how they are allocated.
fn units(machine: &Machine, cpus: u32) -> Result<()> {
    let log = machine.run()?;
    let line = log.lines().find_map(|line| line.strip_prefix("percpu: Embedded "));
    let (pages, sizes) = line
        .and_then(|line| line.split_once(" pages/cpu "))
        .context("no line of the first chunk")?;
    let [fixed, reserved, dynamic, unit] = numbers(sizes)?;
    let template = Elf::with_object(&std::fs::read(Build::ours().vmlinux())?)?
        .section(".data..percpu")
        .context("no template")?
        .range();
    ensure!(
        fixed == template.end - template.start,
        "the template has {:#x}",
        template.end - template.start
    );
    ensure!(reserved == 8192 && dynamic >= 28 << 10, "{sizes}");
    ensure!(
        fixed + reserved + dynamic == pages.parse::<u64>()? * PAGE_SIZE,
        "{line:?} does not add up"
    );
    ensure!(ATOM.is_multiple_of(unit), "{line:?}: no whole number of units to an allocation");
    log.require(&[&format!("pcpu-alloc: {sizes} alloc=1*{ATOM}")])?;
    let shown = shown_cpus(&log)?;
    ensure!(shown.iter().copied().eq(0..cpus), "units of {shown:?}");
    Ok(())
}

/// The numbers behind the letters of `s1 r2 d3 u4`.
fn numbers(words: &str) -> Result<[u64; 4]> {
    let mut words = words.split(' ');
    let mut next = |letter| {
        let word = words.next().and_then(|word| word.strip_prefix(letter));
        word.and_then(|word| word.parse().ok()).with_context(|| format!("no size {letter}"))
    };
    Ok([next('s')?, next('r')?, next('d')?, next('u')?])
}

/// The CPUs that the rows `pcpu-alloc: [0] 0 1 …` name, in their order; dashes are units of nobody.
fn shown_cpus(log: &Log) -> Result<Vec<u32>> {
    let rows = log.lines().filter_map(|line| line.strip_prefix("pcpu-alloc: [0] "));
    let words = rows
        .flat_map(|row| row.split_whitespace())
        .filter(|word| !word.contains(['[', '-']));
    words.map(|word| Ok(word.parse()?)).collect()
}

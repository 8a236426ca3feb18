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
        .chain([1, 3].map(|cpus| {
            let machine = machine.clone().processors(cpus).append("percpu_alloc=page");
            trial(format!("percpu::units_of_pages_for_{cpus}"), move || units_of_pages(&machine, cpus))
        }))
        .chain([
            trial("percpu::the_last_kind_of_unit_counts", {
                let machine = machine.clone().append("percpu_alloc=page percpu_alloc=embed");
                move || units(&machine, 1)
            }),
            trial("percpu::unknown_kinds_of_units_are_named", {
                let machine = machine.append("percpu_alloc=pages percpu_alloc");
                move || {
                    machine.run()?.require(&[
                        "percpu: unknown allocator pages specified, not embed or page",
                        "Malformed early option 'percpu_alloc'",
                    ])?;
                    units(&machine, 1)
                }
            }),
        ])
        .collect()
}

/// The lines of the units, Linux's words: `percpu: Embedded 13 pages/cpu s12416 r8192 d32640 u524288` and how they are allocated.
fn units(machine: &Machine, cpus: u32) -> Result<()> {
    let log = machine.run()?;
    let line = log.lines().find_map(|line| line.strip_prefix("percpu: Embedded "));
    let (pages, sizes) = line
        .and_then(|line| line.split_once(" pages/cpu "))
        .context("no line of the first chunk")?;
    let [fixed, reserved, dynamic, unit] = numbers("srdu", sizes)?;
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

/// The lines of units of single pages: `percpu: 11 4K pages/cpu s12416 r8192 d24448`, an allocation for each CPU.
fn units_of_pages(machine: &Machine, cpus: u32) -> Result<()> {
    let log = machine.run()?;
    ensure!(
        log.lines().all(|line| !line.starts_with("percpu: Embedded ")),
        "embedded all the same"
    );
    let line = log
        .lines()
        .find_map(|line| line.strip_prefix("percpu: ")?.split_once(" 4K pages/cpu "));
    let (pages, sizes) = line.context("no line of the first chunk")?;
    let [fixed, reserved, dynamic] = numbers("srd", sizes)?;
    let unit = pages.parse::<u64>()? * PAGE_SIZE;
    ensure!(
        reserved == 8192 && dynamic >= 20 << 10 && fixed + reserved + dynamic == unit,
        "{line:?}"
    );
    log.require(&[&format!("pcpu-alloc: {sizes} u{unit} alloc={pages}*{PAGE_SIZE}")])?;
    let shown = shown_cpus(&log)?;
    ensure!(shown.iter().copied().eq(0..cpus), "units of {shown:?}");
    Ok(())
}

/// The numbers behind the letters of `s1 r2 d3 u4`.
fn numbers<const N: usize>(letters: &str, words: &str) -> Result<[u64; N]> {
    let numbers = letters.chars().zip(words.split(' ')).map(|(letter, word)| {
        let number = word.strip_prefix(letter).and_then(|number| number.parse().ok());
        number.with_context(|| format!("no size {letter}"))
    });
    let numbers = numbers.collect::<Result<Vec<u64>>>()?;
    <[u64; N]>::try_from(numbers)
        .ok()
        .with_context(|| format!("not all of {letters}: {words}"))
}

/// The CPUs that the rows `pcpu-alloc: [0] 0 1 …` name, in their order; dashes are units of nobody.
fn shown_cpus(log: &Log) -> Result<Vec<u32>> {
    let rows = log.lines().filter_map(|line| line.strip_prefix("pcpu-alloc: [0] "));
    let words = rows
        .flat_map(|row| row.split_whitespace())
        .filter(|word| !word.contains(['[', '-']));
    words.map(|word| Ok(word.parse()?)).collect()
}

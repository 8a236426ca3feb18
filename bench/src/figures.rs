//! What is measured, of what the boots of the [plan](crate::plan) report, and what it stands beside.
//!
//! Linux's figures are those of a small Linux 6.1.192, measured on the same machine in the same way.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::host::Times;
use crate::plan::ARGUMENTS;
use crate::report::Report;
use crate::table::number;

/// What the boots have reported, by the boots' names.
#[derive(Debug, Default)]
pub struct Reports(BTreeMap<&'static str, Report>);

impl Reports {
    /// Adds what the boot `name` has reported.
    ///
    /// # Errors
    ///
    /// If initcalls ran behind the one that reports: their instructions would be in no figure.
    pub fn add(&mut self, name: &'static str, report: Report) -> Result<()> {
        let behind = report.get("behind").with_context(|| format!("the boot `{name}`"))?;
        ensure!(
            behind == 0.0,
            "the boot `{name}` has {behind} initcalls behind the one that reports"
        );
        self.0.insert(name, report);
        Ok(())
    }

    fn of(&self, boot: &str) -> Result<&Report> {
        self.0.get(boot).with_context(|| format!("the boot `{boot}` has not been made"))
    }

    fn get(&self, boot: &str, name: &str) -> Result<f64> {
        self.of(boot)?.get(name)
    }

    /// By how much the value `name` grows from boot `a` to boot `b`, for each of `count`.
    fn growth(&self, a: &str, b: &str, name: &str, count: usize) -> Result<f64> {
        Ok((self.get(b, name)? - self.get(a, name)?) / count as f64)
    }
}

/// A figure: instructions, if its section says nothing else. Fewer are better.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// Our instructions.
    pub ours: f64,
    /// What they stand beside.
    pub beside: Option<Beside>,
}

/// What a figure stands beside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Beside {
    /// Linux's instructions for the same.
    Linux(f64),
    /// How many instructions it should be at most.
    Aim(f64),
}

impl Beside {
    /// The number.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Self::Linux(number) | Self::Aim(number) => number,
        }
    }
}

/// Figures of one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The subject.
    pub title: &'static str,
    /// Its figures.
    pub figures: Vec<Figure>,
}

fn figure(name: &str, ours: f64, beside: impl Into<Option<Beside>>) -> Figure {
    Figure {
        name: name.to_owned(),
        ours,
        beside: beside.into(),
    }
}

use Beside::{Aim, Linux};

/// Makes the figures of what was reported.
///
/// # Errors
///
/// If a boot or a value is missing.
pub fn sections(reports: &Reports, times: Times) -> Result<Vec<Section>> {
    Ok(vec![
        Section {
            title: "From the kernel's entry",
            figures: boot(reports)?,
        },
        Section {
            title: "By each way in, to the first initcall, no console",
            figures: ways(reports)?,
        },
        Section {
            title: "Stages",
            figures: stages(reports)?,
        },
        Section {
            title: "Initcalls",
            figures: initcalls(reports)?,
        },
        Section {
            title: "Init memory",
            figures: init_memory(reports)?,
        },
        Section {
            title: "Parameters",
            figures: parameters(reports)?,
        },
        Section {
            title: "Exceptions",
            figures: exceptions(reports)?,
        },
        Section {
            title: "Memory",
            figures: memory(reports)?,
        },
        Section {
            title: "Memory, in the boot",
            figures: memory_boot(reports)?,
        },
        Section {
            title: "Locks, taken and given back",
            figures: locks(reports)?,
        },
        Section {
            title: "Interrupts, and functions called on other CPUs",
            figures: interrupts(reports)?,
        },
        Section {
            title: "Clocks and timers",
            figures: clocks(reports)?,
        },
        Section {
            title: "The build, in milliseconds of this machine",
            figures: build(times),
        },
    ])
}

fn boot(reports: &Reports) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (boot, how, aim) in [
        ("boot", "no console", Some(Aim(2e6))),
        ("boot quiet", "console=ttyS0 quiet", None),
        ("boot loud", "console=ttyS0", None),
    ] {
        figures.push(figure(&format!("to the first initcall, {how}"), reports.get(boot, "first")?, None));
        figures.push(figure(&format!("to the end of the last, {how}"), reports.get(boot, "end")?, aim));
    }
    Ok(figures)
}

/// The same boot however it began. The firmware, the loader and code of ours that runs on the firmware are not in it: the 16-bit set-up code, the EFI stub.
fn ways(reports: &Reports) -> Result<Vec<Figure>> {
    let ways = [
        ("boot", "QEMU -kernel vmlinux (PVH)"),
        ("bzImage", "QEMU -kernel bzImage (16-bit)"),
        ("multiboot2", "GRUB multiboot2, BIOS"),
        ("linux", "GRUB linux, BIOS (32-bit)"),
        ("64-bit", "linux-loader, no firmware (64-bit)"),
        ("EFI", "OVMF (EFI stub)"),
    ];
    ways.iter()
        .map(|(boot, how)| Ok(figure(how, reports.get(boot, "first")?, None)))
        .collect()
}

/// Linux's instructions for a stage, where they are known for the stage alone.
fn stage_of_linux(name: &str) -> Option<Beside> {
    match name {
        "setup_arch" => Some(Linux(15.1e6)),
        "setup_per_cpu_areas" => Some(Linux(2.3e6)),
        "console_init" => Some(Linux(0.5e6)),
        _ => None,
    }
}

fn stages(reports: &Reports) -> Result<Vec<Figure>> {
    let report = reports.of("boot")?;
    let mut figures: Vec<_> = report
        .below("stage/")
        .map(|(name, took)| figure(name, took, stage_of_linux(name)))
        .collect();
    figures.push(figure("initcalls", report.get("initcalls")?, None));
    Ok(figures)
}

fn initcalls(reports: &Reports) -> Result<Vec<Figure>> {
    Ok(vec![
        figure(
            "an empty initcall, of 1,000",
            reports.growth("boot", "1000 initcalls", "end", 1000)?,
            Aim(60.0),
        ),
        figure(
            "an empty initcall, of 2,000",
            reports.growth("1000 initcalls", "2000 initcalls", "end", 1000)?,
            Aim(60.0),
        ),
        figure(
            "one with three relations, of 100",
            reports.growth("boot", "graph of 100", "end", 100)?,
            None,
        ),
        figure(
            "one with three relations, of 10,000",
            reports.growth("boot", "graph of 10000", "end", 10_000)?,
            None,
        ),
    ])
}

fn init_memory(reports: &Reports) -> Result<Vec<Figure>> {
    let (few, many) = ("1000 initcalls unprotected", "2000 initcalls unprotected");
    let pages = reports.growth(few, many, "init_pages", 1)?;
    ensure!(pages > 0.0, "init memory does not grow with the initcalls in it");
    Ok(vec![
        figure(
            "a page, poisoned, unmapped and given back",
            reports.growth(few, many, "finish", 1)? / pages,
            None,
        ),
        figure(
            "from the last initcall to init, page tables checked",
            reports.get("boot", "finish")?,
            None,
        ),
    ])
}

fn parameters(reports: &Reports) -> Result<Vec<Figure>> {
    let (few, many) = ("200 params", "10000 params");
    let argument = |name| reports.growth(few, "1000 arguments", name, ARGUMENTS);
    Ok(vec![
        figure("look-up among 200, hit", reports.get(few, "param/hit")?, None),
        figure("look-up among 200, miss", reports.get(few, "param/miss")?, None),
        figure("look-up among 10,000, hit", reports.get(many, "param/hit")?, None),
        figure("look-up among 10,000, miss", reports.get(many, "param/miss")?, None),
        figure("an argument of 1,000, in parse_args", argument("stage/parse_args")?, None),
        figure("an argument of 1,000, in the whole boot", argument("core")?, None),
        figure(
            "a parameter of 10,000 that nobody sets",
            reports.growth(few, many, "core", 10_000 - 200)?,
            None,
        ),
    ])
}

fn exceptions(reports: &Reports) -> Result<Vec<Figure>> {
    let few = |name| reports.get("900 entries", name);
    let many = |name| reports.get("100000 entries", name);
    Ok(vec![
        figure("search among 900, hit", few("extable/hit")?, Linux(260.0)),
        figure("search among 900, miss", few("extable/miss")?, Linux(286.0)),
        figure("search among 100,000, hit", many("extable/hit")?, Aim(100.0)),
        figure("search among 100,000, miss", many("extable/miss")?, None),
        figure("fault and fixup, 900 entries", few("extable/fault")?, Linux(562.0)),
        figure("fault and fixup, 100,000 entries", many("extable/fault")?, Aim(400.0)),
        figure("safe read that is good", few("extable/good")?, Linux(67.0)),
        figure(
            "an entry of 100,000, in sort_main_extable",
            many("stage/sort_main_extable")? / 1e5,
            None,
        ),
    ])
}

fn locks(reports: &Reports) -> Result<Vec<Figure>> {
    let figures = [
        ("a raw spin lock", "lock/raw", Aim(8.0)),
        ("a spin lock", "lock/spin", Linux(11.0)),
        ("a spin lock with interrupts off", "lock/irqsave", Linux(26.0)),
    ];
    let mut figures = figures
        .into_iter()
        .map(|(name, key, beside)| Ok(figure(name, reports.get("processor", key)?, Some(beside))))
        .collect::<Result<Vec<_>>>()?;
    figures.push(figure(
        "two words read by a sequence count",
        reports.get("processor", "lock/seqcount")?,
        None,
    ));
    Ok(figures)
}

fn interrupts(reports: &Reports) -> Result<Vec<Figure>> {
    let figures = [
        (
            "from the entry of an interrupt to its handler and back",
            "irq/vector",
            Some(Aim(150.0)),
        ),
        ("the same of a line", "irq/line", None),
        ("a function called on this CPU", "call/here", None),
    ];
    let mut figures = figures
        .into_iter()
        .map(|(name, key, beside)| Ok(figure(name, reports.get("processor", key)?, beside)))
        .collect::<Result<Vec<_>>>()?;
    figures.extend(calls(reports)?);
    figures.push(figure(
        "each further CPU, in the boot, on the boot CPU",
        reports.growth("2 CPUs stepped", "4 CPUs stepped", "cpus/boot", 2)?,
        Some(Aim(300_000.0)),
    ));
    Ok(figures)
}

/// Of other CPUs: the instructions of the caller's and theirs.
fn calls(reports: &Reports) -> Result<Vec<Figure>> {
    let figures = [
        ("one called on a CPU that sleeps, and waited for", "2 processors", "call/idle"),
        ("the same on one that is at work", "2 processors", "call/busy"),
        ("the caller's part of one that nobody waits for", "2 processors", "call/nowait"),
        ("one called on three CPUs that sleep, and waited for", "4 processors", "call/many"),
    ];
    figures
        .into_iter()
        .map(|(name, boot, key)| Ok(figure(name, reports.get(boot, key)?, None)))
        .collect()
}

/// Beside Linux's 47, 285 and 473.
fn clocks(reports: &Reports) -> Result<Vec<Figure>> {
    let figures = [
        ("ktime_get", "time/ktime_get", Aim(30.0)),
        ("a timer of the wheel, added and deleted", "time/timer", Aim(150.0)),
        ("a high-resolution timer, started and cancelled", "time/hrtimer", Aim(250.0)),
    ];
    figures
        .into_iter()
        .map(|(name, key, beside)| Ok(figure(name, reports.get("processor", key)?, Some(beside))))
        .collect()
}

/// A pair of taking and giving back, if it says nothing else; trees are of 10,000 entries.
fn memory(reports: &Reports) -> Result<Vec<Figure>> {
    let figures = [
        ("kmalloc and kfree, 64 bytes", "kmalloc/64", Linux(155.0)),
        ("kmalloc and kfree, 4096 bytes", "kmalloc/4096", Linux(157.0)),
        ("an object of a cache of its own", "cache", Aim(60.0)),
        ("a page", "page/0", Linux(415.0)),
        ("8 pages", "page/3", Linux(602.0)),
        ("vmalloc and vfree, 64 KiB", "vmalloc", Linux(7783.0)),
        ("radix tree, insert", "radix/insert", Linux(125.0)),
        ("radix tree, look up", "radix/lookup", Linux(92.0)),
        ("radix tree, delete", "radix/delete", Linux(230.0)),
        ("xarray, store", "xarray/store", Linux(349.0)),
        ("xarray, load", "xarray/load", Linux(107.0)),
        ("xarray, erase", "xarray/erase", Linux(320.0)),
        ("idr, allocate", "idr/alloc", Linux(340.0)),
        ("idr, find", "idr/find", Linux(95.0)),
        ("idr, remove", "idr/remove", Linux(191.0)),
        ("red-black tree, insert at random", "rbtree/insert", Linux(161.0)),
        ("red-black tree, erase", "rbtree/erase", Linux(58.0)),
        ("the crate's red-black tree, insert at random", "intrusive/insert", Linux(161.0)),
        ("the crate's red-black tree, erase", "intrusive/erase", Linux(58.0)),
    ];
    figures
        .into_iter()
        .map(|(name, value, beside)| Ok(figure(name, reports.get("memory", value)?, beside)))
        .collect()
}

/// The stages that set memory up. Of `setup_arch` not all is memory, but all of it counts.
const MEMORY_STAGES: &[&str] = &[
    "page_address_init",
    "setup_arch",
    "initmem_init",
    "paging_init",
    "setup_per_cpu_areas",
    "build_all_zonelists",
    "page_alloc_init",
    "pidhash_init",
    "vfs_caches_init_early",
    "mem_init",
    "kmem_cache_init",
    "percpu_init_late",
    "pgtable_cache_init",
    "vmalloc_init",
    "idr_init_cache",
    "radix_tree_init",
    "prio_tree_init",
    "setup_per_cpu_pageset",
];

fn memory_boot(reports: &Reports) -> Result<Vec<Figure>> {
    let stages = MEMORY_STAGES.iter().map(|stage| reports.get("boot", &format!("stage/{stage}")));
    let gigabyte = (1 << 30) / PAGE_SIZE;
    Ok(vec![
        figure("the stages of memory, 128 MiB", stages.sum::<Result<f64>>()?, Aim(1.5e6)),
        figure(
            "a page more, from 1 to 2 GiB",
            reports.growth("1G", "2G", "first", gigabyte)?,
            Aim(20.0),
        ),
    ])
}

/// Bytes of a page.
const PAGE_SIZE: usize = 4096;

fn build(times: Times) -> Vec<Figure> {
    let order = format!(
        "to order {} entries by {} relations",
        number(times.entries as f64),
        number(times.relations as f64)
    );
    vec![
        figure(&order, times.order, Aim(1000.0)),
        figure("make with one changed file of a leaf crate", times.relink, Aim(5000.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::parse;

    fn reports(boots: &[(&'static str, &str)]) -> Reports {
        let mut reports = Reports::default();
        for (boot, lines) in boots {
            reports.add(boot, parse(&format!("bench: behind 0\n{lines}")).unwrap()).unwrap();
        }
        reports
    }

    #[test]
    fn stages_are_listed_in_the_order_of_the_boot_with_the_initcalls_behind_them() {
        let reports = reports(&[("boot", "bench: stage/b 2\nbench: stage/setup_arch 151\nbench: initcalls 7")]);
        let figures = stages(&reports).unwrap();
        let names: Vec<_> = figures.iter().map(|figure| (figure.name.as_str(), figure.ours)).collect();
        assert_eq!(names, [("b", 2.0), ("setup_arch", 151.0), ("initcalls", 7.0)]);
        assert_eq!(figures[1].beside, Some(Linux(15.1e6)));
    }

    #[test]
    fn what_one_initcall_costs_is_the_difference_of_two_boots() {
        let reports = reports(&[
            ("boot", "bench: end 5000"),
            ("1000 initcalls", "bench: end 65000"),
            ("2000 initcalls", "bench: end 126000"),
            ("graph of 100", "bench: end 15000"),
            ("graph of 10000", "bench: end 1005000"),
        ]);
        let costs: Vec<_> = initcalls(&reports).unwrap().iter().map(|figure| figure.ours).collect();
        assert_eq!(costs, [60.0, 61.0, 100.0, 100.0]);
    }

    #[test]
    fn what_a_further_cpu_costs_is_half_of_what_two_cost() {
        let reports = reports(&[
            ("processor", "bench: irq/vector 100\nbench: irq/line 200\nbench: call/here 50"),
            ("2 processors", "bench: call/idle 700\nbench: call/busy 300\nbench: call/nowait 90"),
            ("4 processors", "bench: call/many 1500"),
            ("2 CPUs stepped", "bench: cpus/boot 40000"),
            ("4 CPUs stepped", "bench: cpus/boot 80000"),
        ]);
        let figures = interrupts(&reports).unwrap();
        let ours: Vec<_> = figures.iter().map(|figure| figure.ours).collect();
        assert_eq!(ours, [100.0, 200.0, 50.0, 700.0, 300.0, 90.0, 1500.0, 20_000.0]);
    }

    #[test]
    fn what_one_page_costs_is_the_difference_of_two_boots() {
        let few = ("1000 initcalls unprotected", "bench: finish 50000\nbench: init_pages 40");
        let boot = ("boot", "bench: finish 30000\nbench: init_pages 20");
        let costs = |many| {
            let figures = init_memory(&reports(&[boot, few, ("2000 initcalls unprotected", many)]));
            figures.map(|figures| figures.iter().map(|figure| figure.ours).collect::<Vec<_>>())
        };
        assert_eq!(costs("bench: finish 56000\nbench: init_pages 50").unwrap(), [600.0, 30000.0]);
        let error = costs("bench: finish 56000\nbench: init_pages 40").unwrap_err();
        assert!(error.to_string().contains("does not grow"), "{error}");
    }

    #[test]
    fn a_boot_or_a_value_that_is_missing_is_named() {
        let error = sections(&reports(&[]), Times::default()).unwrap_err();
        assert!(error.to_string().contains("`boot` has not been made"), "{error}");
        let error = boot(&reports(&[("boot", "bench: first 1")])).unwrap_err();
        assert!(error.to_string().contains("has not reported end"), "{error}");
    }

    #[test]
    fn initcalls_that_nobody_measured_are_an_error() {
        let error = Reports::default().add("boot", parse("bench: behind 2").unwrap()).unwrap_err();
        assert!(error.to_string().contains("2 initcalls behind"), "{error}");
        assert!(Reports::default().add("boot", parse("").unwrap()).is_err());
    }
}

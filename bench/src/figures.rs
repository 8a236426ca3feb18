//! What is measured, in which images and boots, and what it stands beside.
//!
//! Linux's figures are those of a small Linux 6.1.192, measured on the same machine in the same way.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::report::Report;

/// An image, and the boots that it is for.
pub struct Plan {
    /// The image's name.
    pub name: &'static str,
    /// The crates that it has besides those of the default configuration, by folder.
    pub guests: &'static [&'static str],
    /// How it is booted.
    pub boots: &'static [Boot],
}

/// One boot.
pub struct Boot {
    /// The name of what it reports.
    pub name: &'static str,
    /// Makes the command line.
    pub command_line: fn() -> Vec<u8>,
}

/// Arguments of the long command line.
const ARGUMENTS: usize = 1000;

/// The command line of a boot without console: a panic at its end reboots, which ends the guest.
const ALONE: &str = "panic=-1 console=null";

/// All images.
pub const PLANS: &[Plan] = &[
    Plan {
        name: "boot",
        guests: &["boot"],
        boots: &[
            Boot {
                name: "boot",
                command_line: || ALONE.into(),
            },
            Boot {
                name: "boot quiet",
                command_line: || "panic=-1 console=ttyS0 quiet".into(),
            },
            Boot {
                name: "boot loud",
                command_line: || "panic=-1 console=ttyS0".into(),
            },
        ],
    },
    Plan {
        name: "initcalls-1000",
        guests: &["boot", "initcalls/1000"],
        boots: &[Boot {
            name: "1000 initcalls",
            command_line: || ALONE.into(),
        }],
    },
    Plan {
        name: "initcalls-2000",
        guests: &["boot", "initcalls/2000"],
        boots: &[Boot {
            name: "2000 initcalls",
            command_line: || ALONE.into(),
        }],
    },
    Plan {
        name: "params-200",
        guests: &["boot", "params/200"],
        boots: &[
            Boot {
                name: "200 params",
                command_line: || ALONE.into(),
            },
            Boot {
                name: "1000 arguments",
                command_line: || arguments(ARGUMENTS),
            },
        ],
    },
    Plan {
        name: "params-10000",
        guests: &["boot", "params/10000"],
        boots: &[Boot {
            name: "10000 params",
            command_line: || ALONE.into(),
        }],
    },
    Plan {
        name: "extable-900",
        guests: &["boot", "extable/900"],
        boots: &[Boot {
            name: "900 entries",
            command_line: || ALONE.into(),
        }],
    },
    Plan {
        name: "extable-100000",
        guests: &["boot", "extable/100000"],
        boots: &[Boot {
            name: "100000 entries",
            command_line: || ALONE.into(),
        }],
    },
];

/// A command line with `count` times the parameter that takes no value.
fn arguments(count: usize) -> Vec<u8> {
    format!("{ALONE}{}", " v".repeat(count)).into()
}

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
        let behind = report.get("initcalls/behind").with_context(|| format!("the boot `{name}`"))?;
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

/// A figure: always instructions, fewer are better.
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
pub fn sections(reports: &Reports) -> Result<Vec<Section>> {
    Ok(vec![
        Section {
            title: "From the kernel's entry",
            figures: boot(reports)?,
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
            title: "Parameters",
            figures: parameters(reports)?,
        },
        Section {
            title: "Exceptions",
            figures: exceptions(reports)?,
        },
    ])
}

fn boot(reports: &Reports) -> Result<Vec<Figure>> {
    let boot = |boot, to| reports.get(boot, to);
    Ok(vec![
        figure("to the first initcall, no console", boot("boot", "initcalls/first")?, None),
        figure("to the end of the last, no console", boot("boot", "initcalls/end")?, Aim(2e6)),
        figure(
            "to the first initcall, console=ttyS0 quiet",
            boot("boot quiet", "initcalls/first")?,
            None,
        ),
        figure(
            "to the end of the last, console=ttyS0 quiet",
            boot("boot quiet", "initcalls/end")?,
            None,
        ),
        figure("to the first initcall, console=ttyS0", boot("boot loud", "initcalls/first")?, None),
        figure("to the end of the last, console=ttyS0", boot("boot loud", "initcalls/end")?, None),
    ])
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
    figures.push(figure("initcalls", report.get("initcalls/took")?, None));
    Ok(figures)
}

fn initcalls(reports: &Reports) -> Result<Vec<Figure>> {
    let growth = |name| reports.growth("1000 initcalls", "2000 initcalls", name, 1000);
    Ok(vec![
        figure("an empty initcall, of 2,000", growth("initcalls/end")?, None),
        figure("an empty initcall, of 2,000: before the first", growth("initcalls/first")?, None),
    ])
}

fn parameters(reports: &Reports) -> Result<Vec<Figure>> {
    let growth = |name| reports.growth("200 params", "1000 arguments", name, ARGUMENTS);
    Ok(vec![
        figure("look-up among 200, hit", reports.get("200 params", "param/hit")?, None),
        figure("look-up among 200, miss", reports.get("200 params", "param/miss")?, None),
        figure("look-up among 10,000, hit", reports.get("10000 params", "param/hit")?, None),
        figure("look-up among 10,000, miss", reports.get("10000 params", "param/miss")?, None),
        figure("an argument of 1,000, in parse_args", growth("stage/parse_args")?, None),
        figure("an argument of 1,000, in the whole boot", growth("initcalls/end")?, None),
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
    ])
}

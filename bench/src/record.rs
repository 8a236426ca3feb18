//! `docs/figures.md`: the figures as they were last recorded, with the commit that they are of. Written for people, and read back for comparison.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use incipit_machine::qemu::{PROGRAM, SAME};

use crate::figures::Section;

use crate::table;

const HEADINGS: &str = "| figure | ours | Linux or aim | ratio |\n| --- | ---: | ---: | ---: |\n";

/// What stands before the commit.
const COMMIT: &str = "Recorded at commit ";

const INTRODUCTION: &str = "\
# Figures

Instructions that the guest executes; fewer are better. Written by `make bench RECORD=1`, compared by `make bench`; `bench/src/main.rs` says how a figure comes
about. Linux is a small Linux 6.1.192 (SMP, ACPI, PCI, 8250, procfs, sysfs, tmpfs, cgroups, -O2), measured in the same way. Its stages find more hardware
than ours do so far.

";

/// The figures that are recorded, by section and name.
#[derive(Debug, Default, PartialEq)]
pub struct Recorded {
    /// The commit, if anything is recorded.
    pub commit: Option<String>,
    /// The figures.
    pub figures: BTreeMap<(String, String), f64>,
}

impl Recorded {
    /// The figure `name` of the section called `title`.
    pub fn figure(&self, title: &str, name: &str) -> Option<f64> {
        self.figures.get(&(title.to_owned(), name.to_owned())).copied()
    }
}

/// What figures are of.
#[derive(Debug)]
pub struct Circumstances {
    commit: String,
    compiler: String,
    emulator: String,
}

impl Circumstances {
    /// Asks git, the compiler and QEMU. A tree that differs from its commit is called so.
    ///
    /// # Errors
    ///
    /// If one of them does not answer.
    pub fn find(root: &Path) -> Result<Self> {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
        let mut commit = first_line(root, "git", &["rev-parse", "--short=12", "HEAD"])?;
        // The record itself is about to change.
        if !output(
            root,
            "git",
            &["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/figures.md"],
        )?
        .is_empty()
        {
            commit.push_str(" with changes");
        }
        Ok(Self {
            commit,
            compiler: first_line(root, &rustc, &["--version"])?,
            emulator: first_line(root, PROGRAM, &["--version"])?,
        })
    }
}

fn first_line(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    Ok(output(root, program, arguments)?.lines().next().unwrap_or_default().to_owned())
}

fn output(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .with_context(|| format!("starting {program}"))?;
    ensure!(
        output.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Reads what is recorded in `file`; nothing if there is no such file.
///
/// # Errors
///
/// If the file is there and cannot be read.
pub fn read(file: &Path) -> Result<Recorded> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Recorded::default()),
        Err(error) => Err(error).context(file.display().to_string()),
    }
}

/// Takes the figures out of the page. What is no row of a table is for people.
fn parse(text: &str) -> Recorded {
    let mut recorded = Recorded::default();
    let mut title = String::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut title);
        } else if let Some(rest) = line.strip_prefix(COMMIT) {
            recorded.commit = rest.split(',').next().map(str::to_owned);
        } else if let Some((name, ours)) = parse_row(line) {
            recorded.figures.insert((title.clone(), name.to_owned()), ours);
        }
    }
    recorded
}

fn parse_row(line: &str) -> Option<(&str, f64)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    Some((cells.next()?, cells.next()?.replace(',', "").parse().ok()?))
}

/// Writes `sections` to `file`.
///
/// # Errors
///
/// If that cannot be done.
pub fn write(file: &Path, sections: &[Section], circumstances: &Circumstances) -> Result<()> {
    fs::write(file, page(sections, circumstances)).with_context(|| file.display().to_string())
}

fn page(sections: &[Section], circumstances: &Circumstances) -> String {
    let Circumstances {
        commit,
        compiler,
        emulator,
    } = circumstances;
    let mut page = format!("{INTRODUCTION}{COMMIT}{commit}, {compiler}, {emulator}:\n`{SAME} -m 128M`\n");
    for section in sections {
        // A string takes everything.
        let _ = write!(page, "\n## {}\n\n{HEADINGS}", section.title);
        for figure in &section.figures {
            let _ = writeln!(page, "| {} |", table::cells(figure).join(" | "));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Beside, Figure};

    fn circumstances() -> Circumstances {
        Circumstances {
            commit: "0123456789ab".into(),
            compiler: "rustc 1.0".into(),
            emulator: "QEMU 7".into(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let figure = |name: &str, ours, beside| Figure {
            name: name.into(),
            ours,
            beside,
        };
        let sections = [
            Section {
                title: "A",
                figures: vec![figure("x, and more", 1_234_567.0, Some(Beside::Aim(2e6))), figure("y", 77.5, None)],
            },
            Section {
                title: "B",
                figures: vec![figure("y", 260.0, Some(Beside::Linux(520.0)))],
            },
        ];
        let recorded = parse(&page(&sections, &circumstances()));
        assert_eq!(recorded.commit.as_deref(), Some("0123456789ab"));
        let figures = [("A", "x, and more", 1_234_567.0), ("A", "y", 77.5), ("B", "y", 260.0)];
        assert_eq!(recorded.figures.len(), figures.len());
        for (title, name, ours) in figures {
            assert_eq!(recorded.figure(title, name), Some(ours), "{title} {name}");
        }
    }

    #[test]
    fn a_page_that_somebody_damaged_gives_what_is_left_of_it() {
        let recorded = parse("## A\n| x | many |\n| y |\n|\n| z | 5 |\n| --- | ---: |\nRecorded at commit\n");
        assert_eq!(
            recorded,
            Recorded {
                commit: None,
                figures: [(("A".into(), "z".into()), 5.0)].into()
            }
        );
    }

    #[test]
    fn a_file_that_is_not_there_records_nothing() {
        assert_eq!(read(Path::new("/nonexistent/figures.md")).unwrap(), Recorded::default());
    }
}

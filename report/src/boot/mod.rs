//! One boot, measured: what the monitor tells when it is done.
//!
//! Asks through [`crate::qemu`], and makes values of the answers, or an error that names the command. Reads no image, and does not know how a page looks.

pub mod entries;
pub mod measured;
pub mod memory;
pub mod params;
mod raw;

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::qemu::{Machine, Session};
use entries::Entry;
use memory::Memory;
use params::Param;

/// What became of a boot.
#[derive(Debug, Clone, Default)]
pub struct Boot {
    /// Version and compiler, as the monitor's `version` says them.
    pub version: String,
    /// The stages and then the initcalls in the order in which they run, console initcalls first.
    pub entries: Vec<Entry>,
    /// The parameters by name.
    pub params: Vec<Param>,
    /// Memory.
    pub memory: Memory,
    /// The kernel's log.
    pub log: String,
    /// What the monitor said of stages and of initcalls, for [`measured`].
    pub answers: [String; 2],
}

impl Boot {
    /// Boots `vmlinux` and asks its monitor.
    ///
    /// # Errors
    ///
    /// If the boot does not come to the monitor, or an answer is not what it should be; the error names the command.
    pub fn measure(vmlinux: &Path, machine: &Machine) -> Result<Self> {
        let mut session = Session::boot(vmlinux, machine)?;
        let mut answers = Vec::new();
        for command in ["version", "stages -r", "initcalls -r", "params -r", "mem", "dmesg"] {
            answers.push((command, session.obey(command)?));
        }
        Self::of_answers(&answers)
    }

    /// Takes the answers to commands apart.
    fn of_answers(answers: &[(&str, String)]) -> Result<Self> {
        let answer = |command: &str| {
            let found = answers.iter().find(|(asked, _)| *asked == command);
            found.map_or("", |(_, answer)| answer.as_str())
        };
        let context = |command: &'static str| move || format!("the monitor's answer to `{command}`");
        let mut entries = entries::parse(answer("stages -r")).with_context(context("stages -r"))?;
        ensure!(!entries.is_empty(), "the monitor tells of no stages");
        entries.extend(entries::parse(answer("initcalls -r")).with_context(context("initcalls -r"))?);
        Ok(Self {
            version: answer("version").trim().to_owned(),
            entries,
            params: params::parse(answer("params -r")).with_context(context("params -r"))?,
            memory: memory::parse(answer("dmesg"), answer("mem")).with_context(context("mem"))?,
            log: answer("dmesg").to_owned(),
            answers: ["stages -r", "initcalls -r"].map(|command| answer(command).to_owned()),
        })
    }

    /// The kernel's command line, as its log has it.
    #[must_use]
    pub fn command_line(&self) -> &str {
        let lines = self.log.lines();
        lines
            .filter_map(|line| Some(line.split_once("Kernel command line: ")?.1))
            .next()
            .unwrap_or_default()
    }

    /// Whether the machine counted the instructions.
    #[must_use]
    pub fn counts_instructions(&self) -> bool {
        self.entries.iter().any(|entry| entry.instructions.is_some())
    }
}

#[cfg(test)]
pub mod testing {
    //! Answers of a monitor, made by hand.

    /// The answer that tells of entries with these levels, names and instructions, each called where the one before it came back.
    pub fn answer(entries: &[(&str, &str, u64)]) -> String {
        let mut text = "#level\tname\tpath\tsource\tstate\terror\tstart_ns\ttook_ns\tinstructions\ton_error\treason\n".to_owned();
        let mut start = 0;
        for (level, name, took) in entries {
            text.push_str(&format!(
                "{level}\t{name}\ttest::{name}\tsrc/lib.rs:1\tok\t-\t{start}\t{took}\t{took}\twarn\t-\n"
            ));
            start += took;
        }
        text
    }
}

#[cfg(test)]
mod tests;

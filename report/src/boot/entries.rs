//! What the monitor's `stages -r` and `initcalls -r` tell of each entry.

use anyhow::{Context, Result, bail};

use super::raw::{Answer, Row};

/// A stage or an initcall after the boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The function's identifier.
    pub name: String,
    /// Its full path.
    pub path: String,
    /// Where in the boot it runs: `stage`, `console`, `early`, … `late_s`.
    pub level: String,
    /// Source `file:line`.
    pub place: String,
    /// How far it has come.
    pub state: State,
    /// The name of the error that it came back with.
    pub error: Option<String>,
    /// When it was called, in nanoseconds since the first stage; `None` if it was not.
    pub start: Option<u64>,
    /// How long it took, in nanoseconds; `None` if it has not come back.
    pub took: Option<u64>,
    /// How many instructions it took, if the machine counts them.
    pub instructions: Option<u64>,
    /// What an error means for the boot, as `on_error(…)` spells it; stages have none.
    pub on_error: Option<String>,
    /// Why it was skipped.
    pub reason: Option<String>,
}

/// How far an entry has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The names are the kernel's.
pub enum State {
    Pending,
    Running,
    Ok,
    Failed,
    Skipped,
    Blacklisted,
}

impl State {
    const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Ok,
        Self::Failed,
        Self::Skipped,
        Self::Blacklisted,
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Blacklisted => "blacklisted",
        }
    }
}

/// The entries in an answer of the monitor, in its order.
///
/// # Errors
///
/// If the answer is none; the error names the entry.
pub fn parse(answer: &str) -> Result<Vec<Entry>> {
    let answer = Answer::parse(answer)?;
    answer
        .rows()
        .map(|row| {
            let name = row.text("name")?;
            entry(&row).with_context(|| format!("entry `{name}`"))
        })
        .collect()
}

fn entry(row: &Row) -> Result<Entry> {
    let state = row.text("state")?;
    let Some(state) = State::ALL.into_iter().find(|known| known.name() == state) else {
        bail!("state: `{state}` must be one of {}", State::ALL.map(State::name).join(", "));
    };
    Ok(Entry {
        name: row.text("name")?,
        path: row.text("path")?,
        level: row.text("level")?,
        place: row.text("source")?,
        state,
        error: row.optional("error")?,
        start: row.number("start_ns")?,
        took: row.number("took_ns")?,
        instructions: row.number("instructions")?,
        on_error: row.optional("on_error")?,
        reason: row.optional("reason")?,
    })
}

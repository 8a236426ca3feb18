//! What is wrong with an image. A step notes every problem that it finds and goes on, so that one run names them all.

use std::fmt;

/// One thing that is wrong: with what, and a sentence that says what it is, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The table, section or crate that it is about.
    pub subject: String,
    /// The sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.subject, self.message)
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem.
    pub fn add(&mut self, subject: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem {
            subject: subject.into(),
            message: message.into(),
        });
    }

    /// Notes what another step has found.
    pub fn extend(&mut self, problems: Vec<Problem>) {
        self.0.extend(problems);
    }

    /// Notes a problem unless `holds`.
    pub fn require(&mut self, holds: bool, subject: &str, message: impl FnOnce() -> String) {
        if !holds {
            self.add(subject, message());
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order in which they were found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

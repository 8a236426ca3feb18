//! The comments in a case that announce its errors.

use anyhow::{Result, bail};

use crate::compiler::Message;

/// An error that must come.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    line: usize,
    text: String,
}

/// Reads the comments of `source`.
///
/// # Errors
///
/// If a comment begins like one and is none: it would be overlooked.
pub fn parse(source: &str) -> Result<Vec<Expected>> {
    let mut expected = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let Some((_, comment)) = line.split_once("//~") else { continue };
        let text = comment.trim_start_matches('^');
        let above = comment.len() - text.len();
        match text.strip_prefix(" ERROR ") {
            Some(text) if above <= index => expected.push(Expected {
                line: index + 1 - above,
                text: text.trim().to_owned(),
            }),
            _ => bail!("line {}: a comment must be `//~ ERROR text` or `//~^ ERROR text`", index + 1),
        }
    }
    Ok(expected)
}

/// What is wrong: errors that did not come, and errors that nobody expected.
pub fn compare(expected: &[Expected], errors: &[Message]) -> Vec<String> {
    let mut unexpected: Vec<&Message> = errors.iter().collect();
    let mut wrong = Vec::new();
    for Expected { line, text } in expected {
        match unexpected
            .iter()
            .position(|error| error.lines.contains(line) && error.text.contains(text.as_str()))
        {
            Some(at) => drop(unexpected.remove(at)),
            None => wrong.push(format!("line {line}: missing: {text}")),
        }
    }
    wrong.extend(
        unexpected
            .iter()
            .map(|error| format!("lines {:?}: unexpected: {}", error.lines, error.text)),
    );
    wrong
}

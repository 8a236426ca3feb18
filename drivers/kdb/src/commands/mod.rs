//! The commands that belong to no room in particular, one file per subject.

mod boot;
mod breakpoint;
mod general;
mod loader;
mod log;
mod memory;
mod msr;
mod processor;
mod resource;
mod stack;

use incipit::kdb::CommandError;

/// The one argument that a command may have.
fn optional<'a>(arguments: &[&'a str]) -> Result<Option<&'a str>, CommandError> {
    match arguments {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(CommandError::ArgumentCount),
    }
}

/// Nothing, for a command that takes no arguments.
fn none(arguments: &[&str]) -> Result<(), CommandError> {
    if arguments.is_empty() {
        Ok(())
    } else {
        Err(CommandError::ArgumentCount)
    }
}

/// A number: decimal, or hexadecimal behind `0x`.
pub(crate) fn number(text: &str) -> Result<u64, CommandError> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let plain = digits.starts_with(|first: char| first.is_ascii_hexdigit());
    u64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| plain)
        .ok_or(CommandError::BadNumber)
}

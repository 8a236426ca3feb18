//! The configuration that the image was built with: the monitor's `config`, and what Linux's extract-ikconfig looks for in a file.
//!
//! A crate of its own, so that a symbol that changes compiles this little again and not what does not mention it. May use the monitor's hook and nothing else.
#![no_std]

use core::fmt::Write;

use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use linkme::distributed_slice;

/// A gzip file between the marks `IKCFG_ST` and `IKCFG_ED`.
static DATA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/config_data"));

/// The text, as `.config` has it: the file's one block is not compressed.
#[must_use]
pub fn text() -> &'static str {
    // Kconfig files and what users write into a configuration are checked by nobody for being text.
    core::str::from_utf8(&DATA[include!(concat!(env!("OUT_DIR"), "/range.rs"))]).unwrap_or_default()
}

#[distributed_slice(KDB_COMMANDS)]
static CONFIG: Command = Command {
    name: "config",
    usage: "[text]",
    help: "Display the configuration, or its lines with the text",
    run: config,
};

/// Shows the lines of the configuration that have the argument in them, in whichever case.
fn config(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let wanted = match arguments {
        [] => "",
        [wanted] => wanted,
        _ => return Err(CommandError::ArgumentCount),
    };
    for line in text().lines().filter(|line| contains(line, wanted)) {
        writeln!(screen, "{line}")?;
    }
    Ok(Then::Stay)
}

/// Whether `line` has `wanted` in it, in whichever case.
fn contains(line: &str, wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    wanted.is_empty()
        || line
            .as_bytes()
            .windows(wanted.len())
            .any(|piece| piece.eq_ignore_ascii_case(wanted))
}

#[incipit::prelude::ktest]
fn the_configuration_has_the_symbol_that_puts_it_there() {
    assert!(text().lines().any(|line| line == "CONFIG_IKCONFIG=y"));
    assert!(contains("CONFIG_IKCONFIG=y", "ikconfig") && !contains("CONFIG_IKCONFIG=y", "ikconfig=n") && !contains("a", "aa"));
}

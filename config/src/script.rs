//! What a crate's build script tells cargo of the configuration.
//!
//! Only what the crate's sources mention is told, so that a symbol that changes rebuilds who mentions it and nobody else. That is seen by the text: a name in
//! a comment counts, too, and costs no more than a build that was not needed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::{Config, Value, stamp};

/// What a symbol begins with.
const PREFIX: &str = "CONFIG_";

/// Tells cargo, from a build script, about the symbols that the crate's sources mention: those that are on become `cfg`s, all declared symbols are known to
/// `check-cfg`, and the script runs again when one of them changes. Their numbers and texts become constants in `$OUT_DIR/config.rs`.
///
/// # Panics
///
/// If the configuration or a source file cannot be read: the build cannot go on without it.
pub fn emit() -> Config {
    emit_for([])
}

/// As [`emit`], with `others` besides the symbols that the sources mention.
///
/// # Panics
///
/// As [`emit`].
pub fn emit_for<'a>(others: impl IntoIterator<Item = &'a str>) -> Config {
    tell(others.into_iter().map(str::to_owned).collect()).unwrap_or_else(|error| panic!("{error}"))
}

#[allow(clippy::print_stdout)]
fn tell(mut symbols: BTreeSet<String>) -> io::Result<Config> {
    let config = Config::load()?;
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).unwrap_or_default();
    let sources = variable("CARGO_MANIFEST_DIR").join("src");
    mentioned_below(&sources, &mut symbols)?;
    println!("cargo::rerun-if-changed=build.rs\ncargo::rerun-if-changed={}", sources.display());
    for symbol in &symbols {
        let stamp = stamp(symbol);
        if !stamp.exists() {
            // Nobody declares it yet; the file is dated when somebody does.
            stamp.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&stamp, "")?;
        }
        println!("cargo::rerun-if-changed={}", stamp.display());
    }
    for (symbol, _) in config.iter() {
        println!("cargo::rustc-check-cfg=cfg({symbol})");
    }
    for symbol in symbols.iter().filter(|symbol| config.is_enabled(symbol)) {
        println!("cargo::rustc-cfg={symbol}");
    }
    fs::write(variable("OUT_DIR").join("config.rs"), constants(&config, &symbols))?;
    Ok(config)
}

/// The constants of `symbols` that are numbers or texts.
fn constants(config: &Config, symbols: &BTreeSet<String>) -> String {
    let mut out = String::new();
    for (symbol, value) in symbols.iter().filter_map(|symbol| Some((symbol, config.get(symbol)?))) {
        let constant = match value {
            Value::Int(number) => format!("i64 = {number}"),
            Value::Hex(number) => format!("u64 = {number:#x}"),
            Value::Text(text) => format!("&str = {text:?}"),
            Value::Yes | Value::No | Value::Nothing => continue,
        };
        let _ = writeln!(out, "/// As configured.\npub const {symbol}: {constant};");
    }
    out
}

/// Adds the symbols that Rust and assembly files below `folder` mention.
fn mentioned_below(folder: &Path, symbols: &mut BTreeSet<String>) -> io::Result<()> {
    let about = |path: &Path, error: io::Error| io::Error::other(format!("{}: {error}", path.display()));
    for entry in fs::read_dir(folder).map_err(|error| about(folder, error))? {
        let path = entry?.path();
        if path.is_dir() {
            mentioned_below(&path, symbols)?;
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "S") {
            let text = fs::read_to_string(&path).map_err(|error| about(&path, error))?;
            symbols.extend(mentioned(&text));
        }
    }
    Ok(())
}

/// The symbols that `text` mentions.
fn mentioned(text: &str) -> impl Iterator<Item = String> {
    text.match_indices(PREFIX).filter_map(|(at, _)| {
        let name: String = text[at + PREFIX.len()..]
            .chars()
            .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
            .collect();
        let whole = !text[..at].ends_with(|character: char| character.is_ascii_alphanumeric() || character == '_');
        (whole && !name.is_empty()).then(|| format!("{PREFIX}{name}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(symbols: &[&str]) -> BTreeSet<String> {
        symbols.iter().map(|&symbol| symbol.to_owned()).collect()
    }

    #[test]
    fn mentioned_symbols_are_whole_words() {
        let text = "#[cfg(all(CONFIG_A, not(CONFIG_B_2)))] // CONFIG_C, MY_CONFIG_D and CONFIG_\nconst N: i64 = crate::config::CONFIG_E;";
        let found: BTreeSet<_> = mentioned(text).collect();
        assert_eq!(found, set(&["CONFIG_A", "CONFIG_B_2", "CONFIG_C", "CONFIG_E"]));
    }

    #[test]
    fn numbers_and_texts_become_constants_of_their_type() {
        let symbols = "CONFIG_A bool\nCONFIG_B int\nCONFIG_C hex\nCONFIG_D string\nCONFIG_E int\nCONFIG_F int\n";
        let values = "CONFIG_A=y\nCONFIG_B=-1\nCONFIG_C=0x1F\nCONFIG_D=\"a\\\"b\"\nCONFIG_F=7\n";
        let config = Config::parse(symbols, values).unwrap();
        let wanted = set(&["CONFIG_A", "CONFIG_B", "CONFIG_C", "CONFIG_D", "CONFIG_E", "CONFIG_UNKNOWN"]);
        assert_eq!(
            constants(&config, &wanted),
            "/// As configured.\npub const CONFIG_B: i64 = -1;\n/// As configured.\npub const CONFIG_C: u64 = 0x1f;\n\
             /// As configured.\npub const CONFIG_D: &str = \"a\\\"b\";\n"
        );
    }
}

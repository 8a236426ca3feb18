//! The configuration, as the build takes it: which symbols there are, what each is set to, and what follows from that for a crate.
//!
//! `config/kconfig` evaluates `.config` by the Kconfig files before anything is compiled, and leaves the result in `out/config`. Build scripts call [`emit`];
//! the tools that assemble the image use [`Config`] and [`image`]. Runs on the host only, and never reads `.config` itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[cfg(feature = "tool")]
pub mod image;
#[cfg(feature = "tool")]
mod profile;
pub mod script;
#[cfg(feature = "tool")]
pub mod subsystem;

pub use script::{emit, emit_for};

/// An evaluated configuration.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Config {
    values: BTreeMap<String, Value>,
}

/// What a symbol is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `y`.
    Yes,
    /// `n`.
    No,
    /// A number of the type `int`.
    Int(i64),
    /// A number of the type `hex`.
    Hex(u64),
    /// Text.
    Text(String),
    /// A number or text whose symbol's dependencies are off.
    Nothing,
}

/// The project's root: the folder above this crate's.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_path_buf()
}

/// Where the evaluated configuration is, and a file for each symbol, dated when its value changed.
#[must_use]
pub fn folder() -> PathBuf {
    root().join("out/config")
}

/// The file in [`folder`] that is dated when the value of `symbol` (`CONFIG_X`) changed: its name in lower case, `_` as `/`, as in Linux's `include/config`.
#[must_use]
pub fn stamp(symbol: &str) -> PathBuf {
    let name = symbol.strip_prefix("CONFIG_").unwrap_or(symbol);
    folder().join(format!("{}.h", name.to_ascii_lowercase().replace('_', "/")))
}

impl Config {
    /// Reads the evaluated configuration from [`folder`].
    ///
    /// # Errors
    ///
    /// If it is not there, or was damaged; the error says what to do.
    pub fn load() -> io::Result<Self> {
        let folder = folder();
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| {
                io::Error::other(format!(
                    "{}: {error}: `make sync-config` evaluates the configuration",
                    path.display()
                ))
            })
        };
        Self::parse(&read("symbols")?, &read("auto.conf")?)
            .map_err(|line| io::Error::other(format!("{}: `{line}` is not understood", folder.join("auto.conf").display())))
    }

    /// A configuration of the symbols in `symbols` (`NAME type`), with the values in `values` (`NAME=value`); the error is the line that is neither.
    fn parse(symbols: &str, values: &str) -> Result<Self, String> {
        let mut config = Self::default();
        let mut kinds = BTreeMap::new();
        for line in symbols.lines() {
            let (symbol, kind) = line.split_once(' ').ok_or(line)?;
            kinds.insert(symbol, kind);
            let unset = if kind == "bool" { Value::No } else { Value::Nothing };
            config.values.insert(symbol.to_owned(), unset);
        }
        for line in values.lines() {
            let (symbol, text) = line.split_once('=').ok_or(line)?;
            let kind = kinds.get(symbol).ok_or(line)?;
            config.values.insert(symbol.to_owned(), parse_value(kind, text).ok_or(line)?);
        }
        Ok(config)
    }

    /// The value of `symbol` (`CONFIG_X`), if it is declared.
    #[must_use]
    pub fn get(&self, symbol: &str) -> Option<&Value> {
        self.values.get(symbol)
    }

    /// Whether `symbol` is `y`.
    #[must_use]
    pub fn is_enabled(&self, symbol: &str) -> bool {
        self.get(symbol) == Some(&Value::Yes)
    }

    /// The symbols that are `y`, sorted.
    pub fn enabled(&self) -> impl Iterator<Item = &str> {
        self.iter().filter(|(_, value)| **value == Value::Yes).map(|(symbol, _)| symbol)
    }

    /// All declared symbols with their values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(symbol, value)| (symbol.as_str(), value))
    }
}

fn parse_value(kind: &str, text: &str) -> Option<Value> {
    match kind {
        "bool" => (text == "y").then_some(Value::Yes),
        "int" => text.parse().ok().map(Value::Int),
        "hex" => {
            let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
            u64::from_str_radix(digits, 16).ok().map(Value::Hex)
        }
        _ => unquoted(text).map(Value::Text),
    }
}

/// What stands between the quotes, each `\` taken off that protects the character behind it.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        out.push(if character == '\\' { characters.next()? } else { character });
    }
    Some(out)
}

/// Checks that `symbol` has the form of one.
#[cfg(feature = "tool")]
fn check_symbol(symbol: &str) -> Result<&str, String> {
    let name = symbol.strip_prefix("CONFIG_").unwrap_or_default();
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        Ok(symbol)
    } else {
        Err(format!("`{symbol}`: a symbol is `CONFIG_` and letters, digits and `_`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str = "CONFIG_A bool\nCONFIG_B bool\nCONFIG_C int\nCONFIG_D hex\nCONFIG_E string\nCONFIG_F int\n";

    #[test]
    fn values_are_read_by_their_symbol_s_type() {
        let config = Config::parse(SYMBOLS, "CONFIG_A=y\nCONFIG_C=-17\nCONFIG_D=1f\nCONFIG_E=\"a \\\"b\\\" \\\\\"\n").unwrap();
        assert_eq!(config.enabled().collect::<Vec<_>>(), ["CONFIG_A"]);
        for (symbol, value) in [
            ("CONFIG_B", Some(Value::No)),
            ("CONFIG_C", Some(Value::Int(-17))),
            ("CONFIG_D", Some(Value::Hex(31))),
            ("CONFIG_E", Some(Value::Text("a \"b\" \\".into()))),
            ("CONFIG_F", Some(Value::Nothing)),
            ("CONFIG_G", None),
        ] {
            assert_eq!(config.get(symbol), value.as_ref(), "{symbol}");
        }
    }

    #[test]
    fn a_line_that_is_damaged_is_named() {
        for line in [
            "CONFIG_A",
            "CONFIG_A=n",
            "CONFIG_C=0x1",
            "CONFIG_D=g",
            "CONFIG_E=x",
            "CONFIG_E=\"x",
            "CONFIG_E=\"x\\\"",
            "CONFIG_G=y",
        ] {
            assert_eq!(Config::parse(SYMBOLS, line), Err(line.to_owned()));
        }
    }

    #[test]
    fn a_symbol_s_file_is_its_name_in_lower_case() {
        assert_eq!(stamp("CONFIG_LOG_BUF_SHIFT"), folder().join("log/buf/shift.h"));
    }
}

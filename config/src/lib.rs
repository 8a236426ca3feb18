//! The configuration: reads `.config`, and turns it into what each part of the build needs.
//!
//! A symbol is on (`CONFIG_X=y`), has a value (`CONFIG_X=17`, `CONFIG_X="text"`), or is off. Build scripts call [`emit`]; the tools that assemble the image
//! use [`Config`] and [`image`]. Runs on the host only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[cfg(feature = "tool")]
pub mod image;
pub mod kconfig;
#[cfg(feature = "tool")]
pub mod subsystem;

/// The environment variable that names another file than the project's own `.config`.
pub const CONFIG_FILE: &str = "INCIPIT_CONFIG";

/// A configuration.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Config {
    values: BTreeMap<String, Value>,
}

/// What a symbol is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `y`.
    Yes,
    /// `n`, or `# CONFIG_X is not set`.
    No,
    /// A number, decimal or with `0x`.
    Number(u64),
    /// Text between quotes.
    Text(String),
}

/// Why a line of a configuration is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ParseError {}

/// The project's root: the folder above this crate's.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_path_buf()
}

/// The file that the configuration is read from: `$INCIPIT_CONFIG`, else `.config`, else `config/defconfig`.
#[must_use]
pub fn config_file() -> PathBuf {
    match env::var_os(CONFIG_FILE).filter(|path| !path.is_empty()) {
        Some(path) => path.into(),
        None => Some(root().join(".config"))
            .filter(|path| path.is_file())
            .unwrap_or_else(defconfig_file),
    }
}

/// The default configuration, which names every symbol there is.
#[must_use]
pub fn defconfig_file() -> PathBuf {
    root().join("config/defconfig")
}

impl Config {
    /// Reads the configuration from [`config_file`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a line is malformed; the error names the file and the line.
    pub fn load() -> io::Result<Self> {
        Self::read(&config_file())
    }

    /// Reads the configuration in `path`.
    ///
    /// # Errors
    ///
    /// As for [`Config::load`].
    pub fn read(path: &Path) -> io::Result<Self> {
        let about = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| about(&error))?;
        Self::parse(&text).map_err(|error| about(&error))
    }

    /// Reads the configuration in `text`.
    ///
    /// # Errors
    ///
    /// The first malformed line.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut values = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            if let Some((symbol, value)) = parse_line(line.trim()).map_err(|reason| ParseError { line: index + 1, reason })? {
                values.insert(symbol.to_owned(), value);
            }
        }
        Ok(Self { values })
    }

    /// Adds the values of those symbols that the configuration does not name.
    pub fn complete(&mut self, defaults: impl IntoIterator<Item = (String, Value)>) {
        for (symbol, value) in defaults {
            self.values.entry(symbol).or_insert(value);
        }
    }

    /// The value of `symbol` (`CONFIG_X`), if the configuration names it.
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
        self.values
            .iter()
            .filter(|(_, value)| **value == Value::Yes)
            .map(|(symbol, _)| symbol.as_str())
    }

    /// All symbols with their values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(symbol, value)| (symbol.as_str(), value))
    }
}

/// The symbol and value that a line sets; none for an empty line or a comment.
fn parse_line(line: &str) -> Result<Option<(&str, Value)>, String> {
    if let Some(symbol) = line.strip_prefix("# ").and_then(|rest| rest.strip_suffix(" is not set")) {
        return check_symbol(symbol).map(|symbol| Some((symbol, Value::No)));
    }
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (symbol, value) = line
        .split_once('=')
        .ok_or_else(|| format!("`{line}`: must be `CONFIG_NAME=value` or a comment"))?;
    let symbol = check_symbol(symbol)?;
    Ok(Some((
        symbol,
        parse_value(value).ok_or_else(|| format!("`{value}`: the value of {symbol} must be y, n, a number or \"text\""))?,
    )))
}

fn check_symbol(symbol: &str) -> Result<&str, String> {
    let name = symbol.strip_prefix("CONFIG_").unwrap_or_default();
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        Ok(symbol)
    } else {
        Err(format!("`{symbol}`: a symbol is `CONFIG_` and letters, digits and `_`"))
    }
}

fn parse_value(value: &str) -> Option<Value> {
    match value {
        "y" => Some(Value::Yes),
        "n" => Some(Value::No),
        text if text.len() >= 2 && text.starts_with('"') && text.ends_with('"') => Some(Value::Text(text[1..text.len() - 1].to_owned())),
        number => match number.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        }
        .map(Value::Number),
    }
}

/// Tells cargo, from a build script, the symbols that are on as `cfg`s, with all symbols known to `check-cfg`, and when to run the script again. Symbols that
/// the Kconfig file beside the crate's manifest declares are among them.
///
/// # Panics
///
/// If the configuration cannot be read: the build cannot go on without it.
#[allow(clippy::print_stdout)]
pub fn emit() -> Config {
    let mut config = Config::load().unwrap_or_else(|error| panic!("{error}"));
    let kconfig = env::var_os("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).join(kconfig::FILE));
    if let Some(kconfig) = kconfig.filter(|file| file.is_file()) {
        let text = fs::read_to_string(&kconfig).unwrap_or_else(|error| panic!("{}: {error}", kconfig.display()));
        config.complete(kconfig::declarations(&text));
        println!("cargo::rerun-if-changed={}", kconfig.display());
    }
    let known = Config::read(&defconfig_file()).unwrap_or_else(|error| panic!("{error}"));
    for (symbol, _) in known.iter().chain(config.iter()) {
        println!("cargo::rustc-check-cfg=cfg({symbol})");
    }
    for symbol in config.enabled() {
        println!("cargo::rustc-cfg={symbol}");
    }
    println!("cargo::rerun-if-env-changed={CONFIG_FILE}");
    for file in [config_file(), defconfig_file()] {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_their_form() {
        let config =
            Config::parse("CONFIG_A=y\nCONFIG_B=n\nCONFIG_C=17\nCONFIG_D=0x1f\nCONFIG_E=\"a b\"\n# CONFIG_F is not set\n# a comment\n\n")
                .unwrap();
        assert_eq!(config.enabled().collect::<Vec<_>>(), ["CONFIG_A"]);
        assert_eq!(config.get("CONFIG_C"), Some(&Value::Number(17)));
        assert_eq!(config.get("CONFIG_D"), Some(&Value::Number(31)));
        assert_eq!(config.get("CONFIG_E"), Some(&Value::Text("a b".into())));
        assert_eq!(
            (config.get("CONFIG_B"), config.get("CONFIG_F"), config.get("CONFIG_G")),
            (Some(&Value::No), Some(&Value::No), None)
        );
    }

    #[test]
    fn a_malformed_line_is_named_by_its_number() {
        for (text, line) in [
            ("CONFIG_A=y\nCONFIG_B", 2),
            ("A=y", 1),
            ("CONFIG_A=maybe", 1),
            ("\n\nCONFIG_=y", 3),
            ("CONFIG_A=\"x", 1),
        ] {
            assert_eq!(Config::parse(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn the_last_line_of_a_symbol_counts() {
        assert!(!Config::parse("CONFIG_A=y\n# CONFIG_A is not set\n").unwrap().is_enabled("CONFIG_A"));
    }

    #[test]
    fn a_default_counts_where_no_line_says_otherwise() {
        let mut config = Config::parse("CONFIG_A=n\n").unwrap();
        config.complete([("CONFIG_A".to_owned(), Value::Yes), ("CONFIG_B".to_owned(), Value::Yes)]);
        assert_eq!(config.enabled().collect::<Vec<_>>(), ["CONFIG_B"]);
    }

    #[test]
    fn the_default_configuration_is_well_formed() {
        Config::read(&defconfig_file()).unwrap();
    }
}

//! How the configuration has the image compiled: the settings of cargo's profile.

use toml::{Table, Value as Toml};

use crate::Config;

/// The symbols of the choice of an optimisation level, each with cargo's word for it.
const LEVELS: &[(&str, &str)] = &[("CONFIG_CC_OPTIMIZE_FOR_SIZE", "z"), ("CONFIG_CC_OPTIMIZE_FOR_DEBUGGING", "1")];

/// Sets in `release`, the tree's profile of that name, what `config` says of it.
pub fn configure(release: &mut Table, config: &Config) {
    for (_, level) in LEVELS.iter().filter(|(symbol, _)| config.is_enabled(symbol)) {
        let level = level.parse().map_or_else(|_| Toml::from(*level), |number: i64| Toml::from(number));
        release.insert("opt-level".into(), level);
    }
    if config.is_enabled("CONFIG_LTO") {
        release.insert("lto".into(), Toml::from("fat"));
    }
    if !config.is_enabled("CONFIG_DEBUG_INFO") {
        release.insert("debug".into(), Toml::from(false));
    }
    for (setting, symbol) in [
        ("debug-assertions", "CONFIG_RUST_DEBUG_ASSERTIONS"),
        ("overflow-checks", "CONFIG_RUST_OVERFLOW_CHECKS"),
    ] {
        release.insert(setting.into(), Toml::from(config.is_enabled(symbol)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str = "CONFIG_CC_OPTIMIZE_FOR_SIZE bool\nCONFIG_CC_OPTIMIZE_FOR_DEBUGGING bool\nCONFIG_DEBUG_INFO bool\n\
                           CONFIG_RUST_DEBUG_ASSERTIONS bool\nCONFIG_RUST_OVERFLOW_CHECKS bool\n";

    fn configured(values: &str) -> String {
        let mut release: Table = "opt-level = 3\ndebug = \"line-tables-only\"".parse().unwrap();
        configure(&mut release, &Config::parse(SYMBOLS, values).unwrap());
        release.to_string()
    }

    #[test]
    fn what_is_not_configured_stays_as_the_tree_has_it() {
        assert_eq!(
            configured("CONFIG_DEBUG_INFO=y\n"),
            "debug = \"line-tables-only\"\ndebug-assertions = false\nopt-level = 3\noverflow-checks = false\n"
        );
    }

    #[test]
    fn what_is_configured_counts() {
        assert_eq!(
            configured("CONFIG_CC_OPTIMIZE_FOR_SIZE=y\nCONFIG_RUST_OVERFLOW_CHECKS=y\n"),
            "debug = false\ndebug-assertions = false\nopt-level = \"z\"\noverflow-checks = true\n"
        );
        assert!(configured("CONFIG_CC_OPTIMIZE_FOR_DEBUGGING=y\n").contains("opt-level = 1\n"));
    }
}

//! The little of the Kconfig language that the build of a crate needs: which symbols a file declares, and their plain defaults.
//!
//! Types, prompts, menus, conditions and dependencies are for whoever edits a configuration; a `default` with an `if` counts as none here.

use crate::{Value, parse_value};

/// What the file is called that stands beside a crate's manifest.
pub const FILE: &str = "Kconfig";

/// The symbols (`CONFIG_X`) that the Kconfig file `text` declares, each with its default: a symbol without one is off.
#[must_use]
pub fn declarations(text: &str) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    let mut help = None;
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if content.is_empty() || help.is_some_and(|help| indent > help) {
            continue;
        }
        help = (content.trim_end() == "help").then_some(indent);
        match content.split_once([' ', '\t']) {
            Some(("config" | "menuconfig", name)) => found.push((format!("CONFIG_{}", name.trim()), Value::No)),
            Some(("default", value)) => {
                if let (Some((_, default)), Some(value)) = (found.last_mut(), parse_value(value.trim())) {
                    *default = value;
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_read_with_their_defaults() {
        let text = "menu \"x\"\n\nconfig A\n\tbool \"a\"\n\tdefault y\n\nmenuconfig B\n\tbool\n\n  config C\n    int \"c\"\n    default 17\nendmenu\n";
        assert_eq!(
            declarations(text),
            [
                ("CONFIG_A".to_owned(), Value::Yes),
                ("CONFIG_B".to_owned(), Value::No),
                ("CONFIG_C".to_owned(), Value::Number(17)),
            ]
        );
    }

    #[test]
    fn a_help_text_declares_nothing() {
        let text = "config A\n\tbool \"a\"\n\thelp\n\t  Not this:\n\n\t  config B\n\t  default y\n\nconfig C\n\tdefault y\n";
        assert_eq!(
            declarations(text),
            [("CONFIG_A".to_owned(), Value::No), ("CONFIG_C".to_owned(), Value::Yes)]
        );
    }

    #[test]
    fn a_default_with_a_condition_or_without_a_symbol_counts_as_none() {
        assert_eq!(
            declarations("default y\nconfig A\n\tdefault y if B\n"),
            [("CONFIG_A".to_owned(), Value::No)]
        );
        assert!(declarations("comment \"config\"\nconfig\n").is_empty());
    }
}

//! Reads cargo's account of a build: which libraries were compiled for the image, and from which packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// A library of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Name of the package, as in its `Cargo.toml`.
    pub package: String,
    /// The archive.
    pub rlib: PathBuf,
}

/// The libraries that the messages in the file `path` name for the target `triple`. What was compiled for the host is left out.
///
/// # Errors
///
/// If the file cannot be read or a line of it is no message of cargo.
pub fn read(path: &Path, triple: &str) -> Result<Vec<Artifact>> {
    let messages = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    parse(&messages, triple).with_context(|| format!("reading {}", path.display()))
}

/// The libraries for the target `triple` in `messages`, one JSON object a line.
///
/// # Errors
///
/// If a line is no message of cargo.
pub fn parse(messages: &str, triple: &str) -> Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    for (number, line) in messages.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let message: Value = serde_json::from_str(line).with_context(|| format!("line {}: not a message of cargo", number + 1))?;
        if message["reason"] != "compiler-artifact" {
            continue;
        }
        let id = message["package_id"]
            .as_str()
            .with_context(|| format!("line {}: no package_id", number + 1))?;
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let for_target = |file: &&str| file.ends_with(".rlib") && Path::new(file).components().any(|part| part.as_os_str() == triple);
        artifacts.extend(files.filter(for_target).map(|file| Artifact {
            package: package_name(id).to_owned(),
            rlib: file.into(),
        }));
    }
    Ok(artifacts)
}

/// The package's name in a package id: `…#name@version`, `…/name#version`, or `name version (…)` as cargo wrote it before 1.77.
fn package_name(id: &str) -> &str {
    match id.split_once('#') {
        Some((_, fragment)) if fragment.contains('@') => fragment.split('@').next().unwrap_or(fragment),
        Some((source, _)) => source.rsplit('/').next().unwrap_or(source),
        None => id.split(' ').next().unwrap_or(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "x86_64-unknown-none";

    fn message(id: &str, files: &[&str]) -> String {
        serde_json::json!({ "reason": "compiler-artifact", "package_id": id, "filenames": files }).to_string()
    }

    #[test]
    fn libraries_for_the_target_are_found_and_those_for_the_host_are_not() {
        let messages = [
            message(
                "path+file:///k/kernel#incipit@0.1.0",
                &["/t/x86_64-unknown-none/release/libincipit.rlib", "/t/x86_64-unknown-none/a.rmeta"],
            ),
            message("path+file:///k/macros#incipit-macros@0.1.0", &["/t/release/libincipit_macros.so"]),
            message(
                "registry+https://github.com/rust-lang/crates.io-index#syn@2.0.1",
                &["/t/release/deps/libsyn.rlib"],
            ),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let expected = Artifact {
            package: "incipit".into(),
            rlib: "/t/x86_64-unknown-none/release/libincipit.rlib".into(),
        };
        assert_eq!(parse(&messages.join("\n"), TRIPLE).unwrap(), [expected]);
    }

    #[test]
    fn a_package_is_named_by_every_form_of_its_id() {
        for id in [
            "path+file:///x/hello-1#hello@0.1.0",
            "path+file:///x/hello#0.1.0",
            "hello 0.1.0 (path+file:///x/y)",
        ] {
            assert_eq!(package_name(id), "hello", "{id}");
        }
    }

    #[test]
    fn a_line_that_is_no_message_is_refused_with_its_number() {
        let error = format!("{:#}", parse("{\"reason\":\"x\"}\n\n{cut off", TRIPLE).unwrap_err());
        assert!(error.starts_with("line 3: not a message of cargo"), "{error}");
        assert!(parse(r#"{"reason":"compiler-artifact"}"#, TRIPLE).is_err());
    }
}

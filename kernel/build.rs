//! Writes the typed accessors of the tables, and passes the configuration on.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it runs on the host")]

use std::path::Path;
use std::{env, fs};

use incipit_linker::{accessors, script, tables};

fn main() {
    let config = incipit_config::emit_for(tables::ALL.iter().filter_map(|table| table.config));
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let options = script::Options {
        config: config.enabled().map(str::to_owned).collect(),
        slices: Vec::new(),
    };
    fs::write(Path::new(&out).join("tables.rs"), accessors::generate(&options)).expect("OUT_DIR is writable");

    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = std::process::Command::new(rustc).arg("--version").output();
    let version = version
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    println!("cargo::rustc-env=INCIPIT_RUSTC={version}");
}

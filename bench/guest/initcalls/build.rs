//! Writes as many empty initcalls as the package's name says.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let name = env::var("CARGO_PKG_NAME").expect("cargo sets CARGO_PKG_NAME");
    let count: u32 = name
        .rsplit('-')
        .next()
        .and_then(|count| count.parse().ok())
        .expect("the package's name ends in a number");
    let mut code = String::new();
    for number in 0..count {
        writeln!(
            code,
            "#[init] #[initcall(device)] fn empty_{number}() -> Result<(), Errno> {{ Ok(()) }}"
        )
        .expect("a string takes all");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("initcalls.rs"), code).expect("OUT_DIR is writable");
    println!("cargo::rerun-if-changed={}", file!());
}

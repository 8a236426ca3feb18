//! What the build scripts of the generated guests share: how many of its things a package has, and where the code that declares them goes.

use std::path::PathBuf;
use std::{env, fs};

/// The number that the package's name ends in.
///
/// # Panics
///
/// If it does not end in one.
pub fn of_package() -> u32 {
    let name = env::var("CARGO_PKG_NAME").expect("cargo sets CARGO_PKG_NAME");
    name.rsplit('-')
        .next()
        .and_then(|count| count.parse().ok())
        .expect("the package's name ends in a number")
}

/// Writes the generated `code` to `file` in the folder that cargo has for it; it depends on nothing but the package.
///
/// # Panics
///
/// If that cannot be done.
pub fn write(file: &str, code: &str) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join(file), code).expect("OUT_DIR is writable");
    println!("cargo::rerun-if-changed=../build.rs\ncargo::rerun-if-changed=../../count.rs");
}

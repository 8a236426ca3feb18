//! Writes the configuration as the image holds it: a gzip file between Linux's marks.
//!
//! The file's blocks are stored, not compressed: the kernel reads the text where it lies and needs no decompressor, which would be larger than what it saves.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it runs on the host"
)]

use std::path::Path;
use std::{env, fs};

/// The most that a stored block of deflate holds.
const BLOCK: usize = 0xffff;

/// The head of a gzip file: deflate, no name, no time, made on Unix.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

fn main() {
    let source = incipit_config::folder().join("full.config");
    println!("cargo::rerun-if-changed=build.rs\ncargo::rerun-if-changed={}", source.display());
    let text = fs::read(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
    let size = u16::try_from(text.len()).unwrap_or_else(|_| panic!("{}: is longer than {BLOCK} bytes", source.display()));

    let mut data = b"IKCFG_ST".to_vec();
    data.extend(HEAD);
    // The last block, and stored; its size, and the complement.
    data.push(1);
    data.extend(size.to_le_bytes());
    data.extend((!size).to_le_bytes());
    let start = data.len();
    data.extend(&text);
    let end = data.len();
    data.extend(crc32fast::hash(&text).to_le_bytes());
    data.extend(u32::from(size).to_le_bytes());
    data.extend(b"IKCFG_ED");

    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("config_data"), &data).expect("OUT_DIR is writable");
    let range = format!("{start}..{end}");
    fs::write(Path::new(&out).join("range.rs"), range).expect("OUT_DIR is writable");
}

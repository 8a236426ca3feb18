//! Images made by hand for the tests: an ELF file from sections and symbols ([`Elf`]), and a small kernel with every table ([`Kernel`]).

mod elf;
mod kernel;

pub use elf::{Elf, archive};
pub use kernel::Kernel;

/// The bytes of a record of an entry that is declared in `src/lib.rs`, line 1, path `test::<name>`.
pub fn record_bytes(table: &str, entry: &str, name: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("\x1etable={table}\x1fentry={entry}\x1fname={name}\x1fpath=test::{name}\x1ffile=src/lib.rs\x1fline=1");
    for (key, value) in more {
        text.push_str(&format!("\x1f{key}={value}"));
    }
    text.push('\0');
    text.into_bytes()
}

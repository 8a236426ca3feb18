//! Writes as many initcalls as the package's name says, with three relations to one on the average: every tenth one provides a capability and has none; the
//! others come after two functions, require a capability, and one in three wants another.
//!
//! Relations lead to earlier numbers only, near and far, so the graph is deep and without a cycle.

#[path = "../count.rs"]
mod count;

use std::fmt::{self, Write};

/// Initcalls in a module.
const MODULE: u32 = 100;

fn main() {
    let count = count::of_package();
    let mut code = String::new();
    write_graph(&mut code, count).expect("a string takes all");
    count::write("graph.rs", &code);
}

fn write_graph(code: &mut String, count: u32) -> fmt::Result {
    for module in 0..count.div_ceil(MODULE) {
        writeln!(code, "mod m{module} {{ use incipit::prelude::*;")?;
        for number in (module * MODULE)..((module + 1) * MODULE).min(count) {
            write_initcall(code, number)?;
        }
        writeln!(code, "}}")?;
    }
    Ok(())
}

fn write_initcall(code: &mut String, number: u32) -> fmt::Result {
    let path = |kind: &str, other: u32| format!("crate::m{}::{kind}{other}", other / MODULE);
    let mut relations = String::new();
    if number % 10 == 0 {
        writeln!(code, "#[capability] pub struct C{number};")?;
        write!(relations, ", provides(C{number})")?;
    } else {
        let provider = |of: u32| path("C", of % (number / 10 + 1) * 10);
        let (near, far) = (number - 1 - (number - 1) % 7, scattered(number) % number);
        write!(relations, ", after({}, {})", path("f", near), path("f", far))?;
        write!(relations, ", requires({})", provider(scattered(number + 1)))?;
        if number % 3 == 0 {
            write!(relations, ", wants({})", provider(scattered(number + 2)))?;
        }
    }
    writeln!(
        code,
        "#[init] #[initcall(device{relations})] pub fn f{number}() -> Result<(), Errno> {{ Ok(()) }}"
    )
}

/// A number that looks like any other, the same for every build.
fn scattered(number: u32) -> u32 {
    number.wrapping_mul(0x9e37_79b1) >> 7
}

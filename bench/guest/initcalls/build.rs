//! Writes as many empty initcalls as the package's name says.

#[path = "../count.rs"]
mod count;

use std::fmt::Write;

fn main() {
    let count = count::of_package();
    let mut code = String::new();
    for number in 0..count {
        writeln!(
            code,
            "#[init] #[initcall(device)] fn empty_{number}() -> Result<(), Errno> {{ Ok(()) }}"
        )
        .expect("a string takes all");
    }
    count::write("initcalls.rs", &code);
}

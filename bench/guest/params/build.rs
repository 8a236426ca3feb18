//! Writes as many parameters as the package's name says, and the names to look up.

#[path = "../count.rs"]
mod count;

use std::fmt::Write;

/// The parameters belong to as many modules, whose names differ late.
const MODULES: u32 = 100;

fn main() {
    let count = count::of_package();
    let mut code = String::new();
    // The odd numbers are there; each even one is missing between two of its neighbours.
    let module = |number| format!("bench{:02}", number % MODULES);
    for number in 0..count {
        let (module, odd) = (module(number), 2 * number + 1);
        writeln!(
            code,
            "#[param(name = \"value_{odd:05}\", module = \"{module}\")] static PARAM_{number}: AtomicU32 = AtomicU32::new(0);"
        )
        .expect("a string takes all");
    }
    for (list, odd) in [("HITS", 1), ("MISSES", 0)] {
        let names: String = (0..count)
            .map(|number| format!("\"{}.value_{:05}\", ", module(number), 2 * number + odd))
            .collect();
        writeln!(code, "static {list}: [&str; {count}] = [{names}];").expect("a string takes all");
    }
    count::write("params.rs", &code);
}

//! The pictures, by what a reader sees and does: in Chromium, with pointer, keyboard and finger, on a desk and on a phone, in light and in dark.
//!
//! The report is made here of the built image, and of the one with initcalls that fail; both stay below `out/tests` to be looked at.

mod card;
mod graph;
mod look;
mod made;
mod page;

use std::process::ExitCode;

use incipit_tests::browser::CHROMIUM;
use incipit_tests::machine::QEMU;
use incipit_tests::trial;

fn main() -> ExitCode {
    let rooms = [card::trials(), graph::trials(), look::trials(), page::trials()];
    trial::run(rooms.into_iter().flatten().collect(), &[CHROMIUM, QEMU, "make"])
}

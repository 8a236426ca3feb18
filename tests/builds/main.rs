//! Images built in other ways: the order of the tables is the same in all of them, crates from outside the tree work, and mistakes between crates are
//! build errors that name both places.
//!
//! Each image is made by the command that a user would type, in a folder of its own below `out`.

mod checked;
mod configuration;
mod dependencies;
mod documentation;
mod extensions;
mod hidden_order;
mod mismatch;
mod mistakes;
mod parallel;
mod policies;
mod subsystem;
mod variants;

use std::process::ExitCode;

use incipit_tests::machine::QEMU;
use incipit_tests::trial;

fn main() -> ExitCode {
    let rooms = [
        checked::trials(),
        configuration::trials(),
        dependencies::trials(),
        documentation::trials(),
        extensions::trials(),
        hidden_order::trials(),
        mismatch::trials(),
        mistakes::trials(),
        parallel::trials(),
        policies::trials(),
        subsystem::trials(),
        variants::trials(),
    ];
    trial::run(rooms.into_iter().flatten().collect(), &["make", QEMU])
}

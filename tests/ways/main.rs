//! Every loader, firmware and emulator: one image, one boot.
//!
//! A way is booted to the kernel's monitor, which then tells what the kernel was handed; and on to the end, which must end the emulator. What is the same
//! whatever the way: stages, initcalls, command line, initial RAM disk, and that nothing is lost or warned about.

mod bare;
mod boots;
mod files;
mod mistakes;
mod readers;

use std::process::ExitCode;

use incipit_tests::trial;

fn main() -> ExitCode {
    trial::run(
        [boots::trials(), files::trials(), mistakes::trials(), readers::trials()]
            .into_iter()
            .flatten()
            .collect(),
        &[],
    )
}

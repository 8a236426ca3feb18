//! Boots in QEMU: on every kind of machine, with good and with bad input, and into every exception.
//!
//! What a line must say comes from Linux 6.1 and from the project's own documentation. A guest that has nothing more to say ends QEMU itself, because its
//! command line says `panic=-1`.

mod command_line;
mod crashes;
mod damaged_images;
mod ending;
mod initrd;
mod machines;
mod memory_map;
mod monitor;
mod parameters;
mod processors;
mod takeover;

use std::process::ExitCode;

use incipit_tests::trial;

fn main() -> ExitCode {
    let rooms = [
        machines::trials(),
        ending::trials(),
        command_line::trials(),
        parameters::trials(),
        memory_map::trials(),
        initrd::trials(),
        damaged_images::trials(),
        processors::trials(),
        monitor::trials(),
        crashes::trials(),
    ];
    trial::run_in_qemu(rooms.into_iter().flatten().collect())
}

//! Boots in QEMU: on every kind of machine, with good and with bad input.
//!
//! What a line must say comes from Linux 6.1 and from the project's own documentation. A guest that has nothing more to say ends QEMU itself, because its
//! command line says `panic=-1`.

mod bootgraph;
mod caching;
mod command_line;
mod consoles;
mod damaged_images;
mod devices;
mod disks;
mod ending;
mod failures;
mod firmware;
mod hostile_clocks;
mod hostile_cpus;
mod init_memory;
mod initrd;
mod interrupts;
mod layout;
mod machines;
mod memory;
mod memory_map;
mod monitor;
mod nodes;
mod pages;
mod parallel;
mod parameters;
mod percpu;
mod processors;
mod resources;
mod screens;
mod slab;
mod smp;
mod takeover;
mod time;
mod traps;
mod video_mode;
mod vmalloc;

use std::process::ExitCode;

use incipit_tests::trial;

fn main() -> ExitCode {
    let rooms = [
        machines::trials(),
        bootgraph::trials(),
        caching::trials(),
        devices::trials(),
        ending::trials(),
        failures::trials(),
        init_memory::trials(),
        command_line::trials(),
        consoles::trials(),
        screens::trials(),
        video_mode::trials(),
        parameters::trials(),
        percpu::trials(),
        memory::trials(),
        memory_map::trials(),
        layout::trials(),
        nodes::trials(),
        slab::trials(),
        smp::trials(),
        hostile_cpus::trials(),
        hostile_clocks::trials(),
        firmware::trials(),
        initrd::trials(),
        interrupts::trials(),
        damaged_images::trials(),
        disks::trials(),
        processors::trials(),
        resources::trials(),
        time::trials(),
        traps::trials(),
        vmalloc::trials(),
        monitor::trials(),
        pages::trials(),
        parallel::trials(),
    ];
    trial::run_in_qemu(rooms.into_iter().flatten().collect())
}

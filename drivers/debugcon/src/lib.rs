//! Port 0xe9, where emulators take text: QEMU's `-debugcon` and `isa-debugcon`, Bochs' `port_e9_hack`. The console `ttyE9` and the early console `debugcon`.
//!
//! There is nothing to set up and nothing to wait for. Linux has no driver for it; the name follows `ttyS0`, the port standing for the number.
#![no_std]

mod tests;

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit::console::{Console, ConsoleName, EarlyconDevice, IoAddress, Screens, is_asked_for, register_console};
use incipit::prelude::*;
use x86::io::{inb, outb};

/// The port, and what it reads as where somebody listens. Elsewhere it reads as all ones.
const PORT: u16 = 0xe9;

/// The debug port as a console.
struct DebugPort {
    /// Somebody listens.
    is_present: AtomicBool,
}

static DEBUG_PORT: DebugPort = DebugPort {
    is_present: AtomicBool::new(false),
};

impl DebugPort {
    fn probe(&self) -> bool {
        // SAFETY: no device of a PC is at this port; reading it changes nothing.
        let found = is_answer(unsafe { inb(PORT) });
        self.is_present.store(found, Relaxed);
        found
    }
}

/// Whether what the port reads as means that somebody listens.
fn is_answer(byte: u8) -> bool {
    u16::from(byte) == PORT
}

impl Console for DebugPort {
    fn name(&self) -> ConsoleName {
        ConsoleName { base: "ttyE", index: 9 }
    }

    fn address(&self) -> Option<IoAddress> {
        Some(IoAddress::Port(PORT))
    }

    fn write(&self, text: &[u8]) {
        if self.is_present.load(Relaxed) {
            // SAFETY: the port answered as one that only takes text does.
            text.iter().for_each(|&byte| unsafe { outb(PORT, byte) });
        }
    }
}

/// `earlycon=debugcon`: the debug port.
#[init]
#[earlycon("debugcon")]
fn early_debugcon_setup(device: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
    if device.address.is_some_and(|address| address != IoAddress::Port(PORT)) {
        return Err(Errno::EINVAL);
    }
    if DEBUG_PORT.probe() { Ok(&DEBUG_PORT) } else { Err(Errno::ENODEV) }
}

/// Registers the debug port as `ttyE9`, if it is there and the command line asks for it: without a word of it the log is for people.
///
/// # Errors
///
/// None.
#[init]
#[initcall(console, wants(Screens))]
pub fn debugcon_init() -> Result<(), Errno> {
    if is_asked_for(&DEBUG_PORT) {
        if DEBUG_PORT.probe() {
            register_console(&DEBUG_PORT);
        } else {
            pr_warn!("debugcon: nobody listens at port {PORT:#x} (QEMU -debugcon, Bochs port_e9_hack)");
        }
    }
    Ok(())
}

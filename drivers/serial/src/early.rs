//! The early console: a serial port before there are drivers.

use incipit::console::{Console, ConsoleName, EarlyconDevice, IoAddress};
use incipit::prelude::*;
use incipit::printk::BustableLock;
use spin::Once;
use uart_16550::backend::PioBackend;

use crate::line::Line;
use crate::settings::LineSettings;

/// Where a PC's first serial port is, and what an early console without an address means.
const FIRST_PORT: IoAddress = IoAddress::Port(0x3f8);

/// The early console's line. There is one: a second request finds it taken.
struct EarlyPort {
    in_use: Once<InUse>,
}

struct InUse {
    address: IoAddress,
    line: BustableLock<Line<PioBackend>>,
}

static EARLY: EarlyPort = EarlyPort { in_use: Once::new() };

impl Console for EarlyPort {
    fn name(&self) -> ConsoleName {
        ConsoleName { base: "uart", index: 8250 }
    }

    fn address(&self) -> Option<IoAddress> {
        self.in_use.get().map(|in_use| in_use.address)
    }

    fn write(&self, text: &[u8]) {
        if let Some(mut line) = self.in_use.get().and_then(|in_use| in_use.line.lock()) {
            line.write(text);
        }
    }

    fn poll_byte(&self) -> Option<u8> {
        self.in_use.get()?.line.lock()?.poll_byte()
    }
}

/// `earlycon=uart8250,…` and `earlyprintk=`.
#[init]
#[earlycon("uart8250")]
fn early_serial8250_setup(device: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
    if EARLY.in_use.is_completed() {
        return Err(Errno::EBUSY);
    }
    // Registers in memory would have to stay mapped when the early page tables go, which only RAM does.
    let address = device.address.unwrap_or(FIRST_PORT);
    let IoAddress::Port(base) = address else {
        return Err(Errno::EOPNOTSUPP);
    };
    // SAFETY: the user says that a serial port is there; nothing else of the kernel writes to it before its driver, to which this console hands over.
    let mut line = unsafe { Line::at_port(base) }.ok_or(Errno::EINVAL)?;
    if !line.is_present() {
        return Err(Errno::ENODEV);
    }
    let settings = device
        .options
        .filter(|options| !options.is_empty())
        .map_or_else(|| line.current_settings(), parse);
    line.init(&settings)?;
    EARLY.in_use.call_once(|| InUse {
        address,
        line: BustableLock::new(line),
    });
    Ok(&EARLY)
}

#[init]
fn parse(options: &str) -> LineSettings {
    let (settings, result) = LineSettings::parse(options);
    if let Err(error) = result {
        pr_warn!("earlycon: options '{options}': {error}; using {settings}");
    }
    settings
}

/// `earlycon=uart,…`: Linux has both names.
#[init]
#[earlycon("uart")]
fn early_uart_setup(device: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
    early_serial8250_setup(device)
}

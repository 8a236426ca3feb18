//! The serial ports that a PC has at fixed places, as consoles.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit::console::{Console, ConsoleName, IoAddress, register_console};
use incipit::prelude::*;
use incipit::printk::BustableLock;
use incipit::resource::{Kind, request_region};
use uart_16550::backend::PioBackend;

use crate::line::Line;
use crate::settings::{BASE_BAUD, LineSettings};

/// A serial port of a PC.
struct Port {
    index: u32,
    base: u16,
    irq: u8,
    line: BustableLock<Line<PioBackend>>,
    is_present: AtomicBool,
}

impl Port {
    const fn new(index: u32, base: u16, irq: u8) -> Self {
        // SAFETY: these ports are the serial ports' on every PC, or unused, and this driver's alone; an early console there hands over before its first use.
        let line = unsafe { Line::at_port(base) }.expect("a PC's ports are not the last ones");
        Self {
            index,
            base,
            irq,
            line: BustableLock::new(line),
            is_present: AtomicBool::new(false),
        }
    }

    /// Looks for the port, and if it is there prepares it with the settings that it has.
    fn probe(&self) -> bool {
        let found = self.line.lock().is_some_and(|mut line| {
            line.is_present() && {
                let settings = line.current_settings();
                line.init(&settings).is_ok()
            }
        });
        self.is_present.store(found, Relaxed);
        found
    }

    /// Takes the I/O ports, for good. That somebody else has them is in the log then; what is on the line already goes on.
    #[init]
    fn claim(&self) {
        let first = u64::from(self.base);
        if let Ok(region) = request_region(Kind::Io, first..=first + UART_PORTS - 1, "serial") {
            region.keep();
        }
    }
}

/// I/O ports of a UART.
const UART_PORTS: u64 = 8;

static PORTS: [Port; 4] = [
    Port::new(0, 0x3f8, 4),
    Port::new(1, 0x2f8, 3),
    Port::new(2, 0x3e8, 4),
    Port::new(3, 0x2e8, 3),
];

impl Console for Port {
    fn name(&self) -> ConsoleName {
        ConsoleName {
            base: "ttyS",
            index: self.index,
        }
    }

    fn address(&self) -> Option<IoAddress> {
        Some(IoAddress::Port(self.base))
    }

    fn setup(&self, options: Option<&'static str>) -> Result<(), Errno> {
        let text = options.unwrap_or("");
        let (settings, result) = LineSettings::parse(text);
        if let Err(error) = result {
            pr_warn!("serial8250: console={},{text}: {error}; using {settings}", self.name());
        }
        self.line.lock().ok_or(Errno::EBUSY)?.init(&settings)
    }

    fn write(&self, text: &[u8]) {
        if let Some(mut line) = self.line.lock() {
            line.write(text);
        }
    }

    fn poll_byte(&self) -> Option<u8> {
        self.line.lock()?.poll_byte()
    }
}

/// Registers the ports that are there as consoles.
#[init]
#[initcall(console, wants(incipit::console::Screens))]
fn univ8250_console_init() -> Result<(), Errno> {
    for port in PORTS.iter().filter(|port| port.probe()) {
        register_console(port);
    }
    Ok(())
}

/// Says which ports there are.
///
/// # Errors
///
/// None.
#[init]
#[initcall(device)]
pub fn serial8250_init() -> Result<(), Errno> {
    pr_info!("Serial: 8250/16550 driver, {} ports, IRQ sharing disabled", PORTS.len());
    for port in PORTS.iter().filter(|port| port.is_present.load(Relaxed)) {
        port.claim();
        let kind = if port.line.lock().is_some_and(|line| line.has_fifo()) {
            "16550A"
        } else {
            "16450"
        };
        pr_info!(
            "serial8250: ttyS{} at I/O {:#x} (irq = {}, base_baud = {BASE_BAUD}) is a {kind}",
            port.index,
            port.base,
            port.irq
        );
    }
    Ok(())
}

//! A serial line: sends and receives through the registers of one 16550, and never waits for it without bound.

use incipit::prelude::*;
use uart_16550::backend::{Backend, PioBackend};
use uart_16550::spec::registers::{LCR, LSR, MCR, offsets};
use uart_16550::{InitError, Uart16550};

use crate::settings::{BASE_BAUD, LineSettings};

/// How often the status of a line that takes no bytes is read before they are given up. A read takes a microsecond on hardware: about a second.
const PATIENCE: u32 = 1 << 20;

/// What the modem status shows of the lines that the loopback test sets, CTS and DCD, and the bits it looks at.
const LOOPED_BACK: u8 = 0x90;
const MODEM_LINES: u8 = 0xf0;

/// A serial line.
pub struct Line<B: Backend> {
    uart: Uart16550<B>,
    /// It took no bytes when it was last asked to: until it does, bytes are dropped at once, so that a line nobody reads does not stall the kernel.
    stuck: bool,
}

impl Line<PioBackend> {
    /// The line whose registers are in the I/O ports from `base` on; `None` if some of them would be beyond the last port.
    ///
    /// # Safety
    ///
    /// The registers are a 16550's, or nobody's, and nobody else writes to them.
    pub const unsafe fn at_port(base: u16) -> Option<Self> {
        // SAFETY: the caller vouches for it.
        match unsafe { Uart16550::new_port(base) } {
            Ok(uart) => Some(Self::new(uart)),
            Err(_) => None,
        }
    }
}

impl<B: Backend> Line<B> {
    /// The line behind `uart`.
    pub const fn new(uart: Uart16550<B>) -> Self {
        Self { uart, stuck: false }
    }

    /// Whether there is a UART: its scratch register keeps what is written, and with loopback on, modem lines that are set come back.
    pub fn is_present(&mut self) -> bool {
        if !self.uart.check_present() {
            return false;
        }
        // An early console's last bytes may still be on their way; in the loop they would be lost.
        self.wait_until_drained();
        let before = self.uart.mcr();
        // SAFETY: the registers are a 16550's, as the scratch register shows; with the loop closed nothing of this leaves it.
        let seen = unsafe {
            self.uart
                .backend_mut()
                .write(offsets::MCR as u8, (MCR::LOOP_BACK | MCR::OUT_2_INT_ENABLE | MCR::RTS).bits());
            self.uart.backend_mut().read(offsets::MSR as u8) & MODEM_LINES
        };
        // SAFETY: as above; this is what the register held.
        unsafe { self.uart.backend_mut().write(offsets::MCR as u8, before.bits()) };
        seen == LOOPED_BACK
    }

    /// Sets the line up; what is on its way out is sent first.
    ///
    /// # Errors
    ///
    /// `ENODEV` without a UART, `ETIMEDOUT` if it does not get rid of its bytes, `EINVAL` for a speed that it cannot do.
    pub fn init(&mut self, settings: &LineSettings) -> Result<(), Errno> {
        // Waiting is bounded here, because the driver's own waiting for the same is not.
        if !self.wait_until_drained() {
            return Err(Errno::ETIMEDOUT);
        }
        self.uart.init(settings.config()).map_err(|error| match error {
            InitError::DeviceNotPresent => Errno::ENODEV,
            _ => Errno::EINVAL,
        })
    }

    /// The settings that the registers hold: what the firmware left.
    pub fn current_settings(&mut self) -> LineSettings {
        let (low, high) = self.uart.dll_dlm();
        let control: LCR = self.uart.lcr();
        let divisor = u32::from(u16::from_le_bytes([low, high])).max(1);
        let baud = Some(BASE_BAUD / divisor).filter(|baud| *baud != 0 && BASE_BAUD.is_multiple_of(*baud));
        LineSettings {
            baud: baud.unwrap_or(LineSettings::DEFAULT.baud),
            parity: control.parity(),
            bits: control.word_length(),
            flow_control: false,
        }
    }

    /// Whether the UART has a FIFO that works: a 16550A, not one of its elders.
    pub fn has_fifo(&self) -> bool {
        self.uart.fifo_enabled()
    }

    /// Sends `text`, with a carriage return before each line feed, and comes back when it is on the wire: what is still in the UART is lost if the machine is
    /// reset. What the line does not take is lost, too.
    pub fn write(&mut self, text: &[u8]) {
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(line) => {
                    self.send(line);
                    self.send(b"\r\n");
                }
                None => self.send(line),
            }
        }
        if !self.stuck {
            self.stuck = !self.wait_until_drained();
        }
    }

    fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let sent = self.uart.send_bytes(bytes);
            bytes = &bytes[sent..];
            if sent == 0 && !self.wait_until_ready() {
                return;
            }
        }
    }

    fn wait_until_drained(&mut self) -> bool {
        (0..PATIENCE).any(|_| self.uart.lsr().contains(LSR::TRANSMITTER_EMPTY))
    }

    fn wait_until_ready(&mut self) -> bool {
        let tries = if self.stuck { 1 } else { PATIENCE };
        let ready = (0..tries).any(|_| {
            core::hint::spin_loop();
            self.uart.ready_to_send().is_ok()
        });
        self.stuck = !ready;
        ready
    }

    /// A byte that has come in, if there is one.
    pub fn poll_byte(&mut self) -> Option<u8> {
        self.uart.try_receive_byte().ok()
    }
}

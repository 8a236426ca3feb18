//! A serial port as a device that tests ask for interrupts: it has nothing to send, and says so whenever it is asked anew to tell, so that what it has sent can be counted.

use x86::io::{inb, outb};

/// A port of every PC, and its line. Its user neither receives nor uses interrupts, and finds it as it was.
pub(crate) struct TestPort {
    base: u16,
    irq: u32,
}

/// The first one, which may be the console's.
pub(super) const COM1: TestPort = TestPort { base: 0x3f8, irq: 4 };
/// The second one, which nobody uses.
pub(crate) const COM2: TestPort = TestPort { base: 0x2f8, irq: 3 };

/// A register of the port.
#[derive(Clone, Copy)]
#[repr(u16)]
enum Register {
    InterruptEnable = 1,
    InterruptIdentity = 2,
    ModemControl = 4,
    LineStatus = 5,
    Scratch = 7,
}

/// In the interrupt enable register: when there is room to send.
const ROOM: u8 = 1 << 1;
/// In the interrupt identity register: there is no cause.
const NONE: u8 = 1 << 0;
/// In the modem control register: lets the line through on a PC.
const OUT2: u8 = 1 << 3;
/// In the line status register: all has been sent.
const EMPTY: u8 = 1 << 6;

/// How a port was before a test.
pub(crate) struct Before {
    enabled: u8,
    control: u8,
}

impl TestPort {
    /// The port's line.
    pub(crate) const fn irq(&self) -> u32 {
        self.irq
    }

    fn read(&self, register: Register) -> u8 {
        // SAFETY: either there is a serial port, whose causes reading takes and nobody waits for, or nothing.
        unsafe { inb(self.base + register as u16) }
    }

    fn write(&self, register: Register, value: u8) {
        // SAFETY: as in `read`; interrupts are handled by the test or by nobody.
        unsafe { outb(self.base + register as u16, value) };
    }

    /// Whether there is such a port.
    pub(crate) fn is_there(&self) -> bool {
        [0x5a, 0xa5].into_iter().all(|pattern| {
            self.write(Register::Scratch, pattern);
            self.read(Register::Scratch) == pattern
        })
    }

    /// Lets its interrupts through, until [`restore`](Self::restore) is called with what this says.
    pub(crate) fn connect(&self) -> Before {
        let before = Before {
            enabled: self.read(Register::InterruptEnable),
            control: self.read(Register::ModemControl),
        };
        self.write(Register::ModemControl, before.control | OUT2);
        before
    }

    pub(crate) fn restore(&self, before: Before) {
        self.write(Register::ModemControl, before.control);
        self.write(Register::InterruptEnable, before.enabled);
    }

    /// Asks it to interrupt for having nothing to send, which it does once.
    pub(crate) fn ask(&self) {
        self.hush();
        self.write(Register::InterruptEnable, ROOM);
    }

    /// Asks it for nothing any more.
    pub(crate) fn hush(&self) {
        self.write(Register::InterruptEnable, 0);
    }

    /// Whether it is the cause of an interrupt, which it has been told then.
    pub(crate) fn has_cause(&self) -> bool {
        self.read(Register::InterruptIdentity) & NONE == 0
    }

    /// Waits until it has sent all that it was given.
    pub(super) fn wait_until_empty(&self) {
        while self.read(Register::LineStatus) & EMPTY == 0 {
            core::hint::spin_loop();
        }
    }
}

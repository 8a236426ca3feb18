//! Serial ports with a 16550 or one of its descendants: consoles `ttyS0` to `ttyS3`, and the early console `uart8250`.
//!
//! Everything is polled: a line in use sends what it is given and returns, and keys are fetched when somebody asks. Registers, baud rates and FIFO are the
//! crate `uart_16550`'s business; here is what a kernel adds: finding the ports of a PC, the options of the command line, and never waiting for a device
//! without bound. Names and lines are Linux's (`drivers/tty/serial/8250`).
#![no_std]

mod early;
mod line;
mod ports;
mod settings;
mod tests;

pub use ports::serial8250_init;

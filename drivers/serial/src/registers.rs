//! The registers of a port, wherever they are.

use core::ptr;

use incipit::console::IoAddress;
use uart_16550::backend::Backend;
use x86::io::{inb, outb};

/// Access to the eight registers of a 16550.
#[derive(Clone, Copy, Debug)]
pub enum Registers {
    /// In I/O ports from this one on.
    Port(u16),
    /// In memory, a byte each.
    Bytes(*mut u8),
    /// In memory, a 32-bit word each.
    Words(*mut u32),
}

// SAFETY: registers are not bound to a CPU, and who uses them holds the lock of the line that they belong to.
unsafe impl Send for Registers {}

impl Registers {
    /// The registers at `address`; those in memory through the direct map. `None` if the last of them is beyond the address space.
    ///
    /// # Safety
    ///
    /// They are a 16550's, or nobody's, and nobody else writes to them.
    pub unsafe fn at(address: IoAddress) -> Option<Self> {
        Some(match address {
            IoAddress::Port(port) => {
                port.checked_add(7)?;
                Self::Port(port)
            }
            IoAddress::Mmio(address) => Self::Bytes(incipit::mm::phys_to_virt(address)),
            IoAddress::Mmio32(address) => Self::Words(incipit::mm::phys_to_virt(address).cast()),
        })
    }
}

impl Backend for Registers {
    #[inline]
    unsafe fn read(&mut self, register: u8) -> u8 {
        // SAFETY: whoever made this vouched for the registers, and the caller for the number of this one.
        unsafe {
            match *self {
                Self::Port(port) => inb(port + u16::from(register)),
                Self::Bytes(base) => ptr::read_volatile(base.wrapping_add(usize::from(register))),
                Self::Words(base) => ptr::read_volatile(base.wrapping_add(usize::from(register))) as u8,
            }
        }
    }

    #[inline]
    unsafe fn write(&mut self, register: u8, value: u8) {
        // SAFETY: as for reading.
        unsafe {
            match *self {
                Self::Port(port) => outb(port + u16::from(register), value),
                Self::Bytes(base) => ptr::write_volatile(base.wrapping_add(usize::from(register)), value),
                Self::Words(base) => ptr::write_volatile(base.wrapping_add(usize::from(register)), u32::from(value)),
            }
        }
    }
}

//! The keyboard controller, an 8042 or what plays it.

use incipit::prelude::*;
use x86::io::{inb, outb};

const DATA: u16 = 0x60;
const STATUS: u16 = 0x64;

/// In the status: a byte is there to be read; the last one was not taken yet; the byte comes from the mouse.
const OUTPUT_FULL: u8 = 1 << 0;
const INPUT_FULL: u8 = 1 << 1;
const FROM_MOUSE: u8 = 1 << 5;

/// Commands: read and write the configuration, switch the keyboard on.
const READ_CONFIGURATION: u8 = 0x20;
const WRITE_CONFIGURATION: u8 = 0x60;
const ENABLE_KEYBOARD: u8 = 0xae;

/// In the configuration: the keyboard is off; its codes are translated to those of the first PC.
const KEYBOARD_OFF: u8 = 1 << 4;
const TRANSLATE: u8 = 1 << 6;

/// How often the controller is asked before it is given up: a tenth of a second on hardware.
const PATIENCE: u32 = 100_000;

/// Bytes that can be waiting, of keys that were pressed before anybody looked.
const BACKLOG: u32 = 64;

/// The controller of a PC, of which there is one.
pub struct Controller;

impl Controller {
    fn status() -> u8 {
        // SAFETY: reading the status changes nothing, also where there is no controller.
        unsafe { inb(STATUS) }
    }

    /// Whether there is one: without, the status reads as all ones.
    pub fn is_present() -> bool {
        Self::status() != 0xff
    }

    fn wait(ready: impl Fn(u8) -> bool) -> Result<(), Errno> {
        (0..PATIENCE).any(|_| ready(Self::status())).then_some(()).ok_or(Errno::ETIMEDOUT)
    }

    fn send(port: u16, byte: u8) -> Result<(), Errno> {
        Self::wait(|status| status & INPUT_FULL == 0)?;
        // SAFETY: the controller is there and takes a byte; this driver is the only one that talks to it, but for a restart, which ends all.
        unsafe { outb(port, byte) };
        Ok(())
    }

    /// A byte of the keyboard, if there is one. What the mouse says is dropped.
    pub fn read() -> Option<u8> {
        loop {
            let status = Self::status();
            if status & OUTPUT_FULL == 0 || status == 0xff {
                return None;
            }
            // SAFETY: there is a byte to be read.
            let byte = unsafe { inb(DATA) };
            if status & FROM_MOUSE == 0 {
                return Some(byte);
            }
        }
    }

    /// Drops what was typed before, switches the keyboard on, and has its codes translated; whether it interrupts stays as it is.
    pub fn switch_on() -> Result<(), Errno> {
        (0..BACKLOG).take_while(|_| Self::read().is_some()).for_each(drop);
        Self::send(STATUS, ENABLE_KEYBOARD)?;
        Self::send(STATUS, READ_CONFIGURATION)?;
        Self::wait(|status| status & OUTPUT_FULL != 0)?;
        // SAFETY: there is a byte to be read.
        let configuration = unsafe { inb(DATA) };
        Self::send(STATUS, WRITE_CONFIGURATION)?;
        Self::send(DATA, configuration & !KEYBOARD_OFF | TRANSLATE)
    }
}

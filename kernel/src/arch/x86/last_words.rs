//! Somewhere to say a last word when there is no console: the text screen and the first serial port, as they are on every PC.
//!
//! The drivers know these devices better; this is for a kernel that dies before they are there, or that was given consoles that nobody has. It waits for nothing
//! without bound, and believes in a text screen only where `screen_info` tells of one.

use core::sync::atomic::{AtomicBool, AtomicU16, Ordering::Relaxed};

use incipit_lib::video::TextMode;
use incipit_lib::vt::to_cp437;
use x86::io::{inb, outb};

use super::setup::boot_params;
use crate::mm::phys_to_virt;

const COM1: u16 = 0x3f8;

/// The serial port's registers, behind its first.
const INTERRUPTS: u16 = 1;
const LINE_CONTROL: u16 = 3;
const LINE_STATUS: u16 = 5;

/// In the line's control: the speed's registers are visible; eight bits, no parity.
const SPEED: u8 = 0x80;
const EIGHT_BITS: u8 = 0x03;

/// In the line's status: a byte can be sent.
const READY: u8 = 0x20;

/// How often a serial port is asked before its byte is given up.
const PATIENCE: u32 = 100_000;

/// Light grey on black.
const ATTRIBUTE: u8 = 0x07;

/// Whether the serial port is set up.
static IS_SET_UP: AtomicBool = AtomicBool::new(false);

/// Where on the lowest line of the screen the next character goes.
static COLUMN: AtomicU16 = AtomicU16::new(0);

/// Writes `text` on both. Only for a kernel that will not go on, and nobody else is to write there.
pub fn write(text: &[u8]) {
    write_serial(text);
    if let Ok(mode) = TextMode::from_screen_info(&boot_params().screen_info()) {
        write_screen(&mode, text);
    }
}

fn write_serial(text: &[u8]) {
    // SAFETY: COM1 is the first serial port on a PC, or nothing; no driver uses it, or there would be a console.
    unsafe {
        if inb(COM1 + LINE_STATUS) == 0xff {
            return;
        }
        if !IS_SET_UP.swap(true, Relaxed) {
            outb(COM1 + INTERRUPTS, 0);
            outb(COM1 + LINE_CONTROL, SPEED);
            // 115200 bits per second: a divisor of 1.
            outb(COM1, 1);
            outb(COM1 + 1, 0);
            outb(COM1 + LINE_CONTROL, EIGHT_BITS);
        }
    }
    for &byte in text {
        if byte == b'\n' {
            send(b'\r');
        }
        send(byte);
    }
}

fn send(byte: u8) {
    // SAFETY: as for `write_serial`.
    unsafe {
        if (0..PATIENCE).any(|_| inb(COM1 + LINE_STATUS) & READY != 0) {
            outb(COM1, byte);
        }
    }
}

/// Writes on the screen's lowest line, and moves all up where it ends.
fn write_screen(mode: &TextMode, text: &[u8]) {
    let memory = phys_to_virt(mode.memory()).cast::<u16>();
    let (columns, last_row) = (mode.columns, mode.columns * (mode.rows - 1));
    let blank = u16::from_le_bytes([b' ', ATTRIBUTE]);
    // SAFETY: the first MiB is mapped from the first instruction on, and `TextMode` fits the memory that the adapter has there.
    let put = |place: usize, cell: u16| unsafe { memory.add(place).write_volatile(cell) };
    // SAFETY: as above.
    let get = |place: usize| unsafe { memory.add(place).read_volatile() };
    for character in text.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
        let column = usize::from(COLUMN.load(Relaxed));
        if character == '\n' || column >= columns {
            (0..last_row).for_each(|place| put(place, get(place + columns)));
            (last_row..last_row + columns).for_each(|place| put(place, blank));
            COLUMN.store(0, Relaxed);
        }
        if character != '\n' {
            let column = COLUMN.fetch_add(1, Relaxed);
            let code = to_cp437(character).unwrap_or(b'?');
            put(last_row + usize::from(column), u16::from_le_bytes([code, ATTRIBUTE]));
        }
    }
}

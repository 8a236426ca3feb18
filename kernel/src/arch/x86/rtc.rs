//! The CMOS clock (Motorola MC146818): reading the date.
//!
//! What the registers mean is [`incipit_lib::cmos`]'s. The ports are used under a lock: an index is written to one and the register read from the other.

use core::fmt;

use incipit_lib::cmos::{CmosError, Registers};
use incipit_lib::time::Date;
use x86::io::{inb, outb};

use crate::locking::IrqSpinLock;
use crate::prelude::*;

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;

const SECOND: u8 = 0x00;
const MINUTE: u8 = 0x02;
const HOUR: u8 = 0x04;
const DAY: u8 = 0x07;
const MONTH: u8 = 0x08;
const YEAR: u8 = 0x09;
const STATUS_A: u8 = 0x0a;
const CONTROL_B: u8 = 0x0b;
const STATUS_D: u8 = 0x0d;
/// In status A: the date is about to change. It lasts 2 ms at most.
const UPDATE_IN_PROGRESS: u8 = 1 << 7;
/// What is read where no device answers.
const NOTHING: u8 = 0xff;

/// How often the date is read again because it changed meanwhile; at a microsecond for each port, longer than a change takes.
const TRIES: u32 = 500;

/// Keeps the index and the access behind it together.
static PORTS: IrqSpinLock<()> = IrqSpinLock::new(());

/// Why there is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RtcError {
    /// Nothing answers at its ports.
    Absent,
    /// It does not come to an end with changing.
    Busy,
    /// What it shows is no date.
    Wrong(CmosError),
}

impl fmt::Display for RtcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is none"),
            Self::Busy => f.write_str("it does not stop changing"),
            Self::Wrong(error) => error.fmt(f),
        }
    }
}

/// The date and time that the clock shows, which firmware and other systems keep in UTC, or should.
///
/// # Errors
///
/// [`RtcError`], if there is none to be had.
#[init]
pub fn read() -> Result<Date, RtcError> {
    let _guard = PORTS.lock();
    if register(STATUS_A) == NOTHING && register(STATUS_D) == NOTHING {
        return Err(RtcError::Absent);
    }
    let century = century_register();
    for _ in 0..TRIES {
        if register(STATUS_A) & UPDATE_IN_PROGRESS != 0 {
            continue;
        }
        let first = registers(century);
        if register(STATUS_A) & UPDATE_IN_PROGRESS == 0 && registers(century) == first {
            return first.date().map_err(RtcError::Wrong);
        }
    }
    Err(RtcError::Busy)
}

#[init]
fn registers(century: Option<u8>) -> Registers {
    Registers {
        second: register(SECOND),
        minute: register(MINUTE),
        hour: register(HOUR),
        day: register(DAY),
        month: register(MONTH),
        year: register(YEAR),
        century: century.map(register),
        control: register(CONTROL_B),
    }
}

/// The register of the century, where ACPI names one.
#[init]
fn century_register() -> Option<u8> {
    #[cfg(CONFIG_ACPI)]
    return crate::acpi::fadt()
        .map(|fadt| fadt.century)
        .filter(|register| (1..0x80).contains(register));
    #[cfg(not(CONFIG_ACPI))]
    None
}

#[init]
fn register(index: u8) -> u8 {
    // SAFETY: the ports belong to the clock and its memory; reading the registers that are read here changes nothing. The highest bit of the index, which would keep NMIs off, is 0.
    unsafe {
        outb(INDEX, index);
        inb(DATA)
    }
}

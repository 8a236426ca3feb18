//! The date in the registers of the CMOS clock (Motorola MC146818 and its heirs): taking it apart.
//!
//! Whoever reads the registers sees to it that the clock does not change meanwhile.

#[cfg(test)]
mod tests;

use core::fmt;

use crate::time::{Date, InvalidDate};

/// In register B: numbers are binary, not two decimal digits in a byte.
pub const BINARY: u8 = 1 << 2;
/// In register B: hours go from 0 to 23, not twice from 1 to 12.
pub const HOURS_24: u8 = 1 << 1;
/// In the hours, if they do not: after noon.
const AFTER_NOON: u8 = 1 << 7;

/// The registers, as they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Registers {
    /// Register 0.
    pub second: u8,
    /// Register 2.
    pub minute: u8,
    /// Register 4.
    pub hour: u8,
    /// Register 7.
    pub day: u8,
    /// Register 8.
    pub month: u8,
    /// Register 9: of the century.
    pub year: u8,
    /// The register that FADT names, if it names one.
    pub century: Option<u8>,
    /// Register B: how the others are to be read.
    pub control: u8,
}

/// Why the registers are no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CmosError {
    /// A byte of this register, whose halves must both be digits.
    NotDecimal(&'static str, u8),
    /// No such date or time.
    Invalid(Registers),
}

impl fmt::Display for CmosError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDecimal(name, byte) => write!(f, "the {name} {byte:#04x} is no decimal number"),
            Self::Invalid(read) => write!(
                f,
                "there is no date or time {:02x}-{:02x}-{:02x} {:02x}:{:02x}:{:02x} (registers in hexadecimal)",
                read.year, read.month, read.day, read.hour, read.minute, read.second
            ),
        }
    }
}

impl Registers {
    /// The date. Without a century it is between 1970 and 2069, as in Linux.
    ///
    /// # Errors
    ///
    /// [`CmosError`] if they hold none: the battery is empty, or there is no such clock.
    pub fn date(&self) -> Result<Date, CmosError> {
        let number = |name, byte: u8| -> Result<u8, CmosError> {
            if self.control & BINARY != 0 {
                return Ok(byte);
            }
            if byte >> 4 > 9 || byte & 0xf > 9 {
                return Err(CmosError::NotDecimal(name, byte));
            }
            Ok((byte >> 4) * 10 + (byte & 0xf))
        };
        let invalid = |_: InvalidDate| CmosError::Invalid(*self);
        let hour = if self.control & HOURS_24 != 0 {
            number("hour", self.hour)?
        } else {
            match number("hour", self.hour & !AFTER_NOON)? {
                hour @ 1..=12 => hour % 12 + if self.hour & AFTER_NOON != 0 { 12 } else { 0 },
                _ => return Err(CmosError::Invalid(*self)),
            }
        };
        let year = i64::from(number("year", self.year)?);
        if year > 99 {
            return Err(CmosError::Invalid(*self));
        }
        // A century that cannot be is taken for a register that is something else.
        let century = self
            .century
            .map(|byte| number("century", byte))
            .transpose()?
            .filter(|century| (19..=29).contains(century));
        let year = match century {
            Some(century) => i64::from(century) * 100 + year,
            None if year < 70 => 2000 + year,
            None => 1900 + year,
        };
        Date::new(
            year,
            number("month", self.month)?,
            number("day", self.day)?,
            hour,
            number("minute", self.minute)?,
            number("second", self.second)?,
        )
        .map_err(invalid)
    }
}

//! What the command line says of a line: `115200n8r`, that is bits per second, parity, bits in a word, flow control.

use core::fmt;

use uart_16550::spec::registers::{Parity, WordLength};
use uart_16550::{BaudRate, Config};

/// Bits per second with a divisor of one: a PC's serial clock of 1.8432 MHz, divided by 16.
pub const BASE_BAUD: u32 = 115_200;

/// How a line is to be driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// Bits in a word, 5 to 8.
    pub bits: WordLength,
    /// Whether the other side's CTS is waited for.
    pub flow_control: bool,
}

/// What is wrong with options; what stands before it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSettings {
    /// Not a speed that the clock can be divided to.
    Baud,
    /// Not `n`, `o` or `e`.
    Parity(char),
    /// Not 5 to 8.
    Bits(char),
    /// Not `r`.
    FlowControl(char),
    /// Something behind the last option.
    Surplus,
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baud => write!(f, "the speed must divide {BASE_BAUD}"),
            Self::Parity(found) => write!(f, "'{found}' is no parity (n, o or e)"),
            Self::Bits(found) => write!(f, "'{found}' is no number of bits (5 to 8)"),
            Self::FlowControl(found) => write!(f, "'{found}' is no flow control (r)"),
            Self::Surplus => f.write_str("there is something behind the last option"),
        }
    }
}

impl LineSettings {
    /// What a line without options has, in Linux: 9600n8.
    pub const DEFAULT: Self = Self {
        baud: 9600,
        parity: Parity::Disabled,
        bits: WordLength::EightBits,
        flow_control: false,
    };

    /// Reads options. Fields that are missing, and those from a bad one on, are the default's.
    pub fn parse(text: &str) -> (Self, Result<(), BadSettings>) {
        let mut settings = Self::DEFAULT;
        let result = settings.apply(text);
        (settings, result)
    }

    fn apply(&mut self, text: &str) -> Result<(), BadSettings> {
        let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (baud, rest) = text.split_at(end);
        if text.is_empty() {
            return Ok(());
        }
        let possible = |baud: &u32| *baud != 0 && BASE_BAUD.is_multiple_of(*baud);
        self.baud = baud.parse().ok().filter(possible).ok_or(BadSettings::Baud)?;

        let mut rest = rest.chars();
        match rest.next() {
            None => return Ok(()),
            Some('n') => self.parity = Parity::Disabled,
            Some('o') => self.parity = Parity::Odd,
            Some('e') => self.parity = Parity::Even,
            Some(other) => return Err(BadSettings::Parity(other)),
        }
        match rest.next() {
            None => return Ok(()),
            Some('5') => self.bits = WordLength::FiveBits,
            Some('6') => self.bits = WordLength::SixBits,
            Some('7') => self.bits = WordLength::SevenBits,
            Some('8') => self.bits = WordLength::EightBits,
            Some(other) => return Err(BadSettings::Bits(other)),
        }
        match rest.next() {
            None => return Ok(()),
            Some('r') => self.flow_control = true,
            Some(other) => return Err(BadSettings::FlowControl(other)),
        }
        rest.next().map_or(Ok(()), |_| Err(BadSettings::Surplus))
    }

    /// The same in the terms of `uart_16550`.
    pub fn config(&self) -> Config {
        Config {
            baud_rate: BaudRate::from_integer(self.baud),
            data_bits: self.bits,
            parity: self.parity,
            check_cts_before_sending: self.flow_control,
            ..Config::DEFAULT
        }
    }
}

/// As the command line spells it.
impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::Odd => 'o',
            Parity::Even => 'e',
            _ => 'n',
        };
        write!(
            f,
            "{}{parity}{}{}",
            self.baud,
            self.bits.to_integer(),
            if self.flow_control { "r" } else { "" }
        )
    }
}

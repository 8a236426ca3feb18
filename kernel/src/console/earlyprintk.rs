//! `earlyprintk=`: the older way to ask for an early console on x86.
//!
//! Each form is a spelling of an early console of [`mod@super::earlycon`]; nothing of a device is known here but where a PC has its serial ports.

use core::fmt;

use super::earlycon::{self, EarlyconDevice, SERIAL_EARLYCON, parse_number};
use super::{ConsoleName, IoAddress};
use crate::prelude::*;

/// Where a PC has `ttyS0` to `ttyS3`.
const SERIAL_PORTS: [u16; 4] = [0x3f8, 0x2f8, 0x3e8, 0x2e8];

/// The speed of a line that no speed is given for, as in Linux.
const DEFAULT_BAUD: &str = "9600";

/// The early console behind a word that is not `serial`, and the name that Linux gives it. Further early consoles go by their own names.
const OTHERS: [(&str, &str, &str); 2] = [("vga", "vga", "earlyvga"), ("efi", "efifb", "earlyefi")];

/// The name that Linux gives the serial one.
const SERIAL_NAME: &str = "earlyser";

/// What the option asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A serial port.
    Serial { port: u16, baud: &'static str, keep: bool },
    /// Another early console, and what to call it.
    Named {
        driver: &'static str,
        name: &'static str,
        keep: bool,
    },
}

/// Why the option cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestError {
    UnknownKind(&'static str),
    BadPort(&'static str),
    BadBaud(&'static str),
    Surplus(&'static str),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(
                f,
                "no early console '{kind}' in this kernel (serial, ttyS0 to ttyS3, vga, efi or one of earlycon's)"
            ),
            Self::BadPort(port) => write!(f, "bad port '{port}' (ttyS0 to ttyS3, or an address such as 0x3f8)"),
            Self::BadBaud(baud) => write!(f, "bad speed '{baud}' (bits per second)"),
            Self::Surplus(rest) => write!(f, "'{rest}' makes no sense here (port, speed, keep)"),
        }
    }
}

/// Reads `serial[,port][,speed][,keep]` or `ttySn[,speed][,keep]`, where a port is `ttySn`, `n` or `0xaddress`; or `name[,keep]`, the name of an early console
/// that `is_known`.
#[init]
pub(super) fn parse(value: &'static str, is_known: impl Fn(&'static str) -> bool) -> Result<Request, RequestError> {
    let mut words = value.split(',').peekable();
    let kind = words.next().unwrap_or_default();
    let port = if kind == "serial" {
        let is_port = |word: &&str| word.starts_with("ttyS") || word.starts_with("0x") || word.len() == 1;
        words.next_if(is_port).map_or(Ok(SERIAL_PORTS[0]), parse_port)?
    } else if kind.starts_with("ttyS") {
        parse_port(kind)?
    } else {
        let (driver, name) = OTHERS
            .iter()
            .find_map(|(word, driver, name)| (*word == kind).then_some((*driver, *name)))
            .unwrap_or((kind, kind));
        if !is_known(driver) {
            return Err(RequestError::UnknownKind(kind));
        }
        let keep = words.next_if_eq(&"keep").is_some();
        return finish(words, Request::Named { driver, name, keep });
    };
    let baud = words.next_if(|word| *word != "keep").unwrap_or(DEFAULT_BAUD);
    if !matches!(parse_number(baud), Some(1..=115_200)) {
        return Err(RequestError::BadBaud(baud));
    }
    let keep = words.next_if_eq(&"keep").is_some();
    finish(words, Request::Serial { port, baud, keep })
}

/// `request`, if nothing stands behind it.
#[init]
fn finish(mut words: impl Iterator<Item = &'static str>, request: Request) -> Result<Request, RequestError> {
    words.next().map_or(Ok(request), |rest| Err(RequestError::Surplus(rest)))
}

#[init]
fn parse_port(word: &'static str) -> Result<u16, RequestError> {
    let port = match parse_number(word) {
        Some(address) if word.starts_with("0x") => u16::try_from(address).ok(),
        _ => parse_number(word.strip_prefix("ttyS").unwrap_or(word)).and_then(|number| SERIAL_PORTS.get(number as usize).copied()),
    };
    port.ok_or(RequestError::BadPort(word))
}

/// `earlyprintk=serial[,port][,speed][,keep]`: shows the log on a serial port until a console takes over, or beyond with `keep`. The port is `ttyS0` to `ttyS3`, which can
/// stand for `serial`, too, or an address such as `0x3f8`. `earlyprintk=vga[,keep]` shows it on the text screen, `efi[,keep]` on a framebuffer; other early
/// consoles go by the names that `earlycon=` has for them.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("earlyprintk"))]
fn setup_early_printk(value: Option<&'static str>, init: InitMemory<'_>) -> Result<(), Errno> {
    let Some(value) = value else { return Ok(()) };
    let is_known = |driver| earlycon::is_known(init, ConsoleName::parse(driver));
    let (driver, device, name, keep) = match parse(value, is_known) {
        Ok(Request::Serial { port, baud, keep }) => {
            let device = EarlyconDevice {
                address: Some(IoAddress::Port(port)),
                options: Some(baud),
            };
            (SERIAL_EARLYCON, device, SERIAL_NAME, keep)
        }
        Ok(Request::Named { driver, name, keep }) => (driver, EarlyconDevice::default(), name, keep),
        Err(error) => {
            pr_warn!("earlyprintk={value}: {error}");
            return Ok(());
        }
    };
    earlycon::start(init, "earlyprintk", driver, device, Some(ConsoleName::parse(name)), keep);
    Ok(())
}

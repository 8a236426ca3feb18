//! Early consoles: those that work before any driver, chosen by `earlycon=`.
//!
//! A driver declares one with `#[earlycon("name")]`; it is a console of its own, gone when the real one comes.

use core::fmt;

use super::register::register_boot_console;
use super::{Console, ConsoleName, IoAddress};
use crate::prelude::*;
use crate::table;

/// The early console of a PC's serial port, and the one that is meant if none is named.
pub(super) const SERIAL_EARLYCON: &str = "uart8250";

/// The option that names early consoles.
const OPTION: &str = "earlycon";

/// What an early console is to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EarlyconDevice {
    /// Its registers; none if the driver knows where they are.
    pub address: Option<IoAddress>,
    /// Options in the driver's own terms, such as `115200n8`; none leaves the device as the firmware set it up.
    pub options: Option<&'static str>,
}

/// Sets an early console up.
///
/// Called with interrupts off; memory is what the first tables map. An error (`ENODEV` if no device answers) leaves the boot without this console.
pub type EarlyconSetup = fn(&EarlyconDevice) -> Result<&'static dyn Console, Errno>;

/// An entry of `__earlycon_table`: what `#[earlycon]` declares.
#[repr(C)]
pub struct EarlyconEntry {
    /// What `earlycon=` calls it.
    pub name: &'static str,
    /// Sets it up.
    pub setup: EarlyconSetup,
}

/// Why the value of `earlycon=` cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressError {
    /// Not `io`, `mmio`, `mmio32`, nor an address.
    UnknownKind(&'static str),
    /// An address is missing, or no number, or too large for its kind.
    BadAddress(&'static str),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind(kind) => write!(f, "'{kind}' is no kind of address (io, mmio or mmio32)"),
            Self::BadAddress(address) => write!(f, "bad address '{address}'"),
        }
    }
}

/// Reads `io|mmio|mmio32,address[,options]`; a bare address is memory.
#[init]
pub(super) fn parse_address(text: &'static str) -> Result<(IoAddress, Option<&'static str>), AddressError> {
    let (kind, rest) = text.split_once(',').unwrap_or((text, ""));
    if kind.starts_with("0x") {
        let options = text.split_once(',').map(|(_, options)| options);
        return Ok((IoAddress::Mmio(parse_number(kind).ok_or(AddressError::BadAddress(kind))?), options));
    }
    let (address, options) = rest
        .split_once(',')
        .map_or((rest, None), |(address, options)| (address, Some(options)));
    let number = parse_number(address);
    let address = match kind {
        "io" => number.and_then(|number| u16::try_from(number).ok()).map(IoAddress::Port),
        "mmio" => number.map(IoAddress::Mmio),
        "mmio32" => number.map(IoAddress::Mmio32),
        _ => return Err(AddressError::UnknownKind(kind)),
    };
    address.map(|address| (address, options)).ok_or(AddressError::BadAddress(rest))
}

/// A number, in hexadecimal if it begins with `0x`.
#[init]
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let plain = !digits.starts_with('+');
    u64::from_str_radix(digits, radix).ok().filter(|_| plain)
}

/// Whether there is an early console of this name.
#[init]
pub(super) fn is_known(init: InitMemory<'_>, name: ConsoleName) -> bool {
    table::EARLYCON.iter(init).any(|entry| ConsoleName::parse(entry.name) == name)
}

/// Sets the early console `driver` up and registers it as `name`. What goes wrong is logged; `origin` is the option to blame.
#[init]
pub(super) fn start(init: InitMemory<'_>, origin: &str, driver: &str, device: EarlyconDevice, name: Option<ConsoleName>, keep: bool) {
    let Some(entry) = table::EARLYCON.iter(init).find(|entry| entry.name == driver) else {
        pr_warn!("{origin}: no early console '{driver}' in this kernel");
        return;
    };
    match (entry.setup)(&device) {
        Ok(console) => {
            let name = name.unwrap_or(ConsoleName::parse(entry.name));
            say_where(origin, name, console, &device);
            register_boot_console(console, name, keep);
        }
        Err(error) => match device.address {
            Some(address) => pr_warn!("{origin}: {driver} at {address} cannot be used: {error}"),
            None => pr_warn!("{origin}: {driver} cannot be used: {error}"),
        },
    }
}

/// Linux's line, for `earlycon=` only, as there.
#[init]
fn say_where(origin: &str, name: ConsoleName, console: &dyn Console, device: &EarlyconDevice) {
    if let Some(address) = console.address().filter(|_| origin == OPTION) {
        pr_info!("earlycon: {name} at {address} (options '{}')", device.options.unwrap_or(""));
    }
}

/// `earlycon[=name[,io|mmio|mmio32,address[,options]]]`: starts an early console; without a value, on the PC's first serial port as the firmware left it. One
/// without an address is where its driver expects it.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("earlycon"))]
fn param_setup_earlycon(value: Option<&'static str>, init: InitMemory<'_>) -> Result<(), Errno> {
    let value = value.filter(|value| !value.is_empty()).unwrap_or(SERIAL_EARLYCON);
    let (driver, address) = value
        .split_once(',')
        .map_or((value, None), |(driver, address)| (driver, Some(address)));
    if !is_known(init, ConsoleName::parse(driver)) {
        pr_warn!("earlycon={value}: no early console '{driver}' in this kernel");
        return Ok(());
    }
    match address.map(parse_address).transpose() {
        Ok(device) => {
            let (address, options) = device.map_or((None, None), |(address, options)| (Some(address), options));
            start(init, OPTION, driver, EarlyconDevice { address, options }, None, false);
        }
        Err(error) => pr_warn!("earlycon={value}: {error}"),
    }
    Ok(())
}

/// `console=name,io|mmio|mmio32,address[,options]`: starts the early console of that name, as `earlycon=` does, and shows the log on the driver's console at that
/// address later.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("console"))]
fn console_setup_early(value: Option<&'static str>, init: InitMemory<'_>) -> Result<(), Errno> {
    match value.and_then(|value| value.split_once(',')) {
        Some((driver, address)) if is_known(init, ConsoleName::parse(driver)) && parse_address(address).is_ok() => {
            param_setup_earlycon(value, init)
        }
        _ => Ok(()),
    }
}

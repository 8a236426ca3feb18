//! The stage that looks at the devices early, and `pci=`.

use core::convert::Infallible;
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::direct::Conf1;
use super::quirks::EARLY_QUIRKS;
use super::scan::{Function, each_function};
use crate::prelude::*;

bitflags::bitflags! {
    /// What `pci=` asks for.
    #[derive(Clone, Copy)]
    struct Options: u8 {
        /// No access before drivers come.
        const NOEARLY = 1 << 0;
        /// No access at all.
        const OFF = 1 << 1;
        /// The configuration spaces go into the log.
        const EARLYDUMP = 1 << 2;
    }
}

static OPTIONS: AtomicU8 = AtomicU8::new(0);

/// `pci=earlydump|noearly|off[,…]`: `earlydump` puts the configuration space of each device into the log, `noearly` leaves devices alone until drivers come,
/// `off` altogether.
#[early_param("pci")]
#[init]
fn pci_setup(value: Option<&'static str>) -> Result<(), Errno> {
    for word in value.unwrap_or_default().split(',').filter(|word| !word.is_empty()) {
        let option = match word {
            "earlydump" => Options::EARLYDUMP,
            "noearly" => Options::NOEARLY,
            "off" => Options::OFF,
            _ => {
                pr_err!("PCI: Unknown option `{word}'");
                continue;
            }
        };
        OPTIONS.fetch_or(option.bits(), Relaxed);
    }
    Ok(())
}

/// The ports, unless the machine or `pci=` says no.
pub(super) fn access() -> Option<Conf1> {
    let forbidden = options().intersects(Options::OFF);
    if forbidden { None } else { Conf1::find() }
}

fn options() -> Options {
    Options::from_bits_truncate(OPTIONS.load(Relaxed))
}

/// Looks at every device for flaws that must be known early: Linux's function of the same name.
#[stage(
    after(crate::arch::x86::cpu::hypervisor::init_hypervisor_platform),
    before(crate::init::command_line::setup_command_line)
)]
#[init]
pub fn early_quirks() {
    if options().contains(Options::NOEARLY) {
        return;
    }
    let Some(access) = access() else { return };
    let mut applied = 0_u64;
    let result: Result<(), Infallible> = each_function(&access, |function| {
        if options().contains(Options::EARLYDUMP) {
            dump(&access, function);
        }
        for (index, quirk) in EARLY_QUIRKS.iter().enumerate().filter(|(_, quirk)| quirk.concerns(function)) {
            let mark = 1_u64.checked_shl(index as u32).unwrap_or(0);
            if !quirk.once || applied & mark == 0 {
                applied |= mark;
                (quirk.apply)(function);
            }
        }
        Ok(())
    });
    let Ok(()) = result;
}

#[init]
fn dump(access: &Conf1, function: &Function) {
    pr_info!("pci {function}: config space:");
    let mut row = [0_u32; 4];
    for (index, word) in function.words(access).enumerate() {
        row[index % 4] = word;
        if index % 4 == 3 {
            pr_info!("{}", Row((index - 3) * 4, row));
        }
    }
}

/// A row of a dump, as Linux's `print_hex_dump` has it: offset, then bytes.
struct Row(usize, [u32; 4]);

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}:", self.0)?;
        let mut bytes = self.1.iter().flat_map(|word| word.to_le_bytes());
        bytes.try_for_each(|byte| write!(f, " {byte:02x}"))
    }
}

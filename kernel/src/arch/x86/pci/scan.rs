//! Every function that can be reached from bus 0.

use core::fmt;

use pci_types::{ConfigRegionAccess, HeaderType, PciAddress, PciHeader, PciPciBridgeHeader};

use super::direct::raw_pci_read;

const BUSES: usize = 256;
const SLOTS: u8 = 32;
const FUNCTIONS: u8 = 8;

/// A function that is there.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Where.
    pub address: PciAddress,
    /// Who made it.
    pub vendor: u16,
    /// Which of the vendor's devices.
    pub device: u16,
    /// Class and subclass, in one number.
    pub class: u16,
    /// The revision.
    pub revision: u8,
    /// The kind of header, and whether more functions follow.
    header: HeaderType,
    multiple: bool,
}

impl Function {
    /// The function at `address`, if there is one. Linux's early scan takes a class of ones for none, too.
    pub fn read(access: &impl ConfigRegionAccess, address: PciAddress) -> Option<Self> {
        let header = PciHeader::new(address);
        let (vendor, device) = header.id(access);
        if vendor == 0xffff {
            return None;
        }
        let (revision, base, sub, _) = header.revision_and_class(access);
        let class = u16::from_be_bytes([base, sub]);
        (class != 0xffff).then(|| Self {
            address,
            vendor,
            device,
            class,
            revision,
            header: header.header_type(access),
            multiple: header.has_multiple_functions(access),
        })
    }

    /// The bus behind it, if it is a bridge to one.
    fn secondary_bus(&self, access: &impl ConfigRegionAccess) -> Option<u8> {
        let header = PciHeader::new(self.address);
        PciPciBridgeHeader::from_header(header, access)
            .filter(|_| self.header == HeaderType::PciPciBridge)
            .map(|bridge| bridge.secondary_bus_number(access))
    }

    /// Its configuration space, four bytes at a time.
    pub fn words(&self, access: &impl ConfigRegionAccess) -> impl Iterator<Item = u32> {
        (0..0x100).step_by(4).map(move |offset| raw_pci_read(access, self.address, offset))
    }
}

impl fmt::Display for Function {
    /// Linux's name of a device: domain, bus, slot, function.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.address;
        write!(f, "{:04x}:{:02x}:{:02x}.{}", at.segment(), at.bus(), at.device(), at.function())
    }
}

/// Calls `visit` for every function, bus by bus, as Linux's `early_pci_scan_bus` does.
///
/// A bridge counts that leads to a bus of a higher number; each bus is looked at once. So the walk ends whatever bridges say of themselves.
pub fn each_function<E>(access: &impl ConfigRegionAccess, mut visit: impl FnMut(&Function) -> Result<(), E>) -> Result<(), E> {
    let mut reached = [false; BUSES];
    reached[0] = true;
    for bus in 0..=u8::MAX {
        if !reached[usize::from(bus)] {
            continue;
        }
        for slot in 0..SLOTS {
            for function in 0..FUNCTIONS {
                let Some(function) = Function::read(access, PciAddress::new(0, bus, slot, function)) else {
                    break;
                };
                visit(&function)?;
                if let Some(behind) = function.secondary_bus(access).filter(|&behind| behind > bus) {
                    reached[usize::from(behind)] = true;
                }
                if !function.multiple {
                    break;
                }
            }
        }
    }
    Ok(())
}

//! Access by ports: an address into one, data from the other.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use pci_types::{ConfigRegionAccess, PciAddress};
use x86::io::{inl, outb, outl};

use crate::locking::IrqSpinLock;

const CONFIG_ADDRESS: u16 = 0xcf8;
const CONFIG_DATA: u16 = 0xcfc;
/// In the address: an access is meant, not a value for the port itself.
const ENABLE: u32 = 1 << 31;

/// Two accesses make one read, and nobody may come between them.
static LOCK: IrqSpinLock<()> = IrqSpinLock::new(());

/// Whether the machine has the ports: not asked, no, yes.
static FOUND: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const ABSENT: u8 = 1;
const PRESENT: u8 = 2;

/// Configuration space through the ports: a proof that the machine has them.
#[derive(Debug, Clone, Copy)]
pub struct Conf1(());

impl Conf1 {
    /// The ports, if the machine has them. That is found out once, as in Linux's `pci_check_type1`: an address stays that is written to the first.
    pub fn find() -> Option<Self> {
        if FOUND.load(Relaxed) == UNKNOWN {
            let state = if Self::is_there() { PRESENT } else { ABSENT };
            FOUND.store(state, Relaxed);
        }
        (FOUND.load(Relaxed) == PRESENT).then_some(Self(()))
    }

    fn is_there() -> bool {
        let _guard = LOCK.lock();
        // SAFETY: the ports are those of PCI or of nothing. The byte switches to this mechanism where there are two, and the address that was there comes back.
        unsafe {
            outb(CONFIG_ADDRESS + 3, 1);
            let before = inl(CONFIG_ADDRESS);
            outl(CONFIG_ADDRESS, ENABLE);
            let stays = inl(CONFIG_ADDRESS) == ENABLE;
            outl(CONFIG_ADDRESS, before);
            stays
        }
    }
}

impl ConfigRegionAccess for Conf1 {
    // SAFETY: asks no more of the caller than the trait does: an address of configuration space.
    unsafe fn read(&self, address: PciAddress, offset: u16) -> u32 {
        let place = u32::from(address.bus()) << 16 | u32::from(address.device()) << 11 | u32::from(address.function()) << 8;
        let _guard = LOCK.lock();
        // SAFETY: the ports are there, as `self` proves, and nobody comes between. Reading configuration space changes no device that keeps to the standard.
        unsafe {
            outl(CONFIG_ADDRESS, ENABLE | place | u32::from(offset) & 0xfc);
            inl(CONFIG_DATA)
        }
    }

    // SAFETY: asks no more of the caller than the trait does: that the device may be given the value.
    unsafe fn write(&self, address: PciAddress, offset: u16, value: u32) {
        let place = u32::from(address.bus()) << 16 | u32::from(address.device()) << 11 | u32::from(address.function()) << 8;
        let _guard = LOCK.lock();
        // SAFETY: as for reading; the caller vouches for what the device does with the value.
        unsafe {
            outl(CONFIG_ADDRESS, ENABLE | place | u32::from(offset) & 0xfc);
            outl(CONFIG_DATA, value);
        }
    }
}

/// Four bytes of a function's configuration space, at `offset` rounded down to a multiple of 4; all ones if there is no such function.
pub fn raw_pci_read(access: &impl ConfigRegionAccess, address: PciAddress, offset: u16) -> u32 {
    // SAFETY: reading configuration space changes nothing, and an address that nobody has reads as ones.
    unsafe { access.read(address, offset) }
}

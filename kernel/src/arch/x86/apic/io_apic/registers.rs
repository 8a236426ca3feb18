//! The registers of an I/O APIC (82093AA, 3.1): an index, and a window to the register that it names.

use crate::arch::x86::mm::ioremap::{CacheMode, IoMemory, ioremap};
use crate::locking::IrqSpinLock;
use crate::prelude::*;

/// Offsets in memory.
const INDEX: usize = 0x00;
const WINDOW: usize = 0x10;
/// Bytes that are mapped.
const LENGTH: usize = 0x20;

const ID: u8 = 0;
const VERSION: u8 = 1;
const ARBITRATION: u8 = 2;
/// The low half of the entry of input 0; each has two registers.
const FIRST_ENTRY: u8 = 0x10;

bitflags::bitflags! {
    /// The low half of an input's entry, beside the vector.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Entry: u32 {
        /// The line signals by being low, or by falling.
        const ACTIVE_LOW = 1 << 13;
        /// It signals by its level.
        const LEVEL = 1 << 15;
        /// Nothing is sent.
        const MASKED = 1 << 16;
    }
}

/// The registers; only one CPU at a time can use index and window.
pub(super) struct Registers(IrqSpinLock<IoMemory>);

fn read(memory: &IoMemory, register: u8) -> u32 {
    memory.write(INDEX, u32::from(register));
    memory.read(WINDOW)
}

fn write(memory: &IoMemory, register: u8, value: u32) {
    memory.write(INDEX, u32::from(register));
    memory.write(WINDOW, value);
}

/// The register with the low half of an input's entry; the one behind has the other half.
fn entry(pin: u32) -> u8 {
    FIRST_ENTRY + 2 * pin as u8
}

impl Registers {
    /// The registers at a physical address.
    #[init]
    pub(super) fn map(phys: u64) -> Result<Self, Errno> {
        Ok(Registers(IrqSpinLock::new(ioremap(phys, LENGTH, CacheMode::Uncached)?)))
    }

    /// Whether nothing answers there: Linux's `bad_ioapic_register`.
    #[init]
    pub(super) fn are_all_ones(&self) -> bool {
        let memory = self.0.lock();
        [ID, VERSION, ARBITRATION]
            .into_iter()
            .all(|register| read(&memory, register) == u32::MAX)
    }

    /// The version, and how many inputs there are.
    #[init]
    pub(super) fn version_and_pins(&self) -> (u32, u32) {
        let version = read(&self.0.lock(), VERSION);
        (version & 0xff, (version >> 16 & 0xff) + 1)
    }

    /// Lets no input send anything, whatever firmware has left.
    #[init]
    pub(super) fn mask_all(&self, pins: u32) {
        let memory = self.0.lock();
        for pin in 0..pins {
            write(&memory, entry(pin), Entry::MASKED.bits());
            write(&memory, entry(pin) + 1, 0);
        }
    }

    /// Changes flags of an input's entry. With the input masked it is read back, so that nothing comes any more afterwards.
    pub(super) fn update(&self, pin: u32, set: Entry, clear: Entry) {
        let memory = self.0.lock();
        let before = read(&memory, entry(pin));
        write(&memory, entry(pin), before & !clear.bits() | set.bits());
        if set.contains(Entry::MASKED) {
            read(&memory, entry(pin));
        }
    }

    /// Sends an input's interrupts to `vector` of the APIC `destination`. If the vector changes, nothing is sent meanwhile.
    pub(super) fn set_target(&self, pin: u32, vector: u8, destination: u32) {
        let memory = self.0.lock();
        let before = read(&memory, entry(pin));
        let changes = before & 0xff != u32::from(vector);
        if changes {
            write(&memory, entry(pin), before | Entry::MASKED.bits());
        }
        write(&memory, entry(pin) + 1, destination << 24);
        if changes {
            write(&memory, entry(pin), before & !0xff | u32::from(vector));
        }
    }
}

//! The entries: each begins with its kind, which says how long it is.

use core::fmt;

use crate::wire::Wire;

/// Where an interrupt comes from and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// 0 vectored, 1 not maskable, 2 system management, 3 from an 8259.
    pub kind: u8,
    /// Level and trigger: bits 0–1 and 2–3, as in ACPI.
    pub flags: u16,
    /// The bus that it comes from.
    pub source_bus: u8,
    /// Its number there.
    pub source_irq: u8,
    /// The controller that it goes to.
    pub destination: u8,
    /// The input there.
    pub input: u8,
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A processor.
    Processor {
        /// The number of its local interrupt controller.
        apic_id: u8,
        /// Whether it can be used.
        enabled: bool,
        /// Whether it is the one that boots.
        boots: bool,
    },
    /// A bus.
    Bus {
        /// Its number.
        id: u8,
        /// What it is: `ISA`, `PCI`, … filled up with spaces.
        kind: [u8; 6],
    },
    /// An I/O APIC.
    IoApic {
        /// Its number.
        id: u8,
        /// Its version.
        version: u8,
        /// Whether it can be used.
        enabled: bool,
        /// Physical address of its registers.
        address: u32,
    },
    /// An interrupt that goes to an I/O APIC.
    IoInterrupt(Interrupt),
    /// An interrupt that goes to processors' local controllers.
    LocalInterrupt(Interrupt),
}

/// Why the entries cannot be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryError {
    /// An entry of a kind that nobody knows, so that its length is unknown, too.
    Unknown {
        /// Where it is, from the first entry on.
        offset: usize,
        /// Its kind.
        kind: u8,
    },
    /// The table ends in the middle of an entry.
    CutShort {
        /// Where it is, from the first entry on.
        offset: usize,
        /// Its kind.
        kind: u8,
    },
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { offset, kind } => {
                write!(f, "entry at {offset:#x} has the unknown type {kind:#x}: the rest is ignored")
            }
            Self::CutShort { offset, kind } => write!(f, "entry at {offset:#x} (type {kind}) is cut short"),
        }
    }
}

impl core::error::Error for EntryError {}

/// Bytes of an entry of this kind.
const fn size_of(kind: u8) -> Option<usize> {
    match kind {
        0 => Some(20),
        1..=4 => Some(8),
        _ => None,
    }
}

impl Entry {
    fn of(bytes: &[u8]) -> Option<Self> {
        const USABLE: u8 = 1;
        const BOOTS: u8 = 2;
        Some(match bytes[0] {
            0 => Self::Processor {
                apic_id: bytes[1],
                enabled: bytes[3] & USABLE != 0,
                boots: bytes[3] & BOOTS != 0,
            },
            1 => Self::Bus {
                id: bytes[1],
                kind: Wire::read(&bytes[2..])?,
            },
            2 => Self::IoApic {
                id: bytes[1],
                version: bytes[2],
                enabled: bytes[3] & USABLE != 0,
                address: Wire::read(&bytes[4..])?,
            },
            kind => {
                let interrupt = Interrupt {
                    kind: bytes[1],
                    flags: Wire::read(&bytes[2..])?,
                    source_bus: bytes[4],
                    source_irq: bytes[5],
                    destination: bytes[6],
                    input: bytes[7],
                };
                if kind == 3 {
                    Self::IoInterrupt(interrupt)
                } else {
                    Self::LocalInterrupt(interrupt)
                }
            }
        })
    }
}

/// Walks the entries in `bytes`, up to their end or to the first that is none.
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = Result<Entry, EntryError>> {
    let mut offset = 0;
    core::iter::from_fn(move || {
        let rest = bytes.get(offset..)?;
        let &kind = rest.first()?;
        let Some(size) = size_of(kind) else {
            let error = EntryError::Unknown { offset, kind };
            offset = bytes.len();
            return Some(Err(error));
        };
        let Some(entry) = rest.get(..size).and_then(Entry::of) else {
            let error = EntryError::CutShort { offset, kind };
            offset = bytes.len();
            return Some(Err(error));
        };
        offset += size;
        Some(Ok(entry))
    })
}

/// As Linux's log shows it, with `apic=verbose`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Processor { apic_id, enabled, boots } => {
                let state = if enabled { "" } else { " (disabled)" };
                write!(f, "Processor #{apic_id}{}{state}", if boots { " (Bootup-CPU)" } else { "" })
            }
            Self::Bus { id, kind } => write!(f, "Bus #{id} is {}", super::Name(&kind)),
            Self::IoApic {
                id,
                version,
                enabled,
                address,
            } => {
                let state = if enabled { "" } else { " (disabled)" };
                write!(f, "I/O APIC #{id} Version {version} at 0x{address:X}.{state}")
            }
            Self::IoInterrupt(interrupt) => write!(f, "Int: {interrupt}"),
            Self::LocalInterrupt(interrupt) => write!(f, "Lint: {interrupt}"),
        }
    }
}

impl fmt::Display for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "type {}, pol {}, trig {}, bus {:02x}, IRQ {:02x}, APIC ID {:x}, APIC INT {:02x}",
            self.kind,
            self.flags & 3,
            self.flags >> 2 & 3,
            self.source_bus,
            self.source_irq,
            self.destination,
            self.input
        )
    }
}

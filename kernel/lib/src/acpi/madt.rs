//! The interrupt controllers, and by way of their local ones the processors.

use core::fmt;

use super::record::{Record, RecordError, records};
use crate::wire::Wire;

/// The multiple APIC description table (ACPI 5.2.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Madt<'a> {
    table: &'a [u8],
    /// Physical address of every processor's local interrupt controller.
    pub local_apic: u32,
    /// Bit 0: there is a pair of 8259, too.
    pub flags: u32,
}

/// Where the entries begin.
const ENTRIES: usize = 44;

/// How an interrupt line signals (the MultiProcessor Specification's `INTI` flags).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InterruptFlags(pub u16);

impl InterruptFlags {
    /// Which level is active: `dfl` as the bus has it, `high`, `low`; `res` is no valid value.
    #[must_use]
    pub const fn polarity(self) -> &'static str {
        ["dfl", "high", "res", "low"][(self.0 & 3) as usize]
    }

    /// What triggers: `dfl` as the bus has it, `edge`, `level`; `res` is no valid value.
    #[must_use]
    pub const fn trigger(self) -> &'static str {
        ["dfl", "edge", "res", "level"][(self.0 >> 2 & 3) as usize]
    }
}

impl fmt::Display for InterruptFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.polarity(), self.trigger())
    }
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields have the specification's names, which the variants' documentation explains"
)]
pub enum MadtEntry {
    /// A processor: its number in AML, its APIC id, bit 0 enabled, bit 1 can be enabled later.
    LocalApic { acpi_id: u8, apic_id: u8, flags: u32 },
    /// An I/O APIC, its physical address, and the number of its first interrupt among all.
    IoApic { id: u8, address: u32, gsi_base: u32 },
    /// An ISA interrupt that arrives elsewhere than at its own number, or otherwise.
    Override {
        bus: u8,
        source: u8,
        gsi: u32,
        flags: InterruptFlags,
    },
    /// An interrupt that is not maskable.
    NmiSource { flags: InterruptFlags, gsi: u32 },
    /// The input of a local controller that is not maskable; processor 0xff is all of them.
    LocalNmi { acpi_id: u8, flags: InterruptFlags, lint: u8 },
    /// Where the local controllers are, if above 4 GiB.
    LocalApicAddress { address: u64 },
    /// A processor whose APIC id needs more than 8 bits.
    LocalX2apic { apic_id: u32, flags: u32, uid: u32 },
    /// [`LocalNmi`](Self::LocalNmi) for such processors; 0xffffffff is all of them.
    LocalX2apicNmi { flags: InterruptFlags, uid: u32, lint: u8 },
    /// The mailbox by which other processors are started.
    Wakeup { version: u16, mailbox: u64 },
    /// Any other kind.
    Other { kind: u8 },
}

impl MadtEntry {
    /// `flags` of a processor: it may be started.
    pub const ENABLED: u32 = 1;
    /// `flags` of a processor: it may be started once it has been plugged in.
    pub const ONLINE_CAPABLE: u32 = 1 << 1;

    /// Bytes of an entry of this kind, if it is one of those that are taken apart.
    const fn size_of(kind: u8) -> Option<usize> {
        Some(match kind {
            0 | 3 => 8,
            1 | 5 | 10 => 12,
            2 => 10,
            4 => 6,
            9 | 16 => 16,
            _ => return None,
        })
    }

    fn of(record: Record<'_>) -> Result<Self, RecordError> {
        let bytes = record.bytes;
        if let Some(needed) = Self::size_of(record.kind())
            && bytes.len() < needed
        {
            return Err(record.too_short(needed));
        }
        Ok(match record.kind() {
            0 => Self::LocalApic {
                acpi_id: at(bytes, 2),
                apic_id: at(bytes, 3),
                flags: at(bytes, 4),
            },
            1 => Self::IoApic {
                id: at(bytes, 2),
                address: at(bytes, 4),
                gsi_base: at(bytes, 8),
            },
            2 => Self::Override {
                bus: at(bytes, 2),
                source: at(bytes, 3),
                gsi: at(bytes, 4),
                flags: InterruptFlags(at(bytes, 8)),
            },
            3 => Self::NmiSource {
                flags: InterruptFlags(at(bytes, 2)),
                gsi: at(bytes, 4),
            },
            4 => Self::LocalNmi {
                acpi_id: at(bytes, 2),
                flags: InterruptFlags(at(bytes, 3)),
                lint: at(bytes, 5),
            },
            5 => Self::LocalApicAddress { address: at(bytes, 4) },
            9 => Self::LocalX2apic {
                apic_id: at(bytes, 4),
                flags: at(bytes, 8),
                uid: at(bytes, 12),
            },
            10 => Self::LocalX2apicNmi {
                flags: InterruptFlags(at(bytes, 2)),
                uid: at(bytes, 4),
                lint: at(bytes, 8),
            },
            16 => Self::Wakeup {
                version: at(bytes, 2),
                mailbox: at(bytes, 8),
            },
            kind => Self::Other { kind },
        })
    }
}

/// The value at `offset`, whose bytes are there.
fn at<T: Wire + Default>(bytes: &[u8], offset: usize) -> T {
    bytes.get(offset..).and_then(T::read).unwrap_or_default()
}

impl<'a> Madt<'a> {
    /// Takes the table's fixed fields; `None` if it is too short for them.
    #[must_use]
    pub fn parse(table: &'a [u8]) -> Option<Self> {
        let local_apic = u32::read(table.get(36..)?)?;
        let flags = u32::read(table.get(40..)?)?;
        Some(Self { table, local_apic, flags })
    }

    /// Whether there is a pair of 8259, too.
    #[must_use]
    pub const fn has_8259(&self) -> bool {
        self.flags & 1 != 0
    }

    /// The entries, and what is wrong with those that are none.
    pub fn entries(&self) -> impl Iterator<Item = Result<MadtEntry, RecordError>> + use<'a> {
        records(self.table, ENTRIES).map(|record| MadtEntry::of(record?))
    }
}

/// As Linux's log shows it.
impl fmt::Display for MadtEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = |flags: u32| if flags & Self::ENABLED != 0 { "enabled" } else { "disabled" };
        match *self {
            Self::LocalApic { acpi_id, apic_id, flags } => {
                write!(f, "LAPIC (acpi_id[{acpi_id:#04x}] lapic_id[{apic_id:#04x}] {})", state(flags))
            }
            Self::IoApic { id, address, gsi_base } => write!(f, "IOAPIC (id[{id:#04x}] address[{address:#010x}] gsi_base[{gsi_base}])"),
            Self::Override { bus, source, gsi, flags } => write!(f, "INT_SRC_OVR (bus {bus} bus_irq {source} global_irq {gsi} {flags})"),
            Self::NmiSource { flags, gsi } => write!(f, "NMI_SRC ({flags} global_irq {gsi})"),
            Self::LocalNmi { acpi_id, flags, lint } => write!(f, "LAPIC_NMI (acpi_id[{acpi_id:#04x}] {flags} lint[{lint:#x}])"),
            Self::LocalApicAddress { address } => write!(f, "LAPIC_ADDR_OVR (address[{address:#018x}])"),
            Self::LocalX2apic { apic_id, flags, uid } => {
                write!(f, "X2APIC (apic_id[{apic_id:#04x}] uid[{uid:#04x}] {})", state(flags))
            }
            Self::LocalX2apicNmi { flags, uid, lint } => write!(f, "X2APIC_NMI (uid[{uid:#04x}] {flags} lint[{lint:#x}])"),
            Self::Wakeup { version, mailbox } => write!(f, "MP Wakeup (mailbox version[{version}] address[{mailbox:#018x}])"),
            Self::Other { kind } => write!(f, "Found unsupported MADT entry (type = {kind:#x})"),
        }
    }
}

//! Writes ACPI tables, sound ones and others, into a piece of memory that tests hand to the walk or to a guest.

use std::vec::Vec;

use super::{Header, Rsdp, Signature};
use crate::checksum::sum;
use crate::wire::Wire;

/// Physical memory from an address on, filled with tables one behind the other.
#[derive(Clone, Debug)]
pub struct Firmware {
    base: u64,
    bytes: Vec<u8>,
}

impl Firmware {
    /// Empty memory from physical address `base` on; its first bytes are kept for the root pointer.
    #[must_use]
    pub fn new(base: u64) -> Self {
        Self {
            base,
            bytes: std::vec![0; 64],
        }
    }

    /// Where the memory begins, and with it the root pointer.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The memory's content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the next table will be.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Puts bytes as they are behind what is there. Returns their address.
    pub fn push(&mut self, bytes: &[u8]) -> u64 {
        let at = self.next();
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(16), 0);
        at
    }

    /// Puts a sound table behind what is there. Returns its address.
    pub fn table(&mut self, signature: &[u8; 4], body: &[u8]) -> u64 {
        self.push(&table(signature, body))
    }

    /// Puts a root table with 32-bit addresses behind what is there. Returns its address.
    pub fn rsdt(&mut self, entries: &[u64]) -> u64 {
        let body: Vec<u8> = entries.iter().flat_map(|entry| (*entry as u32).to_le_bytes()).collect();
        self.table(b"RSDT", &body)
    }

    /// Puts a root table with 64-bit addresses behind what is there. Returns its address.
    pub fn xsdt(&mut self, entries: &[u64]) -> u64 {
        let body: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        self.table(b"XSDT", &body)
    }

    /// Writes a sound root pointer of ACPI 1.0 to the beginning.
    pub fn rsdp(&mut self, rsdt: u64) {
        self.root_pointer(rsdt as u32, 0, 0);
    }

    /// Writes a sound root pointer of revision 2 to the beginning.
    pub fn rsdp_2(&mut self, rsdt: u64, xsdt: u64) {
        self.root_pointer(rsdt as u32, xsdt, 2);
    }

    /// Writes a root pointer whose checksums are right.
    pub fn root_pointer(&mut self, rsdt: u32, xsdt: u64, revision: u8) {
        let rsdp = Rsdp {
            signature: Rsdp::SIGNATURE,
            oem_id: *b"INCPIT",
            revision,
            rsdt,
            xsdt,
            length: Rsdp::SIZE as u32,
            ..Rsdp::default()
        };
        let place = &mut self.bytes[..Rsdp::SIZE];
        rsdp.write(place).expect("the beginning has room");
        place[8] = sum(&place[..Rsdp::OLD_SIZE]).wrapping_neg();
        place[32] = sum(place).wrapping_neg();
    }

    /// Changes the byte at physical address `phys`.
    pub fn flip(&mut self, phys: u64) {
        self.bytes[(phys - self.base) as usize] ^= 0x5a;
    }

    /// Replaces the bytes at physical address `phys`.
    pub fn patch(&mut self, phys: u64, bytes: &[u8]) {
        self.bytes[(phys - self.base) as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Access to the memory, as [`walk`](super::walk) wants it.
    pub fn map<'a>(&'a self) -> impl FnMut(u64, usize) -> Option<&'a [u8]> + Clone {
        |phys, length| self.bytes.get(usize::try_from(phys.checked_sub(self.base)?).ok()?..)?.get(..length)
    }
}

/// A sound table with this body behind the header.
#[must_use]
pub fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let header = Header {
        signature: Signature(*signature),
        length: (Header::SIZE + body.len()) as u32,
        revision: 3,
        oem_id: *b"INCPIT",
        oem_table_id: *b"CORPUS  ",
        oem_revision: 1,
        creator_id: *b"TEST",
        creator_revision: 1,
        ..Header::default()
    };
    let mut bytes = std::vec![0; Header::SIZE];
    header.write(&mut bytes).expect("room for a header");
    bytes.extend_from_slice(body);
    bytes[9] = sum(&bytes).wrapping_neg();
    bytes
}

/// The body of an MADT: the local controllers' address, flags, then `entries` as they are.
#[must_use]
pub fn madt(entries: &[u8]) -> Vec<u8> {
    let mut body = 0xfee0_0000_u32.to_le_bytes().to_vec();
    body.extend(1_u32.to_le_bytes());
    body.extend_from_slice(entries);
    body
}

/// An MADT's entry of a processor.
#[must_use]
pub fn local_apic(acpi_id: u8, apic_id: u8, flags: u32) -> Vec<u8> {
    [&[0, 8, acpi_id, apic_id][..], &flags.to_le_bytes()].concat()
}

/// An MADT's entry of a processor in the form for ids that do not fit into eight bits.
#[must_use]
pub fn local_x2apic(acpi_id: u32, apic_id: u32, flags: u32) -> Vec<u8> {
    let words = [apic_id, flags, acpi_id];
    [9, 16, 0, 0]
        .into_iter()
        .chain(words.into_iter().flat_map(u32::to_le_bytes))
        .collect()
}

/// An SRAT's entry of memory that is enabled.
#[must_use]
pub fn memory_affinity(domain: u32, base: u64, length: u64) -> Vec<u8> {
    let mut entry = std::vec![1, 40];
    entry.extend(domain.to_le_bytes());
    entry.extend([0; 2]);
    entry.extend(base.to_le_bytes());
    entry.extend(length.to_le_bytes());
    entry.extend([0; 4]);
    entry.extend(1_u32.to_le_bytes());
    entry.extend([0; 8]);
    entry
}

/// The body of an SRAT with these entries.
#[must_use]
pub fn srat(entries: &[u8]) -> Vec<u8> {
    let mut body = std::vec![0; 12];
    body.extend_from_slice(entries);
    body
}

/// The body of a SLIT.
#[must_use]
pub fn slit(count: u64, distances: &[u8]) -> Vec<u8> {
    [&count.to_le_bytes()[..], distances].concat()
}

//! Writing the memory map: the first 128 ranges into the zero page, the others into a `setup_data` node behind it.

use super::{BootParams, SetupData, SetupHeader, SetupType};
use crate::e820::{E820Entry, E820Table};
use crate::wire::Wire;

/// Room for the [`E820_EXT`](SetupType::E820_EXT) node with the ranges that the page does not hold. The kernel is told its physical address, so it stays where it
/// is.
#[derive(Clone, Debug)]
pub struct E820Extension {
    bytes: [u8; Self::SIZE],
}

impl E820Extension {
    /// Ranges that a node of this kind holds: as many as the kernel's own table has room for beyond the page's.
    pub const MAX: usize = E820Table::CAPACITY - BootParams::E820_MAX;

    const SIZE: usize = SetupData::HEADER + Self::MAX * E820Entry::SIZE;

    /// A node without ranges.
    pub const fn new() -> Self {
        Self { bytes: [0; Self::SIZE] }
    }

    /// The node as it is to lie in memory.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Makes the header say that the first `count` ranges are valid, and that `next` follows in the chain.
    fn close(&mut self, count: usize, next: u64) {
        let length = (count * E820Entry::SIZE) as u32;
        let header = (next, SetupType::E820_EXT.0, length);
        let written = header
            .0
            .write(&mut self.bytes)
            .and_then(|()| header.1.write(&mut self.bytes[8..]))
            .and_then(|()| header.2.write(&mut self.bytes[12..]));
        debug_assert!(written.is_some());
    }
}

impl Default for E820Extension {
    fn default() -> Self {
        Self::new()
    }
}

/// A memory map that is being written.
#[derive(Debug)]
pub struct MemoryMapWriter<'a> {
    params: &'a mut BootParams,
    extension: &'a mut E820Extension,
    count: usize,
    dropped: usize,
}

impl<'a> MemoryMapWriter<'a> {
    /// Begins the map of `params` anew, with room in `extension` for what the page does not hold.
    pub fn new(params: &'a mut BootParams, extension: &'a mut E820Extension) -> Self {
        params.set_e820_entries(0);
        Self {
            params,
            extension,
            count: 0,
            dropped: 0,
        }
    }

    /// Adds a range, or counts it as dropped if there is no more room.
    pub fn push(&mut self, entry: E820Entry) {
        let place = match self.count.checked_sub(BootParams::E820_MAX) {
            None => Some(self.params.e820_slot(self.count)),
            Some(behind) => self.extension.bytes[SetupData::HEADER..]
                .chunks_exact_mut(E820Entry::SIZE)
                .nth(behind),
        };
        match place.and_then(|place| entry.write(place)) {
            Some(()) => self.count += 1,
            None => self.dropped += 1,
        }
    }

    /// Ends the map. If it needed the extension, that becomes the first node of the page's chain; `extension_phys` is its physical address. Returns how many
    /// ranges did not fit anywhere.
    pub fn finish(self, extension_phys: u64) -> usize {
        self.params.set_e820_entries(self.count.min(BootParams::E820_MAX) as u8);
        if let Some(behind @ 1..) = self.count.checked_sub(BootParams::E820_MAX) {
            let hdr = self.params.hdr();
            self.extension.close(behind, hdr.setup_data);
            self.params.set_hdr(SetupHeader {
                setup_data: extension_phys,
                ..hdr
            });
        }
        self.dropped
    }
}

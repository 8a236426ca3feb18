//! The `setup_data` chain: what a loader hands over beyond the zero page.
//!
//! Nodes are linked by physical address. The walker sees memory only through the caller's mapping,
//! visits no node twice and no more than [`SetupDataChain::MAX_NODES`], and stops at the first node
//! that is not what it should be.

use crate::e820::E820Entry;
use crate::wire::Wire;
use core::fmt;

/// What a node holds (`SETUP_*`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SetupType(pub u32);

impl SetupType {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Memory map entries that did not fit in the page.
    pub const E820_EXT: Self = Self(1);
    /// A flattened device tree.
    pub const DTB: Self = Self(2);
    /// An option ROM.
    pub const PCI: Self = Self(3);
    /// EFI tables, from kexec.
    pub const EFI: Self = Self(4);
    /// Apple device properties.
    pub const APPLE_PROPERTIES: Self = Self(5);
    /// The Jailhouse hypervisor's parameters.
    pub const JAILHOUSE: Self = Self(6);
    /// The confidential-computing blob.
    pub const CC_BLOB: Self = Self(7);
    /// Measurements, from kexec.
    pub const IMA: Self = Self(8);
    /// A seed for the random number generator.
    pub const RNG_SEED: Self = Self(9);
    /// The data is elsewhere: [`SetupData::indirect`].
    pub const INDIRECT: Self = Self(1 << 31);
}

impl fmt::Debug for SetupType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::NONE => "NONE",
            Self::E820_EXT => "E820_EXT",
            Self::DTB => "DTB",
            Self::PCI => "PCI",
            Self::EFI => "EFI",
            Self::APPLE_PROPERTIES => "APPLE_PROPERTIES",
            Self::JAILHOUSE => "JAILHOUSE",
            Self::CC_BLOB => "CC_BLOB",
            Self::IMA => "IMA",
            Self::RNG_SEED => "RNG_SEED",
            Self::INDIRECT => "INDIRECT",
            Self(other) => return write!(f, "SetupType({other:#x})"),
        })
    }
}

/// One node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupData<'a> {
    /// Physical address of the node, header included.
    pub phys: u64,
    /// What it holds.
    pub kind: SetupType,
    /// What follows the header.
    pub data: &'a [u8],
}

/// Where the data of an [`INDIRECT`](SetupType::INDIRECT) node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupIndirect {
    /// What it holds.
    pub kind: SetupType,
    /// Its size.
    pub len: u64,
    /// Its physical address.
    pub addr: u64,
}

impl SetupData<'_> {
    /// Size of a node's header.
    pub const HEADER: usize = 16;

    /// Size of the node, header included: what must be reserved at [`phys`](Self::phys).
    pub fn size(&self) -> u64 {
        (Self::HEADER + self.data.len()) as u64
    }

    /// The pointer in an [`INDIRECT`](SetupType::INDIRECT) node; `None` for others, or if it is cut
    /// short or points to another pointer.
    pub fn indirect(&self) -> Option<SetupIndirect> {
        if self.kind != SetupType::INDIRECT {
            return None;
        }
        let kind = SetupType(u32::read(self.data)?);
        let len = u64::read(self.data.get(8..)?)?;
        let addr = u64::read(self.data.get(16..)?)?;
        (kind != SetupType::INDIRECT).then_some(SetupIndirect { kind, len, addr })
    }

    /// The memory map entries of an [`E820_EXT`](SetupType::E820_EXT) node; none for others. An
    /// entry that is cut short is left out.
    pub fn e820_entries(&self) -> impl Iterator<Item = E820Entry> + '_ {
        let data = if self.kind == SetupType::E820_EXT { self.data } else { &[] };
        data.chunks_exact(E820Entry::SIZE).filter_map(E820Entry::read)
    }
}

/// Why a chain ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupDataError {
    /// The node's header or data is not in memory that can be read.
    Unmapped {
        /// Address of the node.
        phys: u64,
        /// Claimed size of its data; 0 if the header itself is out of reach.
        len: u32,
    },
    /// The chain leads back to this node.
    Loop {
        /// Address of the node.
        phys: u64,
    },
    /// More nodes than [`SetupDataChain::MAX_NODES`].
    TooLong,
}

impl fmt::Display for SetupDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmapped { phys, len } => {
                write!(f, "setup_data: node at {phys:#x} with {len} bytes is out of reach")
            }
            Self::Loop { phys } => write!(f, "setup_data: chain leads back to {phys:#x}"),
            Self::TooLong => {
                write!(f, "setup_data: more than {} nodes", SetupDataChain::<()>::MAX_NODES)
            }
        }
    }
}

impl core::error::Error for SetupDataError {}

/// Walks the chain that begins at physical address `first` (`hdr.setup_data`; 0 is an empty chain).
/// `map(phys, len)` gives access to memory, or `None` where there is none that may be read. After
/// an error the walk is over.
pub fn walk_setup_data<'a, F>(first: u64, map: F) -> SetupDataChain<F>
where
    F: FnMut(u64, usize) -> Option<&'a [u8]>,
{
    SetupDataChain {
        map,
        next: first,
        seen: [0; MAX_NODES],
        count: 0,
    }
}

const MAX_NODES: usize = 128;

/// Iterator of [`walk_setup_data`].
#[derive(Clone, Debug)]
pub struct SetupDataChain<F> {
    map: F,
    next: u64,
    seen: [u64; MAX_NODES],
    count: usize,
}

impl<F> SetupDataChain<F> {
    /// How many nodes a chain may have.
    pub const MAX_NODES: usize = MAX_NODES;
}

impl<'a, F: FnMut(u64, usize) -> Option<&'a [u8]>> SetupDataChain<F> {
    fn visit(&mut self, phys: u64) -> Result<SetupData<'a>, SetupDataError> {
        if self.seen[..self.count].contains(&phys) {
            return Err(SetupDataError::Loop { phys });
        }
        *self.seen.get_mut(self.count).ok_or(SetupDataError::TooLong)? = phys;
        self.count += 1;

        let header = self
            .map_at(phys, SetupData::HEADER)
            .and_then(|bytes| Some((u64::read(bytes)?, u32::read(&bytes[8..])?, u32::read(&bytes[12..])?)));
        let (next, kind, len) = header.ok_or(SetupDataError::Unmapped { phys, len: 0 })?;
        let data = phys
            .checked_add(SetupData::HEADER as u64)
            .and_then(|phys| self.map_at(phys, len as usize))
            .ok_or(SetupDataError::Unmapped { phys, len })?;
        self.next = next;
        Ok(SetupData {
            phys,
            kind: SetupType(kind),
            data,
        })
    }

    /// Maps exactly `len` bytes, none of them past the end of the address space.
    fn map_at(&mut self, phys: u64, len: usize) -> Option<&'a [u8]> {
        phys.checked_add(len as u64)?;
        (self.map)(phys, len)?.get(..len)
    }
}

impl<'a, F: FnMut(u64, usize) -> Option<&'a [u8]>> Iterator for SetupDataChain<F> {
    type Item = Result<SetupData<'a>, SetupDataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let phys = self.next;
        if phys == 0 {
            return None;
        }
        self.next = 0;
        Some(self.visit(phys))
    }
}

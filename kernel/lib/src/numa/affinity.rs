//! From proximity domains, as firmware numbers them, to nodes.

use core::fmt;

use arrayvec::ArrayVec;

use super::{Blocks, MAX_NODES, Mem, NodesError};
use crate::acpi::{MemoryAffinity, RecordError, Srat, SratEntry};

/// What the SRAT says, with nodes for domains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affinity {
    /// The domain of each node.
    domains: ArrayVec<u32, MAX_NODES>,
    blocks: Blocks,
}

/// A line of the log about the SRAT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AffinityLine {
    /// A processor and its node.
    Processor {
        /// The domain.
        domain: u32,
        /// The processor's APIC id.
        apic_id: u32,
        /// The node.
        nid: usize,
    },
    /// Memory and its node.
    Memory {
        /// The entry.
        memory: MemoryAffinity,
        /// The node.
        nid: usize,
    },
    /// An entry of memory that wraps around.
    Invalid {
        /// The entry.
        memory: MemoryAffinity,
        /// The node.
        nid: usize,
    },
    /// A domain too many: the table is not used.
    TooManyDomains(u32),
    /// A damaged entry, behind which nothing is read.
    Damaged(RecordError),
}

impl fmt::Display for AffinityLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processor { domain, apic_id, nid } => write!(f, "SRAT: PXM {domain} -> APIC {apic_id:#04x} -> Node {nid}"),
            Self::Memory { memory, nid } => {
                let range = memory.base..memory.base.wrapping_add(memory.length);
                let hotplug = if memory.hotplug { " hotplug" } else { "" };
                let kept = if memory.non_volatile { " non-volatile" } else { "" };
                write!(f, "ACPI: SRAT: Node {nid} PXM {} {}{hotplug}{kept}", memory.domain, Mem(&range))
            }
            Self::Invalid { memory, nid } => {
                let range = memory.base..memory.base.wrapping_add(memory.length);
                write!(f, "NUMA: Warning: invalid memblk node {nid} {}", Mem(&range))
            }
            Self::TooManyDomains(domain) => write!(f, "SRAT: Too many proximity domains {domain:x}"),
            Self::Damaged(error) => write!(f, "ACPI: SRAT: {error}"),
        }
    }
}

impl Affinity {
    /// Takes the table over, for at most `max_nodes` nodes, and returns whether it is to be used. Domains get their nodes in the order of their entries, those of processors before those
    /// of memory. What is read is told to `say`.
    ///
    /// # Errors
    ///
    /// [`NodesError::TooManyBlocks`].
    pub fn read(&mut self, srat: &Srat<'_>, max_nodes: usize, mut say: impl FnMut(AffinityLine)) -> Result<bool, NodesError> {
        for entry in srat.entries() {
            match entry {
                Ok(SratEntry::Processor { domain, apic_id }) => {
                    let Some(nid) = self.node(domain, max_nodes) else {
                        say(AffinityLine::TooManyDomains(domain));
                        return Ok(false);
                    };
                    say(AffinityLine::Processor { domain, apic_id, nid });
                }
                Ok(_) => {}
                Err(error) => say(AffinityLine::Damaged(error)),
            }
        }
        for memory in srat.memory() {
            let Some(nid) = self.node(memory.domain, max_nodes) else {
                say(AffinityLine::TooManyDomains(memory.domain));
                return Ok(false);
            };
            match memory.range() {
                Some(range) => {
                    say(AffinityLine::Memory { memory, nid });
                    self.blocks.add(range, nid)?;
                }
                None if memory.length == 0 => {}
                None => say(AffinityLine::Invalid { memory, nid }),
            }
        }
        Ok(true)
    }

    /// The memory that it names.
    #[must_use]
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// The memory that it names, to be checked.
    pub fn blocks_mut(&mut self) -> &mut Blocks {
        &mut self.blocks
    }

    /// The node of a domain; `None` if no entry has named it.
    #[must_use]
    pub fn node_of(&self, domain: u32) -> Option<usize> {
        self.domains.iter().position(|known| *known == domain)
    }

    /// The node of a domain, a new one if it has none.
    fn node(&mut self, domain: u32, max_nodes: usize) -> Option<usize> {
        if let Some(nid) = self.node_of(domain) {
            return Some(nid);
        }
        let nid = self.domains.len();
        (nid < max_nodes && self.domains.try_push(domain).is_ok()).then_some(nid)
    }
}

//! In what the registers of two CPUs differ: all CPUs must have the same ones (SDM 3, 12.11.8), and firmware forgets some (Linux's `mtrr_state_warn`).

use super::{Mtrrs, VariableRange, limit};

bitflags::bitflags! {
    /// What differs.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Differences: u8 {
        /// Types of the first MiB.
        const FIXED = 1 << 0;
        /// Ranges that count on one of them at least.
        const VARIABLE = 1 << 1;
        /// The type of memory without a range, and what counts.
        const DEF_TYPE = 1 << 2;
    }
}

/// The bits of `IA32_MTRR_DEF_TYPE` that mean something.
pub const DEF_TYPE_BITS: u64 = 0xcff;
/// The type, in a range's base.
const TYPE_BITS: u64 = 0xff;
/// Whether the range counts, in its mask.
const VALID: u64 = 1 << 11;

impl Mtrrs {
    /// In what the registers of `other` differ. Bits without a meaning do not count, nor do ranges that count on neither.
    #[must_use]
    pub fn differences(&self, other: &Mtrrs) -> Differences {
        let mut found = Differences::empty();
        let has_fixed = self.cap & 1 << 8 != 0;
        found.set(Differences::FIXED, has_fixed && self.fixed != other.fixed);
        let count = self.count().max(other.count());
        let mut pairs = self.variable[..count].iter().zip(&other.variable[..count]);
        found.set(
            Differences::VARIABLE,
            pairs.any(|(one, another)| one.meaning(self.phys_bits) != another.meaning(self.phys_bits)),
        );
        found.set(Differences::DEF_TYPE, (self.def_type ^ other.def_type) & DEF_TYPE_BITS != 0);
        found
    }
}

impl VariableRange {
    /// The bits of both registers that mean something; none if the range does not count.
    fn meaning(&self, phys_bits: u8) -> Option<(u64, u64)> {
        let address = limit(phys_bits) & !0xfff;
        (self.mask & VALID != 0).then_some((self.base & (address | TYPE_BITS), self.mask & address))
    }
}

impl Differences {
    /// What the log is told of them.
    pub fn lines(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::FIXED, "your CPUs had inconsistent fixed MTRR settings"),
            (Self::VARIABLE, "your CPUs had inconsistent variable MTRR settings"),
            (Self::DEF_TYPE, "your CPUs had inconsistent MTRRdefType settings"),
        ]
        .into_iter()
        .filter_map(move |(which, line)| self.contains(which).then_some(line))
    }
}

//! Memory type range registers (SDM 3, 12.11): what their values mean.
//!
//! Firmware writes them, and firmware errs: masks with holes or for fewer address bits than there are, ranges that overlap, types that do not exist. Nothing here
//! reads a register; behaviour and texts are those of Linux's `arch/x86/kernel/cpu/mtrr`.

mod coverage;
mod differ;
#[cfg(test)]
mod tests;

use core::fmt;

pub use coverage::Coverage;
pub use differ::{DEF_TYPE_BITS, Differences};

/// The most variable ranges that there are numbers for, between registers 0x200 and 0x24f.
pub const MAX_VARIABLE: usize = 40;

/// Pieces of the first MiB that have a type of their own.
pub const FIXED: usize = 88;

const PAGE: u64 = 1 << 12;
const MIB: u64 = 1 << 20;

/// How memory is cached. Any number may come from firmware; the known ones have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryType(pub u8);

impl MemoryType {
    /// Every access goes to the bus.
    pub const UNCACHABLE: Self = Self(0);
    /// Writes are put together.
    pub const WRITE_COMBINING: Self = Self(1);
    /// Reads are cached, writes go through.
    pub const WRITE_THROUGH: Self = Self(4);
    /// Reads are cached, writes go to the bus.
    pub const WRITE_PROTECT: Self = Self(5);
    /// Everything is cached.
    pub const WRITE_BACK: Self = Self(6);

    /// What memory is that two ranges claim, or `UNCACHABLE` where the manual leaves it open.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::WRITE_BACK, Self::WRITE_THROUGH) | (Self::WRITE_THROUGH, Self::WRITE_BACK) => Self::WRITE_THROUGH,
            _ => Self::UNCACHABLE,
        }
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match *self {
            Self::UNCACHABLE => "uncachable",
            Self::WRITE_COMBINING => "write-combining",
            Self::WRITE_THROUGH => "write-through",
            Self::WRITE_PROTECT => "write-protect",
            Self::WRITE_BACK => "write-back",
            _ => "?",
        })
    }
}

/// A variable range, as its two registers hold it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VariableRange {
    /// `IA32_MTRR_PHYSBASE`: base and type.
    pub base: u64,
    /// `IA32_MTRR_PHYSMASK`: mask and whether the range counts.
    pub mask: u64,
}

/// Where a variable range lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first byte.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// How they are cached.
    pub kind: MemoryType,
    /// Whether the mask was for fewer address bits than there are, and is taken as it was meant.
    pub mended: bool,
}

impl VariableRange {
    /// Where the range lies, on a processor with `phys_bits` bits of physical address; `None` if it does not count. A mask with holes is a range here as in Linux,
    /// though it matches many: [`Mtrrs::type_at`] is exact.
    #[must_use]
    pub fn extent(&self, phys_bits: u8) -> Option<Extent> {
        if self.mask & 1 << 11 == 0 {
            return None;
        }
        let limit = limit(phys_bits);
        let mask = self.mask & limit & !(PAGE - 1);
        let above = mask.checked_ilog2().map_or(0, |highest| !((1 << highest) - 1));
        let whole = (mask | above) & limit;
        Some(Extent {
            base: self.base & limit & !(PAGE - 1),
            size: (!whole & limit).wrapping_add(1),
            kind: MemoryType(self.base as u8),
            mended: whole != mask,
        })
    }

    fn matches(&self, address: u64, phys_bits: u8) -> bool {
        let mask = self.mask & limit(phys_bits) & !(PAGE - 1);
        self.mask & 1 << 11 != 0 && address & mask == self.base & mask
    }
}

/// The last physical address. No processor has more than 52 bits (SDM 3, 4.1.4).
fn limit(phys_bits: u8) -> u64 {
    (1 << phys_bits.clamp(12, 52)) - 1
}

/// What all registers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mtrrs {
    /// Bits of a physical address.
    pub phys_bits: u8,
    /// `IA32_MTRRCAP`.
    pub cap: u64,
    /// `IA32_MTRR_DEF_TYPE`.
    pub def_type: u64,
    /// The types of the first MiB: 8 of 64 KiB, 16 of 16 KiB, 64 of 4 KiB.
    pub fixed: [MemoryType; FIXED],
    /// The variable ranges; only [`count`](Self::count) count.
    pub variable: [VariableRange; MAX_VARIABLE],
}

impl Mtrrs {
    /// Registers that say nothing: to be filled in.
    #[must_use]
    pub const fn new(phys_bits: u8, cap: u64, def_type: u64) -> Self {
        Self {
            phys_bits,
            cap,
            def_type,
            fixed: [MemoryType::UNCACHABLE; FIXED],
            variable: [VariableRange { base: 0, mask: 0 }; MAX_VARIABLE],
        }
    }

    /// Whether the registers count at all.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.def_type & 1 << 11 != 0
    }

    /// Whether those of the first MiB count.
    #[must_use]
    pub fn fixed_enabled(&self) -> bool {
        self.enabled() && self.cap & 1 << 8 != 0 && self.def_type & 1 << 10 != 0
    }

    /// How memory is cached that no range has.
    #[must_use]
    pub fn default_type(&self) -> MemoryType {
        MemoryType(self.def_type as u8)
    }

    /// How many variable ranges there are.
    #[must_use]
    pub fn count(&self) -> usize {
        ((self.cap & 0xff) as usize).min(MAX_VARIABLE)
    }

    /// The variable ranges.
    #[must_use]
    pub fn ranges(&self) -> &[VariableRange] {
        &self.variable[..self.count()]
    }

    /// How the byte at `address` is cached.
    #[must_use]
    pub fn type_at(&self, address: u64) -> MemoryType {
        if !self.enabled() {
            return MemoryType::UNCACHABLE;
        }
        if address < MIB && self.fixed_enabled() {
            return self.fixed[fixed_index(address)];
        }
        let matching = self.ranges().iter().filter(|range| range.matches(address, self.phys_bits));
        let kinds = matching.map(|range| MemoryType(range.base as u8));
        kinds.reduce(MemoryType::and).unwrap_or(self.default_type())
    }

    /// The rows of `/proc/mtrr`: ranges that count, by number.
    #[must_use]
    pub fn rows(&self) -> impl fmt::Display {
        fmt::from_fn(|f| {
            for (number, range) in self.ranges().iter().enumerate() {
                let Some(Extent { base, size, kind, .. }) = range.extent(self.phys_bits) else {
                    continue;
                };
                let (size, unit) = if size < MIB { (size >> 10, 'K') } else { (size >> 20, 'M') };
                write!(f, "reg{number:02}: base=0x{:06x}000 ({:>5}MB), ", base >> 12, base >> 20)?;
                writeln!(f, "size={size:>5}{unit}B, count=1: {kind}")?;
            }
            Ok(())
        })
    }

    /// The registers in full, a line each, as Linux shows them with `mtrr.show`.
    pub fn lines(&self) -> impl Iterator<Item = impl fmt::Display> {
        let state = |enabled| if enabled { "enabled" } else { "disabled" };
        let head = [
            Line::Default(self.default_type()),
            Line::Heading("fixed", state(self.fixed_enabled())),
        ];
        let fixed = self.fixed_runs().map(|(start, end, kind)| Line::Fixed(start, end, kind));
        let variable = self.ranges().iter().enumerate();
        let variable = variable.map(|(number, range)| Line::Variable(number, *range, self.phys_bits));
        let between = [Line::Heading("variable", state(self.enabled()))];
        head.into_iter().chain(fixed).chain(between).chain(variable)
    }

    /// The first MiB in runs of one type: first byte, last byte, type. None if its registers do not count.
    fn fixed_runs(&self) -> impl Iterator<Item = (u64, u64, MemoryType)> {
        let mut at = if self.fixed_enabled() { 0 } else { MIB };
        core::iter::from_fn(move || {
            let start = at;
            let kind = (start < MIB).then(|| self.fixed[fixed_index(start)])?;
            while at < MIB && self.fixed[fixed_index(at)] == kind {
                at += PAGE;
            }
            Some((start, at - 1, kind))
        })
    }
}

/// Which piece of the first MiB an address of it is in.
fn fixed_index(address: u64) -> usize {
    let index = match address {
        ..0x8_0000 => address >> 16,
        0x8_0000..0xc_0000 => 8 + ((address - 0x8_0000) >> 14),
        _ => 24 + ((address - 0xc_0000) >> 12),
    };
    (index as usize).min(FIXED - 1)
}

enum Line {
    Default(MemoryType),
    Heading(&'static str, &'static str),
    Fixed(u64, u64, MemoryType),
    Variable(usize, VariableRange, u8),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Line::Default(kind) => write!(f, "MTRR default type: {kind}"),
            Line::Heading(which, state) => write!(f, "MTRR {which} ranges {state}:"),
            Line::Fixed(start, last, kind) => write!(f, "  {start:05X}-{last:05X} {kind}"),
            Line::Variable(number, range, phys_bits) if range.extent(phys_bits).is_some() => {
                let digits = usize::from(phys_bits).div_ceil(4);
                let address = |value: u64| value & limit(phys_bits) & !(PAGE - 1);
                let (base, mask, kind) = (address(range.base), address(range.mask), MemoryType(range.base as u8));
                write!(f, "  {number} base {base:0digits$X} mask {mask:0digits$X} {kind}")
            }
            Line::Variable(number, ..) => write!(f, "  {number} disabled"),
        }
    }
}

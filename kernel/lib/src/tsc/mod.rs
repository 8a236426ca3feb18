//! How fast the time-stamp counter counts, by what the processor or a hypervisor says of it, and whether all CPUs' counters show the same.

pub mod deadline;
pub mod sync;
#[cfg(test)]
mod tests;

use core::fmt;

/// Leaf 0x15 of CPUID: the counter counts `numerator / denominator` times as fast as a crystal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ratio {
    /// EAX.
    pub denominator: u32,
    /// EBX.
    pub numerator: u32,
    /// ECX, in Hz; 0 if the processor does not say.
    pub crystal_hz: u32,
}

/// What is known of the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Leaf 0x15.
    pub ratio: Ratio,
    /// Leaf 0x16, EAX: the base frequency in MHz.
    pub base_mhz: u32,
    /// The hypervisor's leaf 0x4000_0010, EAX, in kHz.
    pub hypervisor_khz: u32,
    /// Intel's display family and model, for the crystals that leaf 0x15 does not tell; `None` for other vendors.
    pub model: Option<(u8, u8)>,
}

/// Who said how fast the counter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Leaf 0x15: exact.
    Crystal,
    /// Leaf 0x16: rounded to a MHz.
    BaseFrequency,
    /// The hypervisor.
    Hypervisor,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crystal => "CPUID 0x15",
            Self::BaseFrequency => "CPUID 0x16",
            Self::Hypervisor => "hypervisor",
        })
    }
}

impl Told {
    /// The rate in kHz. `None` if nobody tells one that can be. Where a hypervisor says it, it knows better than the leaves of the processor below.
    #[must_use]
    pub fn khz(&self) -> Option<(u64, Source)> {
        if self.hypervisor_khz != 0 {
            return Some((self.hypervisor_khz.into(), Source::Hypervisor));
        }
        if let Some(khz) = self.ratio.khz(self.crystal_hz()) {
            return Some((khz, Source::Crystal));
        }
        (self.base_mhz != 0).then(|| (u64::from(self.base_mhz) * 1000, Source::BaseFrequency))
    }

    /// The crystal's frequency: what the leaf says, or what is known of the model (SDM 3, table 21-91).
    const fn crystal_hz(&self) -> u32 {
        match self.model {
            _ if self.ratio.crystal_hz != 0 => self.ratio.crystal_hz,
            // Goldmont.
            Some((6, 0x5c | 0x5f)) => 19_200_000,
            // Sky Lake, Kaby Lake, Comet Lake.
            Some((6, 0x4e | 0x5e | 0x8e | 0x9e | 0xa5 | 0xa6)) => 24_000_000,
            // Sky Lake servers.
            Some((6, 0x55)) => 25_000_000,
            _ => 0,
        }
    }
}

impl Ratio {
    fn khz(self, crystal_hz: u32) -> Option<u64> {
        if self.denominator == 0 || self.numerator == 0 || crystal_hz == 0 {
            return None;
        }
        let khz = u64::from(crystal_hz) * u64::from(self.numerator) / u64::from(self.denominator) / 1000;
        (khz != 0).then_some(khz)
    }
}

/// How much faster `khz` is than `measured_khz`, in parts in a million; at the ends of the range if it is more.
#[must_use]
pub fn error_ppm(khz: u64, measured_khz: u64) -> i64 {
    let measured = i128::from(measured_khz.max(1));
    let ppm = (i128::from(khz) - i128::from(measured_khz)) * 1_000_000 / measured;
    i64::try_from(ppm).unwrap_or(if ppm < 0 { i64::MIN } else { i64::MAX })
}

/// Who is wrong, when the rate in use and what other clocks measure are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Nobody: the difference is what crystals differ by.
    Agree,
    /// The rate: two clocks agree against it.
    RateIsWrong,
    /// The clock that was asked first: the other one agrees with the rate.
    ReferenceIsWrong,
    /// One of them, but there is nobody to say which.
    Unknown,
}

/// More than crystals and measurements differ by, in parts in a million: what Linux believes a refinement of.
const PLAUSIBLE_PPM: u64 = 10_000;

/// Judges the rate in use by what one clock measures, and a second one if there is.
#[must_use]
pub fn judge(khz: u64, first_khz: u64, second_khz: Option<u64>) -> Judgement {
    let agree = |one, other| error_ppm(one, other).unsigned_abs() <= PLAUSIBLE_PPM;
    match second_khz {
        _ if agree(khz, first_khz) => Judgement::Agree,
        Some(second) if agree(khz, second) => Judgement::ReferenceIsWrong,
        Some(second) if agree(first_khz, second) => Judgement::RateIsWrong,
        _ => Judgement::Unknown,
    }
}

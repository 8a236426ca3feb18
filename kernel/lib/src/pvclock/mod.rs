//! The clock that a hypervisor shows its guests in memory: KVM's and Xen's `pvclock`.
//!
//! For each CPU the host writes what the time was at one value of the time-stamp counter, and the factor by which it has gone on since. It may write anew whenever it likes: the
//! version is odd meanwhile, and another one afterwards. What is read is the host's, so nothing here trusts it: any factor gives some time, and a version that never settles is an
//! answer, not a hang.

#[cfg(test)]
mod tests;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::seqcount;
use crate::time::{Ktime, Timespec};

/// The counters of all CPUs show the same, and so do their clocks: Linux's `PVCLOCK_TSC_STABLE_BIT`.
const TSC_STABLE: u32 = 1 << 0;
/// The host had stopped the guest: Linux's `PVCLOCK_GUEST_STOPPED`.
const GUEST_STOPPED: u32 = 1 << 1;

/// How often a reading is tried before the host is taken to be at fault: a host writes in less than a microsecond, but may be interrupted.
const TRIES: u32 = 1 << 16;

/// What the host writes for a CPU: `struct pvclock_vcpu_time_info`.
#[repr(C, align(32))]
#[derive(Debug, Default)]
pub struct VcpuTimeInfo {
    version: AtomicU32,
    _pad: AtomicU32,
    tsc_timestamp: AtomicU64,
    system_time: AtomicU64,
    tsc_to_system_mul: AtomicU32,
    /// The shift in the lowest byte, the flags in the next one.
    shift_and_flags: AtomicU32,
}

const _: () = assert!(size_of::<VcpuTimeInfo>() == 32, "the host's layout");

/// From ticks of the counter to nanoseconds: shifted, multiplied, and the upper half of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// The factor, in units of 2^-32.
    pub mul: u32,
    /// By how many bits the ticks are shifted before, to the left; to the right if negative.
    pub shift: i8,
}

impl Scale {
    /// So many ticks in nanoseconds: Linux's `pvclock_scale_delta`. What does not fit is cut off.
    #[inline]
    #[must_use]
    pub fn nanoseconds(self, ticks: u64) -> u64 {
        let bits = u32::from(self.shift.unsigned_abs());
        let shifted = if self.shift < 0 {
            ticks.unbounded_shr(bits)
        } else {
            ticks.unbounded_shl(bits)
        };
        ((u128::from(shifted) * u128::from(self.mul)) >> 32) as u64
    }

    /// The rate of the counter in kHz, if the scale is one of a counter that counts: Linux's `pvclock_tsc_khz`.
    #[must_use]
    pub fn khz(self) -> Option<u64> {
        let khz = (1_000_000_u64 << 32).checked_div(self.mul.into())?;
        let bits = u32::from(self.shift.unsigned_abs());
        let khz = if self.shift < 0 {
            khz.checked_mul(1_u64.checked_shl(bits)?)?
        } else {
            khz.unbounded_shr(bits)
        };
        (khz != 0).then_some(khz)
    }
}

/// What a clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Since the guest was started, in nanoseconds.
    pub ns: u64,
    /// No other CPU's clock says less that is read later.
    pub is_stable: bool,
    /// The host had stopped the guest: it is not the guest's fault that time has passed.
    pub was_stopped: bool,
}

/// The host is always in the middle of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeverWhole;

impl VcpuTimeInfo {
    /// Nothing written yet.
    #[must_use]
    pub const fn new() -> Self {
        VcpuTimeInfo {
            version: AtomicU32::new(0),
            _pad: AtomicU32::new(0),
            tsc_timestamp: AtomicU64::new(0),
            system_time: AtomicU64::new(0),
            tsc_to_system_mul: AtomicU32::new(0),
            shift_and_flags: AtomicU32::new(0),
        }
    }

    /// What the clock says; `tsc` reads the counter of the CPU that it is for, on that CPU, and not before what stands before it. Any context.
    ///
    /// # Errors
    ///
    /// [`NeverWhole`], after so many tries that no host takes that long.
    #[inline]
    pub fn read(&self, mut tsc: impl FnMut() -> u64) -> Result<Reading, NeverWhole> {
        let read = || {
            // A counter may be a little behind the one that the host has read on another processor.
            let ticks = tsc().saturating_sub(self.tsc_timestamp.load(Relaxed));
            let (scale, flags) = self.scale_and_flags();
            Reading {
                ns: self.system_time.load(Relaxed).wrapping_add(scale.nanoseconds(ticks)),
                is_stable: flags & TSC_STABLE != 0,
                was_stopped: flags & GUEST_STOPPED != 0,
            }
        };
        whole(&self.version, read)
    }

    /// By what the ticks become nanoseconds at the moment.
    ///
    /// # Errors
    ///
    /// As for [`VcpuTimeInfo::read`].
    pub fn scale(&self) -> Result<Scale, NeverWhole> {
        whole(&self.version, || self.scale_and_flags().0)
    }

    /// Whether the host has ever written.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.version.load(Relaxed) != 0
    }

    fn scale_and_flags(&self) -> (Scale, u32) {
        let shift_and_flags = self.shift_and_flags.load(Relaxed);
        let scale = Scale {
            mul: self.tsc_to_system_mul.load(Relaxed),
            shift: shift_and_flags as i8,
        };
        (scale, shift_and_flags >> 8)
    }
}

/// What `read` reads when the host does not write meanwhile.
#[inline]
fn whole<R>(version: &AtomicU32, mut read: impl FnMut() -> R) -> Result<R, NeverWhole> {
    for _ in 0..TRIES {
        if let Some(result) = seqcount::try_read(version, &mut read) {
            return Ok(result);
        }
        core::hint::spin_loop();
    }
    Err(NeverWhole)
}

/// What real time was when the clocks began with 0, which the host writes when it is asked: `struct pvclock_wall_clock`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct WallClock {
    version: AtomicU32,
    sec: AtomicU32,
    nsec: AtomicU32,
}

const _: () = assert!(size_of::<WallClock>() == 12, "the host's layout");

/// Why the host has told no real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoWallClock {
    /// It has written nothing.
    NotWritten,
    /// It is always in the middle of writing.
    NeverWhole,
    /// Behind the full second are so many nanoseconds, which are a second or more.
    Nanoseconds(u32),
}

impl From<NeverWhole> for NoWallClock {
    fn from(_: NeverWhole) -> Self {
        Self::NeverWhole
    }
}

impl core::fmt::Display for NoWallClock {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotWritten => f.write_str("the host has written nothing"),
            Self::NeverWhole => f.write_str("the host never finishes writing"),
            Self::Nanoseconds(nsec) => write!(f, "the host says {nsec} ns behind the full second"),
        }
    }
}

impl WallClock {
    /// Nothing written yet.
    #[must_use]
    pub const fn new() -> Self {
        WallClock {
            version: AtomicU32::new(0),
            sec: AtomicU32::new(0),
            nsec: AtomicU32::new(0),
        }
    }

    /// Real time `since` the clocks began with 0: Linux's `pvclock_read_wallclock`. Any context.
    ///
    /// # Errors
    ///
    /// [`NoWallClock`], whatever the host has done.
    pub fn read(&self, since: Ktime) -> Result<Timespec, NoWallClock> {
        if self.version.load(Relaxed) == 0 {
            return Err(NoWallClock::NotWritten);
        }
        let (sec, nsec) = whole(&self.version, || (self.sec.load(Relaxed), self.nsec.load(Relaxed)))?;
        let began = Timespec::new(sec.into(), nsec)
            .and_then(Timespec::to_ktime)
            .ok_or(NoWallClock::Nanoseconds(nsec))?;
        Ok((began + since).into())
    }
}

/// The latest time that any CPU was told, for clocks of which one may be behind another: Linux's `last_value`.
#[derive(Debug, Default)]
pub struct Latest(AtomicU64);

impl Latest {
    /// Nobody was told anything.
    #[must_use]
    pub const fn new() -> Self {
        Latest(AtomicU64::new(0))
    }

    /// What is told for this reading: never less than before. Any context.
    #[inline]
    pub fn told(&self, reading: Reading) -> u64 {
        if reading.is_stable {
            return reading.ns;
        }
        self.0.fetch_max(reading.ns, Relaxed).max(reading.ns)
    }
}

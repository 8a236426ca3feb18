//! The page attribute table: which memory type a number in a page table means (SDM 3, 12.12; Linux's `pat_init`).

use core::fmt;
#[cfg(CONFIG_SMP)]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::arch::x86::cpu::features::{boot_cpu_has, feature};
use crate::arch::x86::msr;
use crate::prelude::*;

/// The table's register.
const IA32_PAT: u32 = 0x277;

/// The types that Linux chooses: those of the processor's start, with write combining for the first write through, and the upper half for those of Linux's that
/// need a third bit.
const TYPES: [MemoryType; 8] = {
    use MemoryType::{Uncached, UncachedMinus, WriteBack, WriteCombining, WriteProtect, WriteThrough};
    [
        WriteBack,
        WriteCombining,
        UncachedMinus,
        Uncached,
        WriteBack,
        WriteProtect,
        UncachedMinus,
        WriteThrough,
    ]
};

/// How memory may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MemoryType {
    /// Every access goes to the bus, in order.
    Uncached = 0,
    /// Writes are put together.
    WriteCombining = 1,
    /// Reads are cached, writes go through.
    WriteThrough = 4,
    /// Reads are cached, writes make all caches forget.
    WriteProtect = 5,
    /// Everything is cached.
    WriteBack = 6,
    /// Uncached, unless an MTRR says write combining.
    UncachedMinus = 7,
}

impl fmt::Display for MemoryType {
    /// As Linux shows it in the line of the table, two characters wide or three.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Uncached => "UC",
            Self::WriteCombining => "WC",
            Self::WriteThrough => "WT",
            Self::WriteProtect => "WP",
            Self::WriteBack => "WB",
            Self::UncachedMinus => "UC-",
        })
    }
}

/// What [`IA32_PAT`] holds for `types`.
const fn value_of(types: [MemoryType; 8]) -> u64 {
    let mut bytes = [0; 8];
    let mut index = 0;
    while index < bytes.len() {
        bytes[index] = types[index] as u8;
        index += 1;
    }
    u64::from_le_bytes(bytes)
}

/// What the boot CPU's register holds; of no meaning on a processor without the table.
#[cfg(CONFIG_SMP)]
static BOOT_PAT: AtomicU64 = AtomicU64::new(0);

static DISABLED: AtomicBool = AtomicBool::new(false);

/// `nopat`: leaves the table as the processor starts with it, without write combining.
#[early_param("nopat")]
#[init]
fn nopat(_: Option<&'static str>) -> Result<(), Errno> {
    pr_info!("x86/PAT: PAT support disabled via boot option.");
    DISABLED.store(true, Relaxed);
    Ok(())
}

/// Whether the table stays as the processor starts with it.
#[must_use]
pub fn is_disabled() -> bool {
    DISABLED.load(Relaxed)
}

/// Gives the numbers their types on this CPU.
///
/// Every entry of the tables in use so far has number 0, whose type stays, so no cached translation and no cache line is wrong afterwards. A mapping of a
/// framebuffer that was made before becomes write combining where it was write through, which loses nothing.
#[init]
pub fn pat_init() {
    if !boot_cpu_has(feature::PAT) {
        if !is_disabled() {
            pr_info!("x86/PAT: PAT not supported by the CPU.");
        }
        DISABLED.store(true, Relaxed);
        return;
    }
    if !is_disabled() {
        // SAFETY: the register is there, and the types are ones that each processor with the table has.
        unsafe { msr::wrmsr(IA32_PAT, value_of(TYPES)) };
        pr_info!("x86/PAT: Configuration [0-7]: {}", Configuration(TYPES));
    }
    #[cfg(CONFIG_SMP)]
    BOOT_PAT.store(msr::rdmsr(IA32_PAT), Relaxed);
}

/// Gives the numbers their types on a CPU that has just begun, as the boot CPU has them, be they the kernel's or, with `nopat`, those of before: they mean the same on all CPUs.
#[cfg(CONFIG_SMP)]
pub fn pat_cpu_init() {
    if boot_cpu_has(feature::PAT) {
        // SAFETY: as in `pat_init`; this CPU has not used the numbers yet.
        unsafe { msr::wrmsr(IA32_PAT, BOOT_PAT.load(Relaxed)) };
    }
}

struct Configuration([MemoryType; 8]);

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|kind| write!(f, "{kind:<3} "))
    }
}

#[ktest]
fn the_processor_has_the_table() {
    // The value by which Linux's documentation and its debuggers know it.
    assert_eq!(value_of(TYPES), 0x0407_0506_0007_0106);
    if !is_disabled() {
        assert_eq!(msr::rdmsr(IA32_PAT), value_of(TYPES));
    }
}

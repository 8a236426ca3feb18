//! The initial RAM disk: found, checked and kept. Who unpacks it asks for its range.

use incipit_lib::e820::E820Type;
use incipit_lib::param::memparse;

use super::{boot_params, e820, memory};
use crate::locking::SpinLock;
use crate::mm::{PAGE_SHIFT, memblock};
use crate::prelude::*;

/// Physical addresses of the RAM disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Initrd {
    /// The first byte.
    pub start: u64,
    /// The byte behind the last.
    pub end: u64,
}

static INITRD: SpinLock<Option<Initrd>> = SpinLock::new(None);

/// The RAM disk, if there is one that can be used.
#[must_use]
pub fn initrd() -> Option<Initrd> {
    *INITRD.lock()
}

/// Start and size as the command line has them, zeros without.
static INITRDMEM: SpinLock<(u64, u64)> = SpinLock::new((0, 0));

/// `initrdmem=start,size`: a RAM disk that somebody put into memory, for loaders that cannot say so themselves.
#[early_param("initrdmem")]
#[init]
fn early_initrdmem(value: Option<&'static str>) -> Result<(), Errno> {
    let (start, rest) = memparse(value.ok_or(Errno::EINVAL)?.as_bytes()).map_err(|_| Errno::EINVAL)?;
    let size = rest.strip_prefix(b",").ok_or(Errno::EINVAL)?;
    match memparse(size).map_err(|_| Errno::EINVAL)? {
        (size, []) => *INITRDMEM.lock() = (start, size),
        _ => return Err(Errno::EINVAL),
    }
    Ok(())
}

/// Where the boot loader says that the RAM disk is, or the command line, if the loader has none.
#[init]
fn claimed() -> Option<Initrd> {
    let told = boot_params().ramdisk();
    let (start, size) = if told.0 != 0 && told.1 != 0 { told } else { *INITRDMEM.lock() };
    if start == 0 || size == 0 {
        return None;
    }
    let end = start.checked_add(size);
    if end.is_none() {
        pr_err!("initrd of {size:#x} bytes at {start:#x} wraps around, disabling initrd");
    }
    Some(Initrd { start, end: end? })
}

/// Keeps the RAM disk's memory, before anything is allocated: Linux's function of the same name.
#[init]
pub(super) fn reserve_initrd() {
    let Some(claim) = claimed() else { return };
    if let Err(problem) = check(claim) {
        pr_err!("initrd {problem}, disabling initrd");
        return;
    }
    match memblock::reserve(claim.start, claim.end - claim.start) {
        Ok(()) => {
            pr_info!("RAMDISK: [mem {:#010x}-{:#010x}]", claim.start, claim.end - 1);
            *INITRD.lock() = Some(claim);
        }
        Err(error) => pr_err!("initrd cannot be reserved ({error}), disabling initrd"),
    }
}

/// Why a RAM disk cannot be used.
enum Problem {
    BeyondMemory { end: u64, limit: u64 },
    NotMemory(Initrd),
}

impl core::fmt::Display for Problem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Problem::BeyondMemory { end, limit } => write!(f, "extends beyond end of memory ({end:#010x} > {limit:#010x})"),
            Problem::NotMemory(Initrd { start, end }) => write!(f, "[mem {start:#010x}-{:#010x}] is not all in memory", end - 1),
        }
    }
}

#[init]
fn check(claim: Initrd) -> Result<(), Problem> {
    let limit = super::max_pfn() << PAGE_SHIFT;
    if claim.end > limit {
        return Err(Problem::BeyondMemory { end: claim.end, limit });
    }
    // A boot loader may put `setup_data` right beside it, so both kinds of usable memory count.
    let whole = e820::with_table(|table| {
        let mut covered = claim.start;
        for entry in table
            .entries()
            .iter()
            .filter(|entry| matches!(entry.kind, E820Type::RAM | E820Type::RESERVED_KERN))
        {
            if entry.addr <= covered {
                covered = covered.max(entry.addr.saturating_add(entry.size));
            }
        }
        covered >= claim.end
    });
    if whole { Ok(()) } else { Err(Problem::NotMemory(claim)) }
}

/// Gives up a RAM disk that the kernel itself has overwritten: its zeroed data reaches further than the file that the boot loader made room for.
#[init]
pub fn check_not_overwritten() {
    let (kernel_start, kernel_end) = memory::kernel_range();
    let mut initrd = INITRD.lock();
    if let Some(Initrd { start, end }) = *initrd
        && start < kernel_end
        && end > kernel_start
    {
        pr_crit!("initrd overwritten ({start:#010x} < {kernel_end:#010x}) - disabling it.");
        *initrd = None;
    }
}

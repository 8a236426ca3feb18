//! Memory type range registers: read as the firmware left them, and never written but where it has left another CPU's different.
//!
//! What they mean is [`incipit_lib::mtrr`]'s business. The boot reads no more of them than it needs to see whether RAM is cached; `mtrr` in the monitor reads all.

#[cfg(CONFIG_SMP)]
pub(crate) mod secondary;

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::e820::E820Type;
use incipit_lib::mtrr::{Coverage, MemoryType, Mtrrs};

use super::boot_cpu;
use super::features::{boot_cpu_has, feature};
use crate::arch::x86::msr::rdmsr_safe;
use crate::arch::x86::setup::e820;
use crate::panic::taint::{self, Taint};
use crate::prelude::*;

const IA32_MTRRCAP: u32 = 0xfe;
const IA32_MTRR_DEF_TYPE: u32 = 0x2ff;
/// Base and mask of variable range 0; those of the others follow.
const IA32_MTRR_PHYSBASE0: u32 = 0x200;
/// The registers of the first MiB, eight types each, in the order of their addresses.
const FIXED_RANGES: [u32; 11] = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f];

/// Whether AMD's processors cache memory above 4 GiB by themselves, and up to where.
const MSR_AMD64_SYSCFG: u32 = 0xc001_0010;
const MSR_K8_TOP_MEM2: u32 = 0xc001_001d;
const TOM2_ENABLED: u64 = 1 << 21;
const TOM2_FORCE_WRITE_BACK: u64 = 1 << 22;

const PAGE_SHIFT: u32 = 12;

static DISABLE_TRIM: AtomicBool = AtomicBool::new(false);
static SHOW: AtomicBool = AtomicBool::new(false);

/// `disable_mtrr_trim`: uses RAM, too, that the firmware has left uncached.
#[early_param("disable_mtrr_trim")]
#[init]
fn disable_mtrr_trim(_: Option<&'static str>) -> Result<(), Errno> {
    DISABLE_TRIM.store(true, Relaxed);
    Ok(())
}

/// `mtrr.show`: puts the memory type range registers into the log.
#[early_param("mtrr.show")]
#[init]
fn mtrr_show(_: Option<&'static str>) -> Result<(), Errno> {
    SHOW.store(true, Relaxed);
    Ok(())
}

/// All registers, as they are; `None` on a processor that has none.
pub fn read() -> Option<Mtrrs> {
    let mut mtrrs = read_state()?;
    if mtrrs.cap & 1 << 8 != 0 {
        for (types, register) in mtrrs.fixed.chunks_exact_mut(8).zip(FIXED_RANGES) {
            let value = rdmsr_safe(register).ok()?;
            for (kind, byte) in types.iter_mut().zip(value.to_le_bytes()) {
                *kind = MemoryType(byte);
            }
        }
    }
    read_variable(&mut mtrrs)?;
    Some(mtrrs)
}

fn read_state() -> Option<Mtrrs> {
    if !boot_cpu_has(feature::MTRR) {
        return None;
    }
    let (cap, def_type) = (rdmsr_safe(IA32_MTRRCAP).ok()?, rdmsr_safe(IA32_MTRR_DEF_TYPE).ok()?);
    Some(Mtrrs::new(boot_cpu().phys_bits, cap, def_type))
}

fn read_variable(mtrrs: &mut Mtrrs) -> Option<()> {
    let count = mtrrs.count();
    for (range, register) in mtrrs.variable.iter_mut().take(count).zip((IA32_MTRR_PHYSBASE0..).step_by(2)) {
        range.base = rdmsr_safe(register).ok()?;
        range.mask = rdmsr_safe(register + 1).ok()?;
    }
    Some(())
}

/// Looks at the registers, and takes RAM out of the memory map that they leave uncached: Linux's `mtrr_bp_init` and `mtrr_trim_uncached_memory`.
#[init]
pub fn mtrr_bp_init() {
    if SHOW.load(Relaxed)
        && let Some(mtrrs) = read()
    {
        mtrrs.lines().for_each(|line| pr_info!("{line}"));
    }
    let Some(mut mtrrs) = read_state().filter(Mtrrs::enabled) else {
        pr_info!("mtrr: Disabled");
        return;
    };
    // Memory without a range is cached: whatever the ranges say, firmware has thought of all RAM.
    if mtrrs.default_type() != MemoryType::UNCACHABLE || read_variable(&mut mtrrs).is_none() {
        return;
    }
    if mtrrs
        .ranges()
        .iter()
        .filter_map(|range| range.extent(mtrrs.phys_bits))
        .any(|extent| extent.mended)
    {
        pr_warn!("mtrr: your BIOS has configured an incorrect mask, fixing it.");
        taint::add(Taint::FirmwareWorkaround);
    }
    if !DISABLE_TRIM.load(Relaxed) {
        trim_uncached_memory(&mtrrs);
    }
}

#[init]
fn trim_uncached_memory(mtrrs: &Mtrrs) {
    let cached = match mtrrs.coverage(top_of_memory()) {
        Coverage::NotConcerned => return,
        Coverage::Blank => {
            pr_info!("CPU MTRRs all blank - virtualized system.");
            return;
        }
        Coverage::Ranges(cached) => cached,
    };
    e820::with_table(|table| {
        let end = table.end_of_ram_pfn(1 << (52 - PAGE_SHIFT)) << PAGE_SHIFT;
        let mut lost = 0;
        for gap in cached.gaps(end) {
            match table.update(gap.start, gap.end - gap.start, E820Type::RAM, E820Type::RESERVED) {
                Ok(changed) => lost += changed,
                Err(error) => pr_err!(
                    "mtrr: {:#x}-{:#x} stays usable, though it is not cached: {error}",
                    gap.start,
                    gap.end
                ),
            }
        }
        if lost != 0 {
            pr_warn!(
                "WARNING: BIOS bug: CPU MTRRs don't cover all of memory, losing {}MB of RAM.",
                lost >> 20
            );
            pr_info!("update e820 for mtrr");
            e820::update_table(table);
            e820::print(table, "modified");
        }
    });
}

/// The end of the memory above 4 GiB that the processor caches without a range: Linux's `amd_special_default_mtrr`.
#[init]
fn top_of_memory() -> Option<u64> {
    const FORCED: u64 = TOM2_ENABLED | TOM2_FORCE_WRITE_BACK;
    if !matches!(boot_cpu().vendor.name, "AMD" | "Hygon") || boot_cpu().family < 0xf {
        return None;
    }
    let forced = rdmsr_safe(MSR_AMD64_SYSCFG).ok()? & FORCED == FORCED;
    if forced { rdmsr_safe(MSR_K8_TOP_MEM2).ok() } else { None }
}

/// The monitor's view.
#[cfg(CONFIG_KDB)]
mod command {
    use core::fmt::Write;

    use linkme::distributed_slice;

    use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

    #[distributed_slice(KDB_COMMANDS)]
    static MTRR: Command = Command {
        name: "mtrr",
        usage: "",
        help: "Display how memory ranges are cached, as /proc/mtrr",
        run: mtrr,
    };

    fn mtrr(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
        if !arguments.is_empty() {
            return Err(CommandError::ArgumentCount);
        }
        match super::read() {
            Some(mtrrs) => write!(screen, "{}", mtrrs.rows())?,
            None => writeln!(screen, "this processor has no memory type range registers")?,
        }
        Ok(Then::Stay)
    }
}

//! The high precision event timer (IA-PC HPET specification 1.0a): its counter as a clocksource.
//!
//! What its comparators do is `clockevent`'s.

pub(super) mod clockevent;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit_lib::acpi::GenericAddress;
use linkme::distributed_slice;
use spin::Once;

use crate::arch::x86::mm::ioremap::{CacheMode, IoMemory, ioremap};
#[cfg(CONFIG_PCI)]
use crate::arch::x86::pci::boot_hpet_disabled;
use crate::arch::x86::tsc::rdtsc;
use crate::prelude::*;
use crate::time::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};

/// Without PCI no chipset is known that keeps the timer from being used.
#[cfg(not(CONFIG_PCI))]
const fn boot_hpet_disabled() -> bool {
    false
}

/// Length of the registers.
const LENGTH: usize = 1024;
/// Of what their address is a multiple at least: the size of the largest.
const ALIGNMENT: u64 = 8;
/// Identification in the low half, the counter's period in femtoseconds in the high one.
pub const ID: usize = 0x00;
/// The period's register.
pub const PERIOD: usize = 0x04;
/// Configuration.
pub const CFG: usize = 0x10;
/// The counter.
pub const COUNTER: usize = 0xf0;
/// In the configuration: the counter counts.
pub const CFG_ENABLE: u32 = 1 << 0;
/// In the configuration: it takes over the interrupts of the interval timer and the CMOS clock.
pub const CFG_LEGACY: u32 = 1 << 1;

/// The longest period that the specification allows: 100 ns.
const MAX_PERIOD_FS: u32 = 100_000_000;
/// The shortest that is believed, as in Linux: 0.1 ns.
const MIN_PERIOD_FS: u32 = 100_000;
const FS_PER_SEC: u64 = 1_000_000_000_000_000;

/// Counts of the processor's clock after which the counter must have moved, as in Linux.
const ALIVE_CYCLES: u64 = 200_000;

bitflags::bitflags! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Options: u32 {
        const DISABLE = 1 << 0;
        const FORCE = 1 << 1;
        const VERBOSE = 1 << 2;
    }
}

static OPTIONS: AtomicU32 = AtomicU32::new(0);
static REGISTERS: Once<IoMemory> = Once::new();
static HPET: Clocksource = Clocksource::new(
    "hpet",
    250,
    32,
    read_counter,
    ClocksourceFlags::CONTINUOUS.union(ClocksourceFlags::VALID_FOR_HRES),
);

/// `hpet=disable`: does not use the high precision event timer. `force`: uses it even on chips whose timer stops in deep idle states; `verbose`: logs its registers. Several are
/// separated by commas.
#[early_param("hpet")]
#[init]
fn parse_hpet(value: Option<&'static str>) -> Result<(), Errno> {
    for word in value.unwrap_or_default().split(',') {
        let option = match word {
            "disable" => Options::DISABLE,
            "force" => Options::FORCE,
            "verbose" => Options::VERBOSE,
            _ => return Err(Errno::EINVAL),
        };
        OPTIONS.fetch_or(option.bits(), Relaxed);
    }
    Ok(())
}

/// `nohpet`: the same as `hpet=disable`.
#[early_param("nohpet")]
#[init]
fn nohpet(_: Option<&'static str>) -> Result<(), Errno> {
    parse_hpet(Some("disable"))
}

fn is_asked_for(option: Options) -> bool {
    Options::from_bits_truncate(OPTIONS.load(Relaxed)).contains(option)
}

/// Its registers, if the machine has it, it is to be used, and it is what it says.
#[must_use]
pub fn registers() -> Option<&'static IoMemory> {
    REGISTERS.get()
}

fn read_counter() -> u64 {
    REGISTERS.get().map_or(0, |registers| registers.read::<u32>(COUNTER).into())
}

#[distributed_slice(CLOCKSOURCES)]
static PROBE: fn() = probe;

#[init_ref("called by late_time_init only")]
fn probe() {
    if is_asked_for(Options::DISABLE) || boot_hpet_disabled() && !is_asked_for(Options::FORCE) {
        return;
    }
    let Some(table) = crate::acpi::hpet() else { return };
    let GenericAddress { space, address, .. } = table.address;
    if space != GenericAddress::MEMORY || address == 0 || !address.is_multiple_of(ALIGNMENT) {
        pr_warn!(
            "hpet: the table says that the registers are at {address:#x} in space {space}, where in memory they cannot be: it is not used"
        );
        return;
    }
    let registers = match ioremap(address, LENGTH, CacheMode::Uncached) {
        Ok(registers) => registers,
        Err(error) => {
            pr_warn!("hpet: the registers at {address:#x} cannot be mapped: {error}");
            return;
        }
    };
    match start(&registers) {
        Ok(hertz) => {
            REGISTERS.call_once(|| registers);
            if let Err(error) = clocksource::register(&HPET, hertz) {
                pr_err!("hpet: cannot be a clocksource: {error}");
            }
        }
        Err(lie) => pr_warn!("hpet: {lie}: it is not used"),
    }
}

/// What a timer says that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    Absent,
    Period(u32),
    Stuck,
}

impl core::fmt::Display for Lie {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Absent => f.write_str("there is nothing where the table says that it is"),
            Self::Period(period) => write!(f, "a period of {period} fs is not between {MIN_PERIOD_FS} and {MAX_PERIOD_FS} fs"),
            Self::Stuck => f.write_str("the counter does not count"),
        }
    }
}

/// How often its counter counts in a second; of no meaning without [`registers`].
#[must_use]
pub fn hertz() -> u64 {
    HPET.scale().hertz()
}

/// Lets the counter count from 0, and says how often it does in a second.
#[init]
fn start(registers: &IoMemory) -> Result<u64, Lie> {
    let (id, period) = (registers.read::<u32>(ID), registers.read::<u32>(PERIOD));
    let config = registers.read::<u32>(CFG);
    if is_asked_for(Options::VERBOSE) {
        pr_info!(
            "hpet: ID: {id:#x}, PERIOD: {period:#x}, CFG: {config:#x}, COUNTER: {:#x}",
            registers.read::<u32>(COUNTER)
        );
    }
    // A revision is never 0.
    if [id, config].contains(&u32::MAX) || id & 0xff == 0 {
        return Err(Lie::Absent);
    }
    let hertz = hertz_of(period)?;
    registers.write(CFG, config & !(CFG_ENABLE | CFG_LEGACY));
    registers.write(COUNTER, 0_u32);
    registers.write(COUNTER + 4, 0_u32);
    registers.write(CFG, config & !CFG_LEGACY | CFG_ENABLE);
    let (first, begin) = (registers.read::<u32>(COUNTER), rdtsc());
    while registers.read::<u32>(COUNTER) == first {
        if rdtsc().wrapping_sub(begin) > ALIVE_CYCLES {
            return Err(Lie::Stuck);
        }
        core::hint::spin_loop();
    }
    Ok(hertz)
}

#[init]
fn hertz_of(period: u32) -> Result<u64, Lie> {
    if !(MIN_PERIOD_FS..=MAX_PERIOD_FS).contains(&period) {
        return Err(Lie::Period(period));
    }
    Ok(FS_PER_SEC / u64::from(period))
}

#[ktest]
fn a_period_that_cannot_be_is_a_lie() {
    for period in [0, MIN_PERIOD_FS - 1, MAX_PERIOD_FS + 1, u32::MAX] {
        assert_eq!(hertz_of(period), Err(Lie::Period(period)));
    }
    assert_eq!(hertz_of(10_000_000), Ok(100_000_000));
    assert_eq!(hertz_of(69_841_279), Ok(14_318_179));
}

//! Starting other CPUs: which can be, with what signals, and what they need before.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::{max_cpus, secondary, trampoline};
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::ONLINE;
use crate::arch::x86::cpu::{self, boot_cpu};
use crate::prelude::*;
use crate::time::calibrate::BogoMips;

/// `cpu_init_udelay=`, or that nothing was said.
static INIT_UDELAY: AtomicU32 = AtomicU32::new(UNSET);
const UNSET: u32 = u32::MAX;
/// The pause behind INIT on processors that need one, in µs (SDM 3, 9.4.4.1).
const OLD_INIT_UDELAY: u64 = 10_000;

/// `cpu_init_udelay=N`: waits `N` µs between INIT and the start-up signal of a CPU; 0 on modern processors and 10000 on others if nothing is said.
#[init]
#[early_param("cpu_init_udelay")]
fn cpu_init_udelay(value: Option<&'static str>) -> Result<(), Errno> {
    let pause = value.and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL)?;
    INIT_UDELAY.store(pause, Relaxed);
    Ok(())
}

/// The pause behind INIT: Linux's `smp_quirk_init_udelay`.
fn init_udelay() -> u64 {
    let cpu = boot_cpu();
    match INIT_UDELAY.load(Relaxed) {
        UNSET => match (cpu.vendor.name, cpu.family) {
            ("Intel", 6) | ("AMD", 0xf..) | ("Hygon", 0x18..) => 0,
            _ => OLD_INIT_UDELAY,
        },
        asked => u64::from(asked),
    }
}

/// Makes ready for starting other CPUs, and says which one boots: Linux's function of the same name.
#[init]
pub fn smp_prepare_cpus() {
    pr_info!("smpboot: CPU0: {}", boot_cpu());
    if max_cpus() == 0 {
        pr_info!("smpboot: SMP mode deactivated");
    } else if !apic::is_present() {
        pr_info!("smpboot: Local APIC not detected. Using dummy APIC emulation.");
    }
}

/// Whether other CPUs can be started at all.
pub(crate) fn can_start() -> bool {
    max_cpus() != 0 && apic::is_present()
}

/// Puts the trampoline in place, for any number of [`start`]s.
///
/// # Errors
///
/// `ENODEV` without a local APIC or with `nosmp`, `ENOMEM` without memory below 1 MiB.
pub(crate) fn open() -> Result<u32, Errno> {
    if !can_start() {
        return Err(Errno::ENODEV);
    }
    cpu::init::note_boot_cr4();
    #[cfg(CONFIG_MTRR)]
    cpu::mtrr::secondary::note_boot_mtrrs();
    trampoline::install().ok_or(Errno::ENOMEM)
}

/// Gives `cpu` what it cannot begin without.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn prepare(cpu: usize) -> Result<(), Errno> {
    secondary::prepare(cpu)
}

/// Sends `cpu` what starts it at `trampoline`, which [`open`] said.
///
/// # Errors
///
/// `EIO` if the signals did not get there, which the log says, too; `ENODEV` for a number without a CPU.
pub(crate) fn start(cpu: usize, trampoline: u32) -> Result<(), Errno> {
    let id = apic::cpu_to_apicid(cpu).ok_or(Errno::ENODEV)?;
    // SAFETY: the trampoline is there for as long as the kernel is; the CPU does not run, as hotplug's state of it says.
    unsafe { apic::wake_secondary(id, trampoline, init_udelay()) }.map_err(|error| {
        pr_err!("smpboot: CPU#{cpu}: {error}");
        Errno::EIO
    })
}

/// Says how much all CPUs can do: Linux's `impress_friends`.
#[init]
pub(crate) fn impress_friends() {
    let (cpus, all) = (ONLINE.weight(), BogoMips::of_all());
    pr_info!("smpboot: Total of {cpus} processors activated ({all} BogoMIPS)");
}

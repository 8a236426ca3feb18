//! Which processors there are, as firmware tells it, how many the kernel makes room for, and how the others are started.
//!
//! ACPI's tables come first, the MP table counts if they name no processor, and without either there is the one that boots. That other CPUs are to be started, in which order
//! and with what in between, is decided in [`crate::cpu`].
//!
//! | file | what it does |
//! | --- | --- |
//! | `trampoline.S`, `trampoline` | the page below 1 MiB where a CPU begins, from real mode to long mode |
//! | `secondary` | from there to a CPU of the kernel's, and its end |
//! | `wake` | the signals that start one |
//! | `stop` | the end of all others |

#[cfg(CONFIG_SMP)]
pub(crate) mod secondary;
#[cfg(CONFIG_SMP)]
pub(crate) mod stop;
#[cfg(CONFIG_SMP)]
pub(in crate::arch::x86) mod trampoline;
#[cfg(CONFIG_SMP)]
pub mod wake;

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};

use arrayvec::ArrayVec;
use incipit_lib::errno::Errno;

use crate::arch::x86::cpu;
use crate::arch::x86::cpu::masks::{NR_CPUS, POSSIBLE, PRESENT};
use crate::locking::IrqSpinLock;
use crate::prelude::*;

/// The APIC ids of the processors that are there; their places are their numbers, and the first one boots.
static PROCESSORS: IrqSpinLock<ArrayVec<u32, NR_CPUS>> = IrqSpinLock::new(ArrayVec::new_const());

/// Processors that are there and do not fit.
static IGNORED: AtomicUsize = AtomicUsize::new(0);

/// Places for processors that can be plugged in later.
static DISABLED: AtomicUsize = AtomicUsize::new(0);

/// `nr_cpus=`: the kernel makes room for no more.
static NR_CPUS_LIMIT: AtomicUsize = AtomicUsize::new(NR_CPUS);

/// `possible_cpus=`: how many it makes room for; 0 leaves it to what firmware says.
static POSSIBLE_CPUS: AtomicUsize = AtomicUsize::new(0);

/// `maxcpus=`: the boot starts no more.
static MAX_CPUS: AtomicU32 = AtomicU32::new(NR_CPUS as u32);

/// `nosmp`: there is one processor, and the tables about others are not looked at.
static NOSMP: AtomicBool = AtomicBool::new(false);

/// How many processors the boot may start: Linux's `setup_max_cpus`.
#[must_use]
pub fn max_cpus() -> usize {
    MAX_CPUS.load(Relaxed) as usize
}

/// The APIC ids of the processors that are there, in the order of their numbers.
pub fn processors() -> impl Iterator<Item = u32> {
    (0..).map_while(|index| PROCESSORS.lock().get(index).copied())
}

/// Whether firmware has named a processor.
#[must_use]
pub fn is_known() -> bool {
    !PROCESSORS.lock().is_empty()
}

/// Notes a processor that is there. One that has been named before is the same; the one that boots is the first, wherever it stands in the table.
#[init]
pub fn register_processor(apic_id: u32) {
    let mut processors = PROCESSORS.lock();
    if processors.contains(&apic_id) {
        return;
    }
    let boots = apic_id == cpu::boot_cpu_apic_id();
    let at = if boots { 0 } else { processors.len() };
    if processors.is_full() {
        IGNORED.fetch_add(1, Relaxed);
        if !boots {
            return;
        }
        processors.pop();
    }
    processors.insert(at, apic_id);
}

/// Notes a place for a processor that can be plugged in later.
#[init]
pub fn register_disabled_processor() {
    DISABLED.fetch_add(1, Relaxed);
}

/// The machine has said what it is, and the workarounds for it are chosen.
#[capability]
pub struct Identified;

/// Takes the processors over from the MP table, if ACPI has named none: Linux's `get_smp_config`.
#[init]
#[stage(after(crate::arch::x86::setup::setup_arch))]
pub fn get_smp_config() {
    #[cfg(CONFIG_X86_MPPARSE)]
    if !is_known() {
        super::mpparse::get_smp_config();
    }
}

/// Makes room for the processors: Linux's `prefill_possible_map`.
#[init]
#[stage(after(get_smp_config), before(crate::init::command_line::setup_command_line))]
pub fn prefill_possible_map() {
    let boot_cpu = cpu::boot_cpu_apic_id();
    let listed = PROCESSORS.lock().contains(&boot_cpu);
    if !listed {
        if is_known() {
            pr_warn!("smpboot: Boot CPU (id {boot_cpu}) not listed by BIOS");
        }
        register_processor(boot_cpu);
    }
    let ignored = IGNORED.load(Relaxed);
    let there = PROCESSORS.lock().len();
    let all = there + ignored + DISABLED.load(Relaxed);
    let asked = match POSSIBLE_CPUS.load(Relaxed) {
        0 if NOSMP.load(Relaxed) => 1,
        0 => all,
        asked => asked,
    };
    let limit = NR_CPUS_LIMIT.load(Relaxed);
    if asked > limit {
        pr_warn!("smpboot: {asked} Processors exceeds NR_CPUS limit of {limit}");
    }
    let possible = asked.min(limit).max(1);
    PROCESSORS.lock().truncate(possible);
    pr_info!("smpboot: Allowing {possible} CPUs, {} hotplug CPUs", possible.saturating_sub(there));
    for cpu in 0..possible {
        POSSIBLE.set(cpu, true);
        PRESENT.set(cpu, cpu < there);
    }
}

/// The number of an option.
#[init]
fn number(value: Option<&'static str>) -> Result<usize, Errno> {
    value.and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL)
}

/// `nosmp`: uses the boot processor only, and does not look at what firmware says of others; the same as `maxcpus=0`.
#[init]
#[early_param("nosmp")]
fn nosmp(_: Option<&'static str>) -> Result<(), Errno> {
    NOSMP.store(true, Relaxed);
    MAX_CPUS.store(0, Relaxed);
    Ok(())
}

/// `nr_cpus=n`: makes room for no more than `n` processors.
#[init]
#[early_param("nr_cpus")]
fn nrcpus(value: Option<&'static str>) -> Result<(), Errno> {
    let wanted = number(value)?;
    if (1..=NR_CPUS).contains(&wanted) {
        NR_CPUS_LIMIT.store(wanted, Relaxed);
    }
    Ok(())
}

/// `maxcpus=n`: starts no more than `n` processors during the boot. 0 is `nosmp`.
#[init]
#[early_param("maxcpus")]
fn maxcpus(value: Option<&'static str>) -> Result<(), Errno> {
    let wanted = number(value)?;
    MAX_CPUS.store(wanted.min(NR_CPUS) as u32, Relaxed);
    NOSMP.store(wanted == 0, Relaxed);
    Ok(())
}

/// `possible_cpus=n`: makes room for `n` processors, whatever firmware says.
#[init]
#[early_param("possible_cpus")]
fn setup_possible_cpus(value: Option<&'static str>) -> Result<(), Errno> {
    POSSIBLE_CPUS.store(number(value)?, Relaxed);
    Ok(())
}

#[ktest]
fn there_is_room_for_every_processor_that_is_there() {
    let there = processors().count();
    assert!(there >= 1 && PRESENT.weight() <= POSSIBLE.weight());
    assert!(there == PRESENT.weight() && POSSIBLE.contains(0));
}

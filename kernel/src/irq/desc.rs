//! The descriptors of the lines, in a tree by number.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::action::Actions;
use super::chip::NoChip;
use super::spurious::Unhandled;
use super::{Flow, IrqChip, IrqData};
use crate::arch::x86::apic::io_apic;
use crate::arch::x86::cpu::masks::{self, CpuMask, NR_CPUS};
use crate::arch::x86::irq::vector::Place;
use crate::collections::xarray::XArray;
use crate::locking::{IrqSpinLock, IrqSpinLockGuard};
use crate::mm::Gfp;
use crate::mm::slab::KBox;
use crate::percpu::{PerCpuBox, alloc_percpu};
use crate::prelude::*;

/// The lines that every PC has, by the numbers that they had on ISA.
pub const NR_IRQS_LEGACY: u32 = 16;
/// Vectors of one CPU.
const NR_VECTORS: u32 = 256;
/// What I/O APICs can add at the most: Linux's `IO_APIC_VECTOR_LIMIT`.
const IO_APIC_VECTOR_LIMIT: u32 = 32 * 128;
/// Numbers that a line can have: Linux's constant for so many CPUs.
pub const NR_IRQS: u32 = {
    let by_cpus = 64 * NR_CPUS as u32;
    NR_VECTORS
        + if by_cpus > IO_APIC_VECTOR_LIMIT {
            by_cpus
        } else {
            IO_APIC_VECTOR_LIMIT
        }
};

static DESCS: XArray<&'static IrqDesc> = XArray::new();

/// Numbers of lines that this machine can use: Linux's `nr_irqs`.
static NR_IRQS_HERE: AtomicU32 = AtomicU32::new(NR_IRQS);

bitflags::bitflags! {
    /// What a line is doing.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Status: u32 {
        /// Its handlers are not to be called.
        const DISABLED = 1 << 0;
        /// Its controller does not let it through.
        const MASKED = 1 << 1;
        /// A CPU is calling its handlers.
        const IN_PROGRESS = 1 << 2;
        /// It has come while it could not be handled.
        const PENDING = 1 << 3;
        /// It was shut off because nobody cared.
        const SPURIOUS_DISABLED = 1 << 4;
    }
}

/// What changes of a line.
pub(super) struct State {
    pub(super) chip: &'static dyn IrqChip,
    pub(super) flow: Flow,
    pub(super) status: Status,
    /// How often it was disabled.
    pub(super) depth: u32,
    pub(super) unhandled: Unhandled,
    /// Where it may be sent to.
    pub(super) affinity: CpuMask,
}

/// A line.
pub struct IrqDesc {
    pub(super) data: IrqData,
    pub(super) actions: Actions,
    pub(super) state: IrqSpinLock<State>,
    /// CPUs that call the handlers of a line which each CPU has for itself.
    pub(super) percpu_running: AtomicU32,
    counts: PerCpuBox<AtomicU64>,
}

impl IrqDesc {
    fn new(irq: u32) -> Result<Self, Errno> {
        Ok(IrqDesc {
            data: IrqData::new(irq),
            actions: Actions::new(),
            state: IrqSpinLock::new(State {
                chip: &NoChip,
                flow: Flow::Bad,
                status: Status::DISABLED.union(Status::MASKED),
                depth: 1,
                unhandled: Unhandled::new(),
                affinity: super::default_affinity(),
            }),
            percpu_running: AtomicU32::new(0),
            counts: alloc_percpu()?,
        })
    }

    /// The line's number.
    #[must_use]
    pub fn irq(&self) -> u32 {
        self.data.irq()
    }

    /// To which CPU and vector the line goes.
    #[inline]
    pub(crate) fn place(&self) -> &Place {
        &self.data.place
    }

    /// How often it has come to `cpu`.
    #[must_use]
    pub fn count(&self, cpu: usize) -> u64 {
        if masks::POSSIBLE.contains(cpu) {
            self.counts.per_cpu(cpu).map_or(0, |count| count.load(Relaxed))
        } else {
            0
        }
    }

    /// How often it has come to all CPUs.
    #[must_use]
    pub fn total(&self) -> u64 {
        masks::POSSIBLE.iter().map(|cpu| self.count(cpu)).sum()
    }

    #[inline]
    pub(super) fn note(&self) {
        self.counts.this_cpu_add(1);
    }

    /// Gives the line to a controller: input `hwirq` of the one with the number `unit`. Nobody handles it meanwhile.
    pub fn install(&self, chip: &'static dyn IrqChip, flow: Flow, unit: u32, hwirq: u32) {
        let mut state = self.state.lock();
        state.chip = chip;
        state.flow = flow;
        self.data.set_input(unit, hwirq);
    }

    /// Takes the line from its controller, without telling it: it goes nowhere then.
    pub fn uninstall(&self) {
        self.install(&NoChip, Flow::Bad, 0, self.irq());
    }

    pub(super) fn lock(&self) -> IrqSpinLockGuard<'_, State> {
        self.state.lock()
    }

    /// The same for who handles an interrupt, with interrupts off.
    #[inline]
    pub(super) fn lock_irqs_off(&self) -> IrqSpinLockGuard<'_, State> {
        self.state.lock_irqs_off()
    }
}

/// The descriptor of a line, if there is one.
#[inline]
#[must_use]
pub fn desc(irq: u32) -> Option<&'static IrqDesc> {
    // SAFETY: nothing is ever taken out.
    unsafe { DESCS.load_unlocked(irq as usize) }
}

/// The descriptor of a line, made if there is none yet: Linux's `irq_alloc_desc_at`.
///
/// # Errors
///
/// `EINVAL` for a number that no line has; `ENOMEM`.
pub fn ensure(irq: u32) -> Result<&'static IrqDesc, Errno> {
    if irq >= NR_IRQS {
        return Err(Errno::EINVAL);
    }
    if let Some(desc) = desc(irq) {
        return Ok(desc);
    }
    let new = KBox::new(IrqDesc::new(irq)?, Gfp::KERNEL)?;
    let mut descs = DESCS.lock();
    // Another CPU may have made one meanwhile.
    if let Some(desc) = desc(irq) {
        return Ok(desc);
    }
    descs.reserve(irq as usize)?;
    // Descriptors stay: interrupts find them without a lock.
    let new: &'static IrqDesc = new.leak();
    descs.store(irq as usize, new)?;
    Ok(new)
}

/// Calls `f` with each line's descriptor, by number.
pub fn for_each(mut f: impl FnMut(&'static IrqDesc)) {
    (0..NR_IRQS_HERE.load(Relaxed)).filter_map(desc).for_each(&mut f);
}

/// How many numbers of lines a machine with so many inputs and CPUs can use: Linux's `arch_probe_nr_irqs`.
const fn probe_nr_irqs(gsi_top: u32, nr_cpu_ids: u32) -> u32 {
    let mut wanted = gsi_top + NR_IRQS_LEGACY + 8 * nr_cpu_ids;
    wanted += if gsi_top <= NR_IRQS_LEGACY { 8 * nr_cpu_ids } else { gsi_top * 16 };
    let limit = if NR_IRQS > NR_VECTORS * nr_cpu_ids {
        NR_VECTORS * nr_cpu_ids
    } else {
        NR_IRQS
    };
    if wanted < limit { wanted } else { limit }
}

/// Makes the descriptors of the lines that every PC has: Linux's stage of the same name.
///
/// # Panics
///
/// Without memory for them.
#[init]
#[stage(after(crate::collections::nodes::radix_tree_init), before(crate::arch::x86::irq::init_IRQ))]
pub fn early_irq_init() {
    let here = probe_nr_irqs(io_apic::gsi_top(), masks::nr_cpu_ids() as u32);
    // Lines of I/O APICs have the numbers of their inputs, however far apart firmware has put these.
    NR_IRQS_HERE.store(here.max(io_apic::gsi_top()).min(NR_IRQS), Relaxed);
    pr_info!("NR_IRQS: {NR_IRQS}, nr_irqs: {here}, preallocated irqs: {NR_IRQS_LEGACY}");
    for irq in 0..NR_IRQS_LEGACY {
        if let Err(error) = ensure(irq) {
            panic!("no memory for the descriptor of IRQ {irq} ({error})");
        }
    }
}

#[ktest]
fn a_machine_has_as_many_lines_as_linux_says() {
    assert_eq!(
        [(24, 1), (24, 4), (24, 8), (0, 1), (48, 64)].map(|(inputs, cpus)| probe_nr_irqs(inputs, cpus)),
        [256, 456, 488, 32, 1344]
    );
}

//! Which line a device vector belongs to, on each CPU.
//!
//! A line has a vector on one CPU. When it moves, the old one keeps leading to it until it moves again: what was under way is not lost. The vectors of ISA's lines are the same on
//! every CPU and nobody else's.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::FIRST_SYSTEM_VECTOR;
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::{CpuMask, ONLINE};
use crate::arch::x86::idt::{FIRST_EXTERNAL_VECTOR, IA32_SYSCALL_VECTOR};
use crate::irq::{IrqData, IrqDesc, NR_IRQS_LEGACY};
use crate::locking::IrqSpinLock;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// The vector of ISA's line 0, by the 8259s as well as by an I/O APIC: Linux's `ISA_IRQ_VECTOR(0)`.
pub const ISA_IRQ_VECTOR: u8 = 0x30;

/// The first vector that any line can have; the one below it is software's.
const FIRST_DEVICE_VECTOR: u8 = FIRST_EXTERNAL_VECTOR + 1;

const NR_DEVICE_VECTORS: usize = (FIRST_SYSTEM_VECTOR - FIRST_EXTERNAL_VECTOR) as usize;

/// The descriptors by vector; null for a free one.
struct Table([AtomicPtr<IrqDesc>; NR_DEVICE_VECTORS]);

#[percpu]
static VECTOR_IRQ: Table = Table([const { AtomicPtr::new(ptr::null_mut()) }; NR_DEVICE_VECTORS]);

/// Held by who gives vectors out.
static ALLOCATION: IrqSpinLock<()> = IrqSpinLock::new(());

fn slot(cpu: usize, vector: u8) -> Option<&'static AtomicPtr<IrqDesc>> {
    let index = usize::from(vector.checked_sub(FIRST_EXTERNAL_VECTOR)?);
    VECTOR_IRQ.per_cpu(cpu)?.0.get(index)
}

/// The line that `vector` belongs to on this CPU. Interrupts are off.
#[inline]
#[must_use]
pub(super) fn desc_of(vector: u8) -> Option<&'static IrqDesc> {
    let index = usize::from(vector.wrapping_sub(FIRST_EXTERNAL_VECTOR));
    // SAFETY: the caller stays on the CPU, whose copy is initialised for good; descriptors stay, too.
    unsafe { (*VECTOR_IRQ.this_cpu_ptr()).0.get(index)?.load(Ordering::Acquire).as_ref() }
}

/// A CPU and a vector in a word; 0 is nowhere, for no line has that vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Target {
    cpu: usize,
    vector: u8,
}

impl Target {
    const fn pack(self) -> u32 {
        (self.cpu as u32) << 8 | self.vector as u32
    }

    fn unpack(word: u32) -> Option<Self> {
        (word != 0).then_some(Target {
            cpu: (word >> 8) as usize,
            vector: word as u8,
        })
    }
}

/// Where a line goes, and where it went before.
pub struct Place {
    now: AtomicU32,
    before: AtomicU32,
}

impl Place {
    pub(crate) const fn new() -> Self {
        Place {
            now: AtomicU32::new(0),
            before: AtomicU32::new(0),
        }
    }

    fn now(&self) -> Option<Target> {
        Target::unpack(self.now.load(Ordering::Relaxed))
    }

    /// The CPU that the line goes to.
    #[must_use]
    pub fn cpu(&self) -> Option<usize> {
        Some(self.now()?.cpu)
    }

    /// The vector that it has there.
    #[must_use]
    pub fn vector(&self) -> Option<u8> {
        Some(self.now()?.vector)
    }

    /// Whether the line, which has just been moved from `cpu`, the caller's own, has arrived there all the same and waits.
    #[must_use]
    pub(crate) fn is_left_pending(&self, cpu: usize) -> bool {
        debug_assert_eq!(cpu, smp_processor_id());
        let before = Target::unpack(self.before.load(Ordering::Relaxed));
        before.is_some_and(|before| before.cpu == cpu && apic::is_requested(before.vector))
    }
}

/// Lets `vector` on `cpu` belong to a line for good: for ISA's lines, whose vectors nobody else gets.
pub(in crate::arch::x86) fn install(desc: &'static IrqDesc, cpu: usize, vector: u8) {
    let _held = ALLOCATION.lock();
    if let Some(slot) = slot(cpu, vector) {
        slot.store(ptr::from_ref(desc).cast_mut(), Ordering::Release);
        desc.place().now.store(Target { cpu, vector }.pack(), Ordering::Relaxed);
    }
}

/// Gives the line a vector on one of `cpus`, the same as it has now if that can be, and notes it as the line's place. The old one keeps leading to the line.
///
/// # Errors
///
/// `EINVAL` if none of the CPUs is online and can be reached, `ENOSPC` if none has a free vector.
pub(in crate::arch::x86) fn assign(data: &IrqData, cpus: &CpuMask) -> Result<(), Errno> {
    let desc = crate::irq::desc(data.irq()).ok_or(Errno::EINVAL)?;
    let place = &data.place;
    let _held = ALLOCATION.lock();
    let mut error = Errno::EINVAL;
    for cpu in cpus.iter().filter(|&cpu| ONLINE.contains(cpu) && is_reachable(cpu)) {
        if place.cpu() == Some(cpu) {
            return Ok(());
        }
        let Some(vector) = find(desc, place.vector(), cpu) else {
            error = Errno::ENOSPC;
            continue;
        };
        forget(desc, &place.before);
        if let Some(slot) = slot(cpu, vector) {
            slot.store(ptr::from_ref(desc).cast_mut(), Ordering::Release);
        }
        let before = place.now.swap(Target { cpu, vector }.pack(), Ordering::Relaxed);
        place.before.store(before, Ordering::Relaxed);
        return Ok(());
    }
    Err(error)
}

/// Gives the line's vectors back: nobody handles it any more, and it is masked. What is under way still finds a line of ISA.
pub(in crate::arch::x86) fn release(data: &IrqData) {
    let Some(desc) = crate::irq::desc(data.irq()) else { return };
    let _held = ALLOCATION.lock();
    forget(desc, &data.place.before);
    if desc.irq() >= NR_IRQS_LEGACY {
        forget(desc, &data.place.now);
    }
}

/// Frees the vector at `target`, if it is still the line's, and notes that there is none.
fn forget(desc: &'static IrqDesc, target: &AtomicU32) {
    let target = Target::unpack(target.swap(0, Ordering::Relaxed));
    if let Some(slot) = target.and_then(|target| slot(target.cpu, target.vector))
        && ptr::eq(slot.load(Ordering::Relaxed), desc)
    {
        slot.store(ptr::null_mut(), Ordering::Release);
    }
}

/// Whether an I/O APIC or a device can name the CPU: the id of its APIC has eight bits, and is not that of all.
fn is_reachable(cpu: usize) -> bool {
    apic::cpu_to_apicid(cpu).is_some_and(|id| id < 0xff)
}

/// A vector for the line on `cpu`.
fn find(desc: &IrqDesc, wanted: Option<u8>, cpu: usize) -> Option<u8> {
    if desc.irq() < NR_IRQS_LEGACY {
        return Some(ISA_IRQ_VECTOR + desc.irq() as u8);
    }
    let isa = ISA_IRQ_VECTOR..ISA_IRQ_VECTOR + NR_IRQS_LEGACY as u8;
    let is_free = |vector: &u8| {
        let owner = slot(cpu, *vector).map(|slot| slot.load(Ordering::Relaxed).cast_const());
        !isa.contains(vector) && *vector != IA32_SYSCALL_VECTOR && owner.is_some_and(|owner| owner.is_null() || ptr::eq(owner, desc))
    };
    wanted
        .into_iter()
        .chain(isa.end..FIRST_SYSTEM_VECTOR)
        .chain(FIRST_DEVICE_VECTOR..isa.start)
        .find(is_free)
}

#[ktest]
fn a_line_keeps_its_vector_and_gives_it_back() {
    let cpu = smp_processor_id();
    let Ok(desc) = crate::irq::ensure(NR_IRQS_LEGACY + 1000) else {
        return;
    };
    if !is_reachable(cpu) {
        return;
    }
    let data = IrqData::new(desc.irq());
    let only = CpuMask::new();
    assert_eq!(assign(&data, &only), Err(Errno::EINVAL));
    only.set(cpu, true);
    assert_eq!(assign(&data, &only), Ok(()));
    let vector = data.place.vector().unwrap_or(0);
    assert!((FIRST_DEVICE_VECTOR..FIRST_SYSTEM_VECTOR).contains(&vector) && data.place.cpu() == Some(cpu));
    let owner = || slot(cpu, vector).map(|slot| slot.load(Ordering::Relaxed).cast_const());
    assert!(owner().is_some_and(|owner| ptr::eq(owner, desc)));
    release(&data);
    assert!(data.place.cpu().is_none() && owner().is_some_and(<*const IrqDesc>::is_null));
}

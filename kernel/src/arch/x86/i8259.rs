//! The two interrupt controllers of the PC (Intel 8259A): one behind line 2 of the other, eight lines each.
//!
//! Firmware leaves them sending the timer's interrupt to vector 8, where the processor has the double fault: they are kept quiet from the start, and set up by `init_IRQ`.
//! Where there is an I/O APIC, they are masked for good afterwards.

use core::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::Relaxed};

use x86::io::inb;

use crate::arch::x86::io_delay::outb_p;
use crate::arch::x86::irq::vector::{self, ISA_IRQ_VECTOR};
use crate::irq::{Flow, IrqChip, IrqData, NR_IRQS_LEGACY};
use crate::locking::IrqSpinLock;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::time::udelay;

const MASTER_COMMAND: u16 = 0x20;
const MASTER_DATA: u16 = 0x21;
const SLAVE_COMMAND: u16 = 0xa0;
const SLAVE_DATA: u16 = 0xa1;

/// The line of the first one that the second one is at.
const CASCADE: u32 = 2;

/// First command word: more words follow, edge triggered, there are two of them.
const ICW1: u8 = 0x11;
/// Fourth command word: as on a PC, each interrupt is said to be done.
const ICW4: u8 = 0x01;
/// The command register is to show what is in service.
const READ_IN_SERVICE: u8 = 0x0b;
/// The command register is to show what is requested, as after the start.
const READ_REQUESTED: u8 = 0x0a;
/// The line in the lowest three bits is done.
const SPECIFIC_EOI: u8 = 0x60;

/// Lines that are masked, and the right to talk to the controllers.
static MASK: IrqSpinLock<u16> = IrqSpinLock::new(u16::MAX);

static PRESENT: AtomicBool = AtomicBool::new(false);
/// Interrupts that no line had raised.
static SPURIOUS: AtomicU64 = AtomicU64::new(0);
/// Lines about which that has been said.
static SPURIOUS_SAID: AtomicU16 = AtomicU16::new(0);

/// Masks every line of both controllers. Without the controllers the writes go nowhere.
pub fn mask_all() {
    let mut mask = MASK.lock();
    *mask = u16::MAX;
    // SAFETY: masking stops interrupts that nobody handles; the mask is the only register at these ports while no initialisation is under way.
    unsafe {
        outb_p(SLAVE_DATA, 0xff);
        outb_p(MASTER_DATA, 0xff);
    }
}

/// Interrupts that came and that no line had raised.
#[must_use]
pub fn spurious_count() -> u64 {
    SPURIOUS.load(Relaxed)
}

/// Whether there are controllers.
#[must_use]
pub fn is_present() -> bool {
    PRESENT.load(Relaxed)
}

/// Sets the controllers up, all lines masked, and gives them ISA's lines: Linux's `init_8259A`.
#[init]
pub(super) fn init() {
    if !probe() {
        pr_info!("Using NULL legacy PIC");
        return;
    }
    PRESENT.store(true, Relaxed);
    let mask = MASK.lock();
    let slave_at = 1 << CASCADE;
    // SAFETY: both are masked, and stay so; nothing comes before the vectors are theirs.
    unsafe {
        for (command, data, first, cascade) in [
            (MASTER_COMMAND, MASTER_DATA, ISA_IRQ_VECTOR, slave_at),
            (SLAVE_COMMAND, SLAVE_DATA, ISA_IRQ_VECTOR + 8, CASCADE as u8),
        ] {
            outb_p(command, ICW1);
            outb_p(data, first);
            outb_p(data, cascade);
            outb_p(data, ICW4);
        }
        udelay(100);
    }
    write_mask(*mask);
    drop(mask);
    for irq in (0..NR_IRQS_LEGACY).filter(|&irq| irq != CASCADE) {
        if let Some(desc) = crate::irq::desc(irq) {
            desc.install(&Pic, Flow::Level, 0, irq);
            vector::install(desc, smp_processor_id(), ISA_IRQ_VECTOR + irq as u8);
        }
    }
}

/// Whether there are controllers: what is written to the mask is there afterwards.
#[init]
fn probe() -> bool {
    const PATTERN: u8 = !(1 << CASCADE);
    mask_all();
    let _held = MASK.lock();
    // SAFETY: all lines but the second controller's stay masked, and those of that one are.
    unsafe {
        outb_p(MASTER_DATA, PATTERN);
        inb(MASTER_DATA) == PATTERN
    }
}

fn write_mask(mask: u16) {
    // The line between the two is open for as long as there is a line behind it.
    let [master, slave] = mask.to_le_bytes();
    let master = if slave == 0xff {
        master | 1 << CASCADE
    } else {
        master & !(1 << CASCADE)
    };
    // SAFETY: a line that is not masked has a descriptor and a vector.
    unsafe {
        outb_p(SLAVE_DATA, slave);
        outb_p(MASTER_DATA, master);
    }
}

/// Says that the interrupt of `irq` is done.
fn end(irq: u32) {
    // SAFETY: lets the next one come, which is what the caller wants.
    unsafe {
        if irq >= 8 {
            outb_p(SLAVE_COMMAND, SPECIFIC_EOI | (irq & 7) as u8);
            outb_p(MASTER_COMMAND, SPECIFIC_EOI | CASCADE as u8);
        } else {
            outb_p(MASTER_COMMAND, SPECIFIC_EOI | irq as u8);
        }
    }
}

/// Whether `irq` is in service: a controller that finds no line raised any more says its last one, and that is not. The lock is held.
fn is_in_service(irq: u32) -> bool {
    let command = if irq >= 8 { SLAVE_COMMAND } else { MASTER_COMMAND };
    // SAFETY: chooses what is read, and chooses back.
    let in_service = unsafe {
        outb_p(command, READ_IN_SERVICE);
        let in_service = inb(command);
        outb_p(command, READ_REQUESTED);
        in_service
    };
    in_service & 1 << (irq & 7) != 0
}

/// Counts an interrupt that no line had raised. One of the second controller's is a real one for the first.
#[cold]
fn note_spurious(irq: u32) {
    SPURIOUS.fetch_add(1, Relaxed);
    if irq >= 8 {
        end(CASCADE);
    }
    if SPURIOUS_SAID.fetch_or(1 << irq, Relaxed) & 1 << irq == 0 {
        pr_debug!("spurious 8259A interrupt: IRQ{irq}.");
    }
}

/// The pair of them.
struct Pic;

impl IrqChip for Pic {
    fn name(&self) -> &'static str {
        "XT-PIC"
    }

    fn mask(&self, data: &IrqData) {
        let mut mask = MASK.lock();
        *mask |= 1 << data.hwirq();
        write_mask(*mask);
    }

    fn unmask(&self, data: &IrqData) {
        let mut mask = MASK.lock();
        *mask &= !(1 << data.hwirq());
        write_mask(*mask);
    }

    fn mask_ack(&self, data: &IrqData) {
        let irq = data.hwirq();
        let mut mask = MASK.lock();
        let is_last = irq & 7 == 7;
        if (is_last || *mask & 1 << irq != 0) && !is_in_service(irq) {
            note_spurious(irq);
        } else {
            *mask |= 1 << irq;
            write_mask(*mask);
            end(irq);
        }
    }
}

//! From an interrupt's first instruction to its handler and back.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit::arch::x86::irq::{SYSVECS, SysVec, vector::ISA_IRQ_VECTOR};
use incipit::irq::{IrqFlagsSet, IrqReturn, request_irq};
use incipit_bench_meter::measure_loop;
use linkme::distributed_slice;

use crate::TURNS;

/// A system vector that the kernel has no use for.
const VECTOR: u8 = 0xee;
/// A line of ISA's that no device has.
const LINE: u32 = 5;

static CAME: AtomicU64 = AtomicU64::new(0);

#[distributed_slice(SYSVECS)]
static BENCH: SysVec = SysVec {
    vector: VECTOR,
    mnemonic: "",
    description: "",
    handler: |_| count(),
};

pub fn measure_all() {
    measure_loop("irq/vector", TURNS, || {
        // SAFETY: the handler counts.
        unsafe { asm!("int {vector}", vector = const VECTOR) };
        true
    });
    let handler = &|_irq: u32| {
        CAME.fetch_add(1, Relaxed);
        IrqReturn::Handled
    };
    if let Ok(action) = request_irq(LINE, handler, IrqFlagsSet::empty(), "bench") {
        measure_loop("irq/line", TURNS, || {
            // SAFETY: the vector of the line leads to the handler above, which counts.
            unsafe { asm!("int {vector}", vector = const ISA_IRQ_VECTOR as u32 + LINE) };
            true
        });
        drop(action);
    }
}

fn count() {
    CAME.fetch_add(1, Relaxed);
}

//! Locks that nobody else wants.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit::locking::{IrqSpinLock, RawSpinLock, SeqCount, SpinLock};
use incipit_bench_meter::measure_loop;

use crate::TURNS;

static RAW: RawSpinLock = RawSpinLock::new();
static SPIN: SpinLock<u64> = SpinLock::new(0);
static IRQ: IrqSpinLock<u64> = IrqSpinLock::new(0);
static COUNT: SeqCount = SeqCount::new();
static COUNTED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

pub fn measure_all() {
    measure_loop("lock/raw", TURNS, || {
        RAW.lock();
        // SAFETY: taken above.
        unsafe { RAW.unlock() };
        true
    });
    measure_loop("lock/spin", TURNS, || {
        drop(SPIN.lock());
        true
    });
    measure_loop("lock/irqsave", TURNS, || {
        drop(IRQ.lock());
        true
    });
    measure_loop("lock/seqcount", TURNS, || {
        let [one, two] = COUNT.read(|| COUNTED.each_ref().map(|word| word.load(Relaxed)));
        one == two
    });
}

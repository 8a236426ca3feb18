//! Functions called on other CPUs, if there are any. The count is that of all CPUs: who waits spins with `pause`, on which QEMU goes on with the next one.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use incipit::arch::x86::cpu::masks::ONLINE;
use incipit::percpu::smp_processor_id;
use incipit::smp;
use incipit_bench_meter::{measure_loop, measure_part};

use crate::TURNS;

static CALLED: AtomicU64 = AtomicU64::new(0);

/// The CPU that is called, apart from this one.
const OTHER: usize = 1;

pub fn measure_all() {
    measure_loop("call/here", TURNS, || smp::call_function_single(0, &count).is_ok());
    if ONLINE.weight() == 1 {
        return;
    }
    measure_loop("call/idle", TURNS, || smp::call_function_single(OTHER, &count).is_ok());
    measure_part(
        "call/nowait",
        TURNS,
        || smp::call_function_single_nowait(OTHER, &count).is_ok(),
        || smp::call_function_single(OTHER, &count).is_ok(),
    );
    measure_loop("call/many", TURNS, || {
        smp::call_function_many(&ONLINE, &count);
        true
    });
    let is_over = AtomicBool::new(false);
    let busy = || {
        if smp_processor_id() == 0 {
            measure_loop("call/busy", TURNS, || smp::call_function_single(OTHER, &count).is_ok());
            is_over.store(true, Relaxed);
        }
        while !is_over.load(Relaxed) {
            core::hint::spin_loop();
        }
    };
    // Without memory for it there is no figure, and the host says so.
    let _ = smp::work_on_each_cpu(&busy);
}

fn count() {
    CALLED.fetch_add(1, Relaxed);
}

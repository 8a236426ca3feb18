//! Who runs: what reports say in `PID: … Comm: …`.
//!
//! Each CPU has one task. The boot CPU's boots as the idle task, number 0, and becomes init, number 1, when the stages are done; the others' is their idle task, which has the
//! number 0 as well.

use core::sync::atomic::AtomicU32;

use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

#[percpu]
static PID: AtomicU32 = AtomicU32::new(0);

/// The number of the task that this CPU runs.
#[must_use]
pub fn pid() -> u32 {
    PID.this_cpu_read()
}

/// The name of the task that this CPU runs: the boot thread is `swapper`, an idle task `swapper/` and its CPU's number; init keeps the name of the boot CPU's idle task until it
/// runs a program.
#[must_use]
pub fn comm() -> &'static str {
    match (smp_processor_id(), pid()) {
        (0, 0) => "swapper",
        (cpu, _) => IDLE_NAMES.get(cpu).map_or("swapper", IdleName::as_str),
    }
}

/// Notes that init runs from here on.
#[init]
pub fn become_init() {
    PID.this_cpu_write(1);
}

/// `swapper/` and a number of two digits at most.
struct IdleName {
    text: [u8; 10],
    len: usize,
}

const _: () = assert!(NR_CPUS <= 100, "a number has two digits");

static IDLE_NAMES: [IdleName; NR_CPUS] = {
    let mut names = [const { IdleName::of(0) }; NR_CPUS];
    let mut cpu = 0;
    while cpu < NR_CPUS {
        names[cpu] = IdleName::of(cpu);
        cpu += 1;
    }
    names
};

impl IdleName {
    const fn of(cpu: usize) -> IdleName {
        let (tens, ones) = (b'0' + (cpu / 10) as u8, b'0' + (cpu % 10) as u8);
        let [first, second, len] = if cpu < 10 { [ones, 0, 9] } else { [tens, ones, 10] };
        let text = [b's', b'w', b'a', b'p', b'p', b'e', b'r', b'/', first, second];
        IdleName { text, len: len as usize }
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.text[..self.len]).unwrap_or("swapper")
    }
}

#[ktest]
fn an_idle_task_is_named_after_its_cpu() {
    assert_eq!((IdleName::of(7).as_str(), IdleName::of(63).as_str()), ("swapper/7", "swapper/63"));
    assert_eq!((pid(), comm()), (1, "swapper/0"));
}

//! What the CPUs wait by in the queues of locks: a few words of each CPU, one pair for each context that can interrupt another.

use core::sync::atomic::AtomicU32;

use incipit_lib::qspinlock::{MAX_CPUS, MAX_NESTING, Machine, Waiter};

use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

const _: () = assert!(NR_CPUS <= MAX_CPUS as usize, "the word of a lock names a CPU in 14 bits");

/// A CPU's waiters, in a line of the cache of their own: the CPU that comes before writes here, and the one that waits reads.
#[repr(align(64))]
struct McsNodes([Waiter; MAX_NESTING as usize]);

#[percpu(shared_aligned)]
static MCS_NODES: McsNodes = McsNodes([const { Waiter::new() }; MAX_NESTING as usize]);

/// How many of them are in use. An interrupt takes the next ones and gives them back before it returns.
#[percpu]
static NESTING: AtomicU32 = AtomicU32::new(0);

/// The CPUs of this machine.
pub(super) struct Cpus;

impl Machine for Cpus {
    type Word = AtomicU32;

    fn this_cpu(&self) -> u32 {
        smp_processor_id() as u32
    }

    fn enter(&self) -> u32 {
        let index = NESTING.this_cpu_read();
        NESTING.this_cpu_add(1);
        index
    }

    fn leave(&self) {
        NESTING.this_cpu_add(1_u32.wrapping_neg());
    }

    fn waiter(&self, cpu: u32, index: u32) -> &Waiter {
        // SAFETY: the copies of the static are initialised and stay; their fields are atomics.
        let nodes = unsafe { &*MCS_NODES.per_cpu_ptr(cpu as usize) };
        &nodes.0[index as usize]
    }
}

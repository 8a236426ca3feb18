//! Calls on each CPU that is online, however many there are.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::*;
use crate::arch::x86::cpu::masks::{NR_CPUS, ONLINE};
use crate::irq::irqs_disabled;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

#[ktest]
fn a_function_is_called_on_the_cpu_that_it_is_meant_for() {
    for cpu in ONLINE.iter() {
        let ran = AtomicUsize::new(usize::MAX);
        let call = || {
            assert!(irqs_disabled());
            assert_eq!(ran.swap(smp_processor_id(), Relaxed), usize::MAX, "called twice");
        };
        assert_eq!(call_function_single(cpu, &call), Ok(()));
        assert_eq!(ran.load(Relaxed), cpu);
    }
}

#[ktest]
fn a_cpu_that_is_not_there_is_an_error() {
    for cpu in [NR_CPUS, usize::MAX] {
        assert_eq!(call_function_single(cpu, &|| panic!("called")), Err(Errno::ENXIO));
        assert_eq!(call_function_single_nowait(cpu, &|| panic!("called")), Err(Errno::ENXIO));
    }
}

#[ktest]
fn all_cpus_are_called_once() {
    let everyone = ONLINE.iter().fold(0, |bits, cpu| bits | 1 << cpu);
    let ran = AtomicU64::new(0);
    let times = AtomicUsize::new(0);
    let call = || {
        ran.fetch_or(1 << smp_processor_id(), Relaxed);
        times.fetch_add(1, Relaxed);
    };
    for round in 1..=100 {
        on_each_cpu(&call);
        assert_eq!((ran.swap(0, Relaxed), times.load(Relaxed)), (everyone, round * ONLINE.weight()));
    }
    call_function_many(&ONLINE, &call);
    assert_eq!(ran.load(Relaxed), everyone & !(1 << smp_processor_id()));
}

#[ktest]
fn calls_that_nobody_waits_for_are_all_made() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    const CALLS: usize = 100;
    let before = MADE.load(Relaxed);
    for cpu in ONLINE.iter() {
        for _ in 0..CALLS {
            let asked = call_function_single_nowait(cpu, &|| {
                MADE.fetch_add(1, Relaxed);
            });
            assert_eq!(asked, Ok(()));
        }
        // What is waited for comes behind the others.
        assert_eq!(call_function_single(cpu, &|| ()), Ok(()));
    }
    assert_eq!(MADE.load(Relaxed) - before, CALLS * ONLINE.weight());
}

#[ktest]
fn the_machine_stands_still_while_one_cpu_works() {
    static TURNS: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..20 {
        let answer = stop_machine(|| {
            assert!(irqs_disabled());
            let before = TURNS.load(Relaxed);
            TURNS.store(before + 1, Relaxed);
            before
        });
        assert_eq!(TURNS.load(Relaxed), answer + 1);
    }
    // All go on afterwards.
    all_cpus_are_called_once();
}

#[ktest]
fn work_is_done_on_every_cpu_with_interrupts_on() {
    let everyone = ONLINE.iter().fold(0, |bits, cpu| bits | 1 << cpu);
    for _ in 0..100 {
        let ran = AtomicU64::new(0);
        let work = || {
            assert!(!irqs_disabled() && !crate::preempt::in_interrupt());
            assert_eq!(
                ran.fetch_or(1 << smp_processor_id(), Relaxed) & 1 << smp_processor_id(),
                0,
                "done twice"
            );
        };
        assert_eq!(work_on_each_cpu(&work), Ok(()));
        assert_eq!(ran.load(Relaxed), everyone);
    }
}

#[ktest]
fn work_may_want_more_work_done() {
    let times = AtomicUsize::new(0);
    let inner = || {
        times.fetch_add(1, Relaxed);
    };
    assert_eq!(work_on_each_cpu(&|| assert_eq!(work_on_each_cpu(&inner), Ok(()))), Ok(()));
    assert_eq!(times.load(Relaxed), ONLINE.weight() * ONLINE.weight());
}

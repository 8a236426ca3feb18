//! Breakpoints of all CPUs, however many there are.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::super::tables::HBP_NUM;
use super::super::{Access, Breakpoint, WideBreakpoint};
use crate::arch::x86::cpu::masks::{CpuMask, NR_CPUS, ONLINE};
use crate::arch::x86::ptregs::PtRegs;
use crate::cpu::{cpu_down, cpu_up};
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::smp::{call_function_single, work_on_each_cpu};

/// A word for each breakpoint: where several watch the same one, QEMU tells of one of them.
static WATCHED: [AtomicU64; HBP_NUM] = [const { AtomicU64::new(0) }; HBP_NUM];
/// How often each CPU has come to the breakpoint.
static HITS: [AtomicUsize; NR_CPUS] = [const { AtomicUsize::new(0) }; NR_CPUS];

fn count(_: &mut PtRegs) {
    HITS[smp_processor_id()].fetch_add(1, Relaxed);
}

fn watch_word(word: usize) -> Result<WideBreakpoint, Errno> {
    WideBreakpoint::new((&raw const WATCHED[word]).addr(), 8, Access::Write, count)
}

fn watch() -> Result<WideBreakpoint, Errno> {
    watch_word(0)
}

fn write() {
    WATCHED[0].fetch_add(1, Relaxed);
}

fn write_all() {
    WATCHED.iter().for_each(|word| word.store(1, Relaxed));
}

/// Calls `f` on one CPU after the other.
fn on_each_in_turn(f: &(dyn Fn() + Sync)) {
    ONLINE.iter().for_each(|cpu| assert_eq!(call_function_single(cpu, f), Ok(())));
}

/// How often `act` makes each CPU come to the breakpoint.
fn hits(act: impl FnOnce()) -> [usize; NR_CPUS] {
    HITS.iter().for_each(|hits| hits.store(0, Relaxed));
    act();
    HITS.each_ref().map(|hits| hits.load(Relaxed))
}

/// The same number for each CPU that is online, and 0 for the others.
fn each(number: usize) -> [usize; NR_CPUS] {
    core::array::from_fn(|cpu| if ONLINE.contains(cpu) { number } else { 0 })
}

/// The same number for `one` CPU, and 0 for the others.
fn only(one: usize, number: usize) -> [usize; NR_CPUS] {
    core::array::from_fn(|cpu| if cpu == one { number } else { 0 })
}

/// Has each CPU write until that is seen. QEMU, with a thread for each CPU, may lose a breakpoint that several come to at once or that is dropped right then, and the next one of that
/// CPU with it: the tests that count must not be those that find it.
fn settle() {
    let _breakpoint = watch().expect("a free breakpoint");
    for cpu in ONLINE.iter() {
        assert!((0..10).any(|_| hits(|| assert_eq!(call_function_single(cpu, &write), Ok(())))[cpu] != 0));
    }
}

/// Waits until `done`, which does not depend on how fast the machine is; `false` if it never will be.
fn comes(done: impl Fn() -> bool) -> bool {
    (0..2_000_000_000_u64).any(|_| {
        core::hint::spin_loop();
        done()
    })
}

#[ktest]
fn a_write_is_seen_on_whatever_cpu_it_is_done_and_on_none_when_dropped() {
    let breakpoint = watch().expect("a free breakpoint");
    for cpu in ONLINE.iter() {
        assert_eq!(hits(|| assert_eq!(call_function_single(cpu, &write), Ok(()))), only(cpu, 1));
    }
    drop(breakpoint);
    assert_eq!(hits(|| on_each_in_turn(&write)), each(0));
}

#[ktest]
fn all_cpus_may_come_to_it_at_the_same_time() {
    let breakpoint = watch().expect("a free breakpoint");
    let write_often = || (0..1000).for_each(|_| write());
    let hits = hits(|| assert_eq!(work_on_each_cpu(&write_often), Ok(())));
    let came = hits.map(|hits| hits != 0);
    assert_eq!(came, each(1).map(|hit| hit != 0));
    drop(breakpoint);
    settle();
}

#[ktest]
fn a_cpu_that_went_and_came_back_watches_what_is_watched_now() {
    let this = smp_processor_id();
    for cpu in ONLINE.iter().filter(|&cpu| cpu != this) {
        let before = watch().expect("a free breakpoint");
        assert_eq!(cpu_down(cpu), Ok(()));
        // Another one, of another number, while it is away.
        let breakpoint = watch().expect("a free breakpoint");
        drop(before);
        assert_eq!(cpu_up(cpu), Ok(()));
        assert_eq!(hits(|| assert_eq!(call_function_single(cpu, &write), Ok(()))), only(cpu, 1));
        assert_eq!(cpu_down(cpu), Ok(()));
        drop(breakpoint);
        assert_eq!(cpu_up(cpu), Ok(()));
        assert_eq!(hits(|| on_each_in_turn(&write)), each(0));
    }
}

#[ktest]
fn breakpoints_of_one_cpu_and_of_all_share_the_same_four() {
    let own_word = |word: usize| Breakpoint::new((&raw const WATCHED[word]).addr(), 8, Access::Write, count);
    let words: [usize; HBP_NUM] = core::array::from_fn(|word| word);
    let all = words.map(|word| watch_word(word).expect("a free breakpoint"));
    assert_eq!((watch().err(), own_word(0).err()), (Some(Errno::ENOSPC), Some(Errno::ENOSPC)));
    assert_eq!(hits(|| on_each_in_turn(&write_all)), each(HBP_NUM));
    drop(all);
    // One CPU has none left.
    let all = words.map(|word| own_word(word).expect("a free breakpoint"));
    assert_eq!(watch().err(), Some(Errno::ENOSPC));
    assert_eq!(hits(|| on_each_in_turn(&write_all)), only(smp_processor_id(), HBP_NUM));
    drop(all);
    assert_eq!(hits(|| on_each_in_turn(&write_all)), each(0));
    // Both kinds side by side.
    let _both = (own_word(1).expect("a free breakpoint"), watch().expect("a free breakpoint"));
    let mut expected = each(1);
    expected[smp_processor_id()] += 1;
    assert_eq!(hits(|| on_each_in_turn(&write_all)), expected);
}

#[ktest]
fn breakpoints_come_and_go_while_the_others_run_into_them() {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    let churn = || {
        let others = CpuMask::new();
        ONLINE
            .iter()
            .filter(|&cpu| cpu != smp_processor_id())
            .for_each(|cpu| others.set(cpu, true));
        for _ in 0..20 {
            let breakpoint = watch().expect("a free breakpoint");
            hits(|| assert!(comes(|| others.iter().all(|cpu| HITS[cpu].load(Relaxed) != 0))));
            drop(breakpoint);
            let after = || {
                let before = WATCHED[0].load(Relaxed);
                assert!(others.weight() == 0 || comes(|| WATCHED[0].load(Relaxed) > before + 100));
            };
            assert_eq!(hits(after), each(0));
        }
        IS_OVER.store(true, Relaxed);
    };
    let this = smp_processor_id();
    let run = || {
        if smp_processor_id() == this {
            churn();
        }
        while !IS_OVER.load(Relaxed) {
            write();
        }
    };
    IS_OVER.store(false, Relaxed);
    assert_eq!(work_on_each_cpu(&run), Ok(()));
    settle();
}

#[cfg(CONFIG_SMP)]
#[ktest]
fn a_cpu_that_is_held_watches_when_it_goes_on() {
    let held = crate::smp::hold_other_cpus();
    assert!(crate::smp::are_others_held());
    let breakpoint = watch().expect("a free breakpoint");
    drop(held);
    assert_eq!(hits(|| on_each_in_turn(&write)), each(1));
    let held = crate::smp::hold_other_cpus();
    drop(breakpoint);
    drop(held);
    assert_eq!(hits(|| on_each_in_turn(&write)), each(0));
}

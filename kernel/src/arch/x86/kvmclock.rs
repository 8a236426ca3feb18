//! KVM's clock: the host shows each CPU its time in memory, so that a guest that moves to another machine keeps its time (Linux's `kvm-clock`).
//!
//! What is in that memory is [`incipit_lib::pvclock`]'s; here is where it is, and who is told. Each CPU that comes tells the host its own place before it asks for the time.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use incipit_lib::pvclock::{Latest, Reading, VcpuTimeInfo};
use linkme::distributed_slice;

use crate::arch::x86::cpu::features::{boot_cpu_has, feature};
use crate::arch::x86::cpu::hypervisor::{KvmFeatures, kvm_features};
use crate::arch::x86::msr::wrmsr_safe;
use crate::arch::x86::tsc::rdtsc_ordered;
use crate::mm::virt_to_phys;
use crate::preempt::PreemptGuard;
use crate::prelude::*;
use crate::time::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};

/// The registers that take the place of a CPU's clock, the old one and the new one: `MSR_KVM_SYSTEM_TIME`, `MSR_KVM_SYSTEM_TIME_NEW`.
const MSR_KVM_SYSTEM_TIME: u32 = 0x12;
const MSR_KVM_SYSTEM_TIME_NEW: u32 = 0x4b56_4d01;
/// In such a register: the host writes there.
const ENABLED: u64 = 1;

/// What the host writes for a CPU, in a line of its own, so that it is in one page.
#[repr(align(64))]
struct HvClock(VcpuTimeInfo);

#[percpu(shared_aligned)]
static HV_CLOCK: HvClock = HvClock(VcpuTimeInfo::new());

/// The register that is used, 0 without.
static SYSTEM_TIME: AtomicU32 = AtomicU32::new(0);
static LATEST: Latest = Latest::new();
static NO_KVMCLOCK: AtomicBool = AtomicBool::new(false);

const FLAGS: ClocksourceFlags = ClocksourceFlags::CONTINUOUS.union(ClocksourceFlags::VALID_FOR_HRES);
/// It counts nanoseconds.
static KVM_CLOCK: Clocksource = Clocksource::new("kvm-clock", 400, 64, read, FLAGS);
/// What it is worth where the time-stamp counter needs no help: less than that.
const RATING_BESIDE_GOOD_TSC: u32 = 299;

/// `no-kvmclock`: does not use KVM's clock.
#[early_param("no-kvmclock")]
#[init]
fn parse_no_kvmclock(_: Option<&'static str>) -> Result<(), Errno> {
    NO_KVMCLOCK.store(true, Relaxed);
    Ok(())
}

fn read() -> u64 {
    let here = PreemptGuard::new();
    // A host that never comes to an end has been refused by the probe; whoever becomes one later makes time stand still.
    let nothing_new = Reading {
        ns: 0,
        is_stable: false,
        was_stopped: false,
    };
    LATEST.told(HV_CLOCK.this_cpu(&here).0.read(rdtsc_ordered).unwrap_or(nothing_new))
}

#[distributed_slice(CLOCKSOURCES)]
static PROBE: fn() = probe;

#[init_ref("called by late_time_init only")]
fn probe() {
    let Some(msr) = register_of(kvm_features()).filter(|_| !NO_KVMCLOCK.load(Relaxed)) else {
        return;
    };
    if tell_host(msr, ENABLED).is_err() {
        return pr_err!("kvm-clock: the host offers the clock, but register {msr:#x} is not there");
    }
    let here = PreemptGuard::new();
    let info = &HV_CLOCK.this_cpu(&here).0;
    if let Err(why) = check(info) {
        // It took the register before.
        let _ = tell_host(msr, 0);
        return pr_err!("kvm-clock: not used: {why}");
    }
    SYSTEM_TIME.store(msr, Relaxed);
    pr_info!("kvm-clock: using msr {msr:#x}");
    if boot_cpu_has(feature::CONSTANT_TSC) && boot_cpu_has(feature::NONSTOP_TSC) {
        clocksource::change_rating(&KVM_CLOCK, RATING_BESIDE_GOOD_TSC);
    }
    if let Err(error) = clocksource::register(&KVM_CLOCK, 1_000_000_000) {
        pr_err!("kvm-clock: cannot be a clocksource: {error}");
    }
}

/// The register by which KVM is told where a clock is, if it has a clock.
const fn register_of(features: KvmFeatures) -> Option<u32> {
    if features.contains(KvmFeatures::CLOCKSOURCE2) {
        Some(MSR_KVM_SYSTEM_TIME_NEW)
    } else if features.contains(KvmFeatures::CLOCKSOURCE) {
        Some(MSR_KVM_SYSTEM_TIME)
    } else {
        None
    }
}

/// Whether the host has written a clock that goes.
fn check(info: &VcpuTimeInfo) -> Result<(), &'static str> {
    if !info.is_written() {
        return Err("the host has written nothing");
    }
    let scale = info.scale().map_err(|_| "the host never finishes writing")?;
    scale.khz().map(|_| ()).ok_or("the host says that the counter stands")
}

/// Tells the host where this CPU's clock is, and whether it is to write there. The CPU stays the same meanwhile.
fn tell_host(msr: u32, enabled: u64) -> Result<(), Errno> {
    let place = virt_to_phys(HV_CLOCK.this_cpu_ptr().cast());
    // SAFETY: the host writes what a `VcpuTimeInfo` is made for, in memory that is nothing else for as long as the kernel runs.
    unsafe { wrmsr_safe(msr, place | enabled) }
}

/// Before anything on the CPU asks for the time.
#[cpu_state(starting, name = "x86/kvm:clock", teardown = kvmclock_stop, before(crate::arch::x86::apic::timer::start_this_cpu))]
fn kvmclock_start(_cpu: usize) -> Result<(), Errno> {
    match SYSTEM_TIME.load(Relaxed) {
        0 => Ok(()),
        msr => tell_host(msr, ENABLED),
    }
}

#[cfg_attr(not(CONFIG_SMP), expect(dead_code, reason = "with one CPU nobody goes"))]
fn kvmclock_stop(_cpu: usize) {
    let msr = SYSTEM_TIME.load(Relaxed);
    if msr != 0 {
        // It took the register when the CPU came.
        let _ = tell_host(msr, 0);
    }
}

#[ktest]
fn without_kvm_there_is_no_clock_of_it() {
    if kvm_features().is_empty() {
        assert_eq!(SYSTEM_TIME.load(Relaxed), 0);
        assert_eq!(register_of(kvm_features()), None);
        assert_eq!(check(&VcpuTimeInfo::new()), Err("the host has written nothing"));
    }
}

#[ktest]
fn the_new_register_is_taken_where_both_are() {
    let both = KvmFeatures::CLOCKSOURCE | KvmFeatures::CLOCKSOURCE2;
    assert_eq!(register_of(both), Some(MSR_KVM_SYSTEM_TIME_NEW));
    assert_eq!(register_of(KvmFeatures::CLOCKSOURCE), Some(MSR_KVM_SYSTEM_TIME));
    assert_eq!(register_of(KvmFeatures::STEAL_TIME), None);
}

#[ktest]
fn the_place_that_the_host_is_told_is_this_cpus_and_in_one_page() {
    let _here = PreemptGuard::new();
    let place = virt_to_phys(HV_CLOCK.this_cpu_ptr().cast());
    assert_eq!(place % 64, 0);
    assert!(crate::mm::phys_to_virt(place).cast_const().cast() == HV_CLOCK.this_cpu_ptr());
}

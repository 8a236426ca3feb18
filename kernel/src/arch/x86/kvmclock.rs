//! KVM's clock: the host shows each CPU its time in memory, so that a guest that moves to another machine keeps its time (Linux's `kvm-clock`).
//!
//! What is in that memory is [`incipit_lib::pvclock`]'s; here is where it is, and who is told. Each CPU that comes tells the host its own place before it asks for the time.
//! The host's clock says how fast the time-stamp counter counts, too, and the host what real time is.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use incipit_lib::pvclock::{Latest, NoWallClock, Reading, VcpuTimeInfo, WallClock};
use incipit_lib::time::{Ktime, Timespec};
use linkme::distributed_slice;

use crate::arch::x86::cpu::features::{boot_cpu_has, feature};
use crate::arch::x86::cpu::hypervisor::{KvmFeatures, kvm_features};
use crate::arch::x86::msr::wrmsr_safe;
use crate::arch::x86::tsc::{self, rdtsc_ordered};
use crate::mm::virt_to_phys;
use crate::preempt::PreemptGuard;
use crate::prelude::*;
use crate::time::clocksource::{self, CLOCKSOURCES, Clocksource, ClocksourceFlags};

/// The registers by which the host is told where to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Msrs {
    /// A CPU's clock.
    system_time: u32,
    /// Real time when the clocks began with 0, which is written once each time.
    wall_clock: u32,
}

/// `MSR_KVM_SYSTEM_TIME` and `MSR_KVM_WALL_CLOCK`, which others may use.
const OLD: Msrs = Msrs {
    system_time: 0x12,
    wall_clock: 0x11,
};
/// `MSR_KVM_SYSTEM_TIME_NEW` and `MSR_KVM_WALL_CLOCK_NEW`.
const NEW: Msrs = Msrs {
    system_time: 0x4b56_4d01,
    wall_clock: 0x4b56_4d00,
};
/// In the register of a clock: the host writes there.
const ENABLED: u64 = 1;

/// What the host writes for a CPU, in a line of its own, so that it is in one page.
#[repr(align(64))]
struct HvClock(VcpuTimeInfo);

#[percpu(shared_aligned)]
static HV_CLOCK: HvClock = HvClock(VcpuTimeInfo::new());

static WALL_CLOCK: WallClock = WallClock::new();

/// The register that is used, 0 without.
static SYSTEM_TIME: AtomicU32 = AtomicU32::new(0);
static LATEST: Latest = Latest::new();
static NO_KVMCLOCK: AtomicBool = AtomicBool::new(false);

const FLAGS: ClocksourceFlags = ClocksourceFlags::CONTINUOUS
    .union(ClocksourceFlags::VALID_FOR_HRES)
    .union(ClocksourceFlags::BY_TSC);
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

/// Asks KVM for its clock, and believes what it says of the time-stamp counter: Linux's function of the same name. The first step of `timekeeping_init`: what it needs of the CPU's own
/// data is not there when Linux calls it.
#[init]
pub(crate) fn kvmclock_init() {
    let Some(msrs) = msrs_of(kvm_features()).filter(|_| !NO_KVMCLOCK.load(Relaxed)) else {
        return;
    };
    if tell_host(msrs.system_time, ENABLED).is_err() {
        return pr_err!(
            "kvm-clock: the host offers the clock, but register {:#x} is not there",
            msrs.system_time
        );
    }
    let here = PreemptGuard::new();
    match rate(&HV_CLOCK.this_cpu(&here).0) {
        Ok(khz) => {
            SYSTEM_TIME.store(msrs.system_time, Relaxed);
            pr_info!("kvm-clock: Using msrs {:x} and {:x}", msrs.system_time, msrs.wall_clock);
            tsc::told_by_hypervisor(khz.into());
        }
        Err(why) => {
            // It took the register before.
            let _ = tell_host(msrs.system_time, 0);
            pr_err!("kvm-clock: not used: {why}");
        }
    }
}

/// Real time, if KVM tells it: Linux's `kvm_get_wallclock`.
#[init]
pub(crate) fn wall_clock() -> Option<Timespec> {
    let msrs = msrs_of(kvm_features()).filter(|_| SYSTEM_TIME.load(Relaxed) != 0)?;
    let place = virt_to_phys((&raw const WALL_CLOCK).cast());
    // SAFETY: the host writes what a `WallClock` is made for, in memory that is nothing else, once.
    let told = unsafe { wrmsr_safe(msrs.wall_clock, place) }.map_err(|_| NoWallClock::NotWritten);
    told.and_then(|()| WALL_CLOCK.read(Ktime::from_ns(read())))
        .inspect_err(|why| pr_err!("kvm-clock: real time is not the host's: {why}"))
        .ok()
}

#[distributed_slice(CLOCKSOURCES)]
static PROBE: fn() = probe;

#[init_ref("called by late_time_init only")]
fn probe() {
    if SYSTEM_TIME.load(Relaxed) == 0 {
        return;
    }
    if boot_cpu_has(feature::CONSTANT_TSC) && boot_cpu_has(feature::NONSTOP_TSC) {
        clocksource::change_rating(&KVM_CLOCK, RATING_BESIDE_GOOD_TSC);
    }
    if let Err(error) = clocksource::register(&KVM_CLOCK, 1_000_000_000) {
        pr_err!("kvm-clock: cannot be a clocksource: {error}");
    }
}

/// The registers by which KVM is told where its clocks are, if it has any.
const fn msrs_of(features: KvmFeatures) -> Option<Msrs> {
    if features.contains(KvmFeatures::CLOCKSOURCE2) {
        Some(NEW)
    } else if features.contains(KvmFeatures::CLOCKSOURCE) {
        Some(OLD)
    } else {
        None
    }
}

/// The rate of the counter in kHz by what the host has written, if that is a clock that goes.
fn rate(info: &VcpuTimeInfo) -> Result<u32, &'static str> {
    if !info.is_written() {
        return Err("the host has written nothing");
    }
    let scale = info.scale().map_err(|_| "the host never finishes writing")?;
    let khz = scale.khz().and_then(|khz| u32::try_from(khz).ok());
    khz.ok_or("what the host says of the counter is no rate")
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
fn where_kvm_has_a_clock_it_is_used_and_nowhere_else() {
    let is_used = SYSTEM_TIME.load(Relaxed) != 0;
    assert_eq!(is_used, msrs_of(kvm_features()).is_some() && !NO_KVMCLOCK.load(Relaxed));
    let here = PreemptGuard::new();
    let said = rate(&HV_CLOCK.this_cpu(&here).0);
    if is_used {
        assert!(said.is_ok(), "{said:?}");
        assert!(WALL_CLOCK.read(Ktime::ZERO).is_ok());
        let before = read();
        assert!(read() >= before && before > 0);
    } else {
        assert_eq!(said, Err("the host has written nothing"));
        assert_eq!(WALL_CLOCK.read(Ktime::ZERO), Err(NoWallClock::NotWritten));
    }
}

#[ktest]
fn the_new_registers_are_taken_where_both_are() {
    let both = KvmFeatures::CLOCKSOURCE | KvmFeatures::CLOCKSOURCE2;
    assert_eq!(msrs_of(both), Some(NEW));
    assert_eq!(msrs_of(KvmFeatures::CLOCKSOURCE), Some(OLD));
    assert_eq!(msrs_of(KvmFeatures::STEAL_TIME), None);
}

#[ktest]
fn the_place_that_the_host_is_told_is_this_cpus_and_in_one_page() {
    let _here = PreemptGuard::new();
    let place = virt_to_phys(HV_CLOCK.this_cpu_ptr().cast());
    assert_eq!(place % 64, 0);
    assert!(crate::mm::phys_to_virt(place).cast_const().cast() == HV_CLOCK.this_cpu_ptr());
}

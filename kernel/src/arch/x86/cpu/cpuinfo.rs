//! The text of `/proc/cpuinfo`.

use core::fmt;

use super::common::{boot_cpu, has_extended_topology, text};
use super::cpuid::boot_cpuid;
use super::features::{boot_cpu_features, boot_cpu_has, feature};
use super::{boot_cpu_apic_id, masks};
use crate::arch::x86::apic::cpu_to_apicid;
use crate::arch::x86::registers::{self, Cr0};
use crate::arch::x86::tsc::tsc_khz;
use crate::time::calibrate::BogoMips;

/// What the bits of leaf 0x8000_0007 mean, from bit 0 on; what has no text here is shown by its number.
const POWER_FLAGS: [&str; 14] = [
    "ts",
    "fid",
    "vid",
    "ttp",
    "tm",
    "stc",
    "100mhzsteps",
    "hwpstate",
    "",
    "cpb",
    "eff_freq_ro",
    "proc_feedback",
    "acc_power",
    "",
];

/// The text of `/proc/cpuinfo`, with Linux's rows in Linux's order, for each CPU that is online.
#[must_use]
pub fn cpuinfo() -> impl fmt::Display {
    fmt::from_fn(show)
}

fn show(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    masks::ONLINE.iter().try_for_each(|number| show_cpu(number, f))
}

/// All CPUs are of the boot CPU's kind, or they would not have come.
fn show_cpu(number: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let cpu = boot_cpu();
    let caches = (cpu.vendor.caches)(&boot_cpuid);
    writeln!(f, "processor\t: {number}")?;
    writeln!(f, "vendor_id\t: {}", text(&cpu.vendor_id))?;
    writeln!(f, "cpu family\t: {}\nmodel\t\t: {}", cpu.family, cpu.model)?;
    writeln!(f, "model name\t: {}\nstepping\t: {}", cpu.model_name(), cpu.stepping)?;
    match (cpu.vendor.microcode)() {
        0 => {}
        revision => writeln!(f, "microcode\t: {revision:#x}")?,
    }
    if boot_cpu_has(feature::TSC) {
        writeln!(f, "cpu MHz\t\t: {}.{:03}", tsc_khz() / 1000, tsc_khz() % 1000)?;
    }
    if caches.kib != 0 {
        writeln!(f, "cache size\t: {} KB", caches.kib)?;
    }
    topology(number, f)?;
    let write_protect = registers::cr0() & Cr0::WP.bits() != 0;
    writeln!(f, "fpu\t\t: {}", yes_no(boot_cpu_has(named!("fpu"))))?;
    writeln!(
        f,
        "fpu_exception\t: yes\ncpuid level\t: {}\nwp\t\t: {}",
        cpu.cpuid_level,
        yes_no(write_protect)
    )?;
    flags(f)?;
    write!(f, "bugs\t\t:")?;
    cpu.bugs.names().try_for_each(|name| write!(f, " {name}"))?;
    writeln!(f, "\nbogomips\t: {}", BogoMips::of_cpu(number))?;
    if caches.tlb_pages != 0 {
        writeln!(f, "TLB size\t: {} 4K pages", caches.tlb_pages)?;
    }
    writeln!(
        f,
        "clflush size\t: {}\ncache_alignment\t: {}",
        cpu.clflush_size, cpu.cache_alignment
    )?;
    writeln!(
        f,
        "address sizes\t: {} bits physical, {} bits virtual",
        cpu.phys_bits, cpu.virt_bits
    )?;
    write!(f, "power management:")?;
    power(cpu.power, f)?;
    writeln!(f, "\n")
}

fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// The number under which the interrupt hardware knows a CPU.
fn apic_id(number: usize) -> u32 {
    cpu_to_apicid(number).unwrap_or_else(boot_cpu_apic_id)
}

/// Where the CPU stands among others: the package is what of the APIC id lies above the bits that threads and cores take.
fn topology(number: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (thread_bits, package_bits) = if has_extended_topology(boot_cpu(), &boot_cpuid) {
        (boot_cpuid(0xb, 0).eax & 0x1f, boot_cpuid(0xb, 1).eax & 0x1f)
    } else if boot_cpu_has(named!("ht")) {
        let logical = boot_cpuid(1, 0).ebx >> 16 & 0xff;
        (0, logical.max(1).next_power_of_two().trailing_zeros())
    } else {
        (0, 0)
    };
    let package = |id: u32| id >> package_bits;
    let core = |id: u32| (id & ((1_u32 << package_bits) - 1)) >> thread_bits;
    let id = apic_id(number);
    let siblings = || {
        masks::ONLINE
            .iter()
            .map(apic_id)
            .filter(move |&other| package(other) == package(id))
    };
    // Each core counts by the first of its threads.
    let cores = siblings().filter(|&one| siblings().find(|&other| core(other) == core(one)) == Some(one));
    writeln!(f, "physical id\t: {}\nsiblings\t: {}", package(id), siblings().count())?;
    writeln!(f, "core id\t\t: {}\ncpu cores\t: {}", core(id), cores.count())?;
    writeln!(f, "apicid\t\t: {id}\ninitial apicid\t: {id}")
}

/// The names of the features. Without `CONFIG_X86_FEATURE_NAMES` each is word and bit, and those are shown, too, that have no name.
fn flags(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "flags\t\t:")?;
    for feature in boot_cpu_features() {
        if !cfg!(CONFIG_X86_FEATURE_NAMES) {
            write!(f, " {}", feature.number())?;
        } else if let Some(name) = feature.name() {
            write!(f, " {name}")?;
        }
    }
    writeln!(f)
}

fn power(flags: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for bit in (0..32).filter(|bit| flags & 1 << bit != 0) {
        match POWER_FLAGS.get(bit) {
            Some(&"") => {}
            Some(name) => write!(f, " {name}")?,
            None => write!(f, " [{bit}]")?,
        }
    }
    Ok(())
}

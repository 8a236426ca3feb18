//! Which hypervisor the kernel runs on, by the signature in its CPUID leaves: Linux's `init_hypervisor_platform`.
//!
//! A hypervisor is declared beside what is known of it, through [`HYPERVISORS`].

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use linkme::distributed_slice;
use spin::Once;

use super::common::ident;
use super::cpuid::{Cpuid, boot_cpuid};
use super::features::{boot_cpu_has, feature};
use crate::arch::x86::io_delay;
use crate::prelude::*;

/// Where the leaves of hypervisors begin; one that imitates another has its own leaves a step behind it.
const FIRST_BASE: u32 = 0x4000_0000;
const LAST_BASE: u32 = 0x4000_ff00;
const STEP: u32 = 0x100;

/// A hypervisor: Linux's `hypervisor_x86`.
pub struct Hypervisor {
    /// Its name, as Linux shows it.
    pub name: &'static str,
    /// What its first leaf says.
    pub signature: &'static [u8; 12],
    /// Called with its first leaf when the kernel runs on it.
    pub init: fn(u32),
}

/// All hypervisors.
#[distributed_slice]
pub static HYPERVISORS: [Hypervisor];

macro_rules! hypervisors {
    ($($constant:ident: $name:literal, $signature:literal, $init:expr;)*) => {$(
        #[distributed_slice(HYPERVISORS)]
        static $constant: Hypervisor = Hypervisor { name: $name, signature: $signature, init: $init };
    )*};
}

hypervisors! {
    VMWARE: "VMware", b"VMwareVMware", |_| {};
    MS_HYPER_V: "Microsoft Hyper-V", b"Microsoft Hv", |_| {};
    KVM: "KVM", b"KVMKVMKVM\0\0\0", kvm_init;
    XEN_HVM: "Xen HVM", b"XenVMMXenVMM", |_| {};
    ACRN: "ACRN", b"ACRNACRNACRN", |_| {};
    JAILHOUSE: "Jailhouse", b"Jailhouse\0\0\0", |_| {};
    // QEMU without a hypervisor's help. Linux does not know it.
    TCG: "TCG", b"TCGTCGTCGTCG", |_| {};
}

bitflags::bitflags! {
    /// What KVM offers its guests: EAX of the leaf behind its first one.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct KvmFeatures: u32 {
        /// The clock, by the old registers (0x11, 0x12).
        const CLOCKSOURCE = 1 << 0;
        /// Delays between port accesses are not needed.
        const NOP_IO_DELAY = 1 << 1;
        /// The clock, by the registers 0x4b56_4d00 and 0x4b56_4d01.
        const CLOCKSOURCE2 = 1 << 3;
        /// Page faults of the host are told.
        const ASYNC_PF = 1 << 4;
        /// Time that the host took is told.
        const STEAL_TIME = 1 << 5;
        /// The end of an interrupt can be told without leaving the guest.
        const PV_EOI = 1 << 6;
        /// The clock is the same on all CPUs.
        const CLOCKSOURCE_STABLE_BIT = 1 << 24;
    }
}

static DETECTED: Once<&'static Hypervisor> = Once::new();
static KVM_FEATURES: AtomicU32 = AtomicU32::new(0);
static NOPV: AtomicBool = AtomicBool::new(false);

/// The hypervisor that the kernel runs on and knows; none with `nopv`.
#[must_use]
pub fn x86_hyper() -> Option<&'static Hypervisor> {
    DETECTED.get().copied()
}

/// What KVM offers: nothing elsewhere.
#[must_use]
pub fn kvm_features() -> KvmFeatures {
    KvmFeatures::from_bits_truncate(KVM_FEATURES.load(Relaxed))
}

/// `nopv`: runs as on a bare machine, whatever hypervisor there is.
#[early_param("nopv")]
#[init]
fn nopv(_: Option<&'static str>) -> Result<(), Errno> {
    NOPV.store(true, Relaxed);
    Ok(())
}

/// Finds the hypervisor, says which it is, and uses what it offers.
#[stage(after(crate::arch::x86::setup::setup_arch), before(crate::init::command_line::setup_command_line))]
#[init]
pub fn init_hypervisor_platform() {
    if !boot_cpu_has(feature::HYPERVISOR) || NOPV.load(Relaxed) {
        return;
    }
    if let Some((hypervisor, base)) = detect(&boot_cpuid) {
        pr_info!("Hypervisor detected: {}", hypervisor.name);
        (hypervisor.init)(base);
        DETECTED.call_once(|| hypervisor);
    }
}

/// The hypervisor with the highest first leaf: those below it are what it imitates. The leaves end where one is neither known nor says that there are more.
#[init]
fn detect(cpuid: Cpuid<'_>) -> Option<(&'static Hypervisor, u32)> {
    let mut found = None;
    for base in (FIRST_BASE..=LAST_BASE).step_by(STEP as usize) {
        let leaf = cpuid(base, 0);
        let signature = ident(leaf.ebx, leaf.ecx, leaf.edx);
        match HYPERVISORS.iter().find(|hypervisor| *hypervisor.signature == signature) {
            Some(hypervisor) => found = Some((hypervisor, base)),
            None if (base..base + STEP).contains(&leaf.eax) => {}
            None => break,
        }
    }
    found
}

fn kvm_init(base: u32) {
    let features = boot_cpuid(base + 1, 0).eax;
    KVM_FEATURES.store(features, Relaxed);
    if kvm_features().contains(KvmFeatures::NOP_IO_DELAY) {
        io_delay::set_unneeded();
    }
}

#[cfg(CONFIG_KUNIT)]
mod tests {
    use super::super::cpuid::CpuIdResult;
    use super::*;

    /// The first leaves of a machine: each with its highest leaf and its signature.
    #[init]
    fn detected(bases: &[(u32, u32, &[u8; 12])]) -> Option<(&'static str, u32)> {
        let found = detect(&|leaf, _| {
            let entry = bases.iter().find(|entry| entry.0 == leaf);
            let part = |text: &[u8; 12], at: usize| u32::from_le_bytes([text[at], text[at + 1], text[at + 2], text[at + 3]]);
            entry.map_or(
                CpuIdResult {
                    eax: 7,
                    ebx: 0,
                    ecx: 0,
                    edx: 0,
                },
                |&(_, eax, text)| CpuIdResult {
                    eax,
                    ebx: part(text, 0),
                    ecx: part(text, 4),
                    edx: part(text, 8),
                },
            )
        });
        found.map(|(hypervisor, base)| (hypervisor.name, base))
    }

    #[ktest]
    fn a_signature_names_its_hypervisor() {
        for (signature, name) in [
            (b"VMwareVMware", "VMware"),
            (b"Microsoft Hv", "Microsoft Hyper-V"),
            (b"KVMKVMKVM\0\0\0", "KVM"),
            (b"XenVMMXenVMM", "Xen HVM"),
            (b"ACRNACRNACRN", "ACRN"),
            (b"Jailhouse\0\0\0", "Jailhouse"),
            (b"TCGTCGTCGTCG", "TCG"),
        ] {
            assert_eq!(detected(&[(0x4000_0000, 0x4000_0001, signature)]), Some((name, 0x4000_0000)));
        }
    }

    #[ktest]
    fn one_that_imitates_another_is_itself() {
        let viridian = (0x4000_0000, 0x4000_0006, b"Microsoft Hv");
        assert_eq!(
            detected(&[viridian, (0x4000_0100, 0x4000_0101, b"KVMKVMKVM\0\0\0")]),
            Some(("KVM", 0x4000_0100))
        );
        assert_eq!(
            detected(&[viridian, (0x4000_0100, 0x4000_0104, b"XenVMMXenVMM")]),
            Some(("Xen HVM", 0x4000_0100))
        );
        let unknown = (0x4000_0000, 0x4000_0005, b"SomethingNew");
        assert_eq!(
            detected(&[unknown, (0x4000_0100, 0, b"KVMKVMKVM\0\0\0")]),
            Some(("KVM", 0x4000_0100))
        );
    }

    #[ktest]
    fn what_nobody_knows_is_no_hypervisor() {
        assert_eq!(detected(&[]), None);
        assert_eq!(detected(&[(0x4000_0000, 0x4000_0001, b"SomethingNew")]), None);
        assert_eq!(
            detected(&[(0x4000_0000, 0x16, b"GenuineIntel"), (0x4000_0100, 0, b"KVMKVMKVM\0\0\0")]),
            None
        );
    }
}

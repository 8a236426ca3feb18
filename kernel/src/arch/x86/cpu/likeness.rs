//! Whether another CPU can all that the boot CPU can, which is what the kernel goes by.

use raw_cpuid::native_cpuid::cpuid_count;

use super::boot_cpu;
use super::cpuid::boot_cpuid;
use crate::prelude::*;

/// The leaves whose EBX, ECX and EDX are features, and which of these do not follow other registers: `OSXSAVE`, `OSPKE` and `APIC` do.
const LEAVES: [(u32, [u32; 3]); 3] = [
    (1, [0, !(1 << 27), !(1 << 9)]),
    (7, [u32::MAX, !(1 << 4), u32::MAX]),
    (0x8000_0001, [0, u32::MAX, u32::MAX]),
];

/// Whether this CPU has what the boot CPU has; what is missing is named.
///
/// # Errors
///
/// `ENODEV` if something is missing.
pub fn is_like_boot_cpu(cpu: usize) -> Result<(), Errno> {
    let mut result = Ok(());
    let last = |leaf: u32| {
        if leaf < 0x8000_0000 {
            boot_cpu().cpuid_level
        } else {
            boot_cpu().extended_cpuid_level
        }
    };
    for (leaf, masks) in LEAVES.into_iter().filter(|&(leaf, _)| leaf <= last(leaf)) {
        let (boot, this) = (boot_cpuid(leaf, 0), cpuid_count(leaf, 0));
        let registers = [
            ("EBX", boot.ebx, this.ebx),
            ("ECX", boot.ecx, this.ecx),
            ("EDX", boot.edx, this.edx),
        ];
        for ((name, boot, this), mask) in registers.into_iter().zip(masks) {
            let missing = boot & !this & mask;
            if missing != 0 {
                pr_err!("smpboot: CPU#{cpu} lacks features of the boot CPU: bits {missing:#x} of {name} of leaf {leaf:#x}");
                result = Err(Errno::ENODEV);
            }
        }
    }
    result
}

#[ktest]
fn the_boot_cpu_is_like_itself() {
    assert_eq!(is_like_boot_cpu(0), Ok(()));
}

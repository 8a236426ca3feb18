//! CPUID on the boot CPU, each leaf executed once.
//!
//! Under virtualisation the instruction leaves the guest, which takes longer than everything that is then done with the answer. What has been read is kept
//! here; `raw_cpuid` decodes it.

use crate::locking::SpinLock;
use arrayvec::ArrayVec;
pub use raw_cpuid::CpuIdResult;
use raw_cpuid::native_cpuid;

/// Something that answers as CPUID does, asked by leaf (EAX) and sub-leaf (ECX): a processor, or what a test says. `raw_cpuid` takes it as a reader.
pub type Cpuid<'a> = &'a dyn Fn(u32, u32) -> CpuIdResult;

/// Leaves that are kept. What does not fit any more is executed each time.
const KEPT: usize = 48;

struct Leaf {
    leaf: u32,
    subleaf: u32,
    result: CpuIdResult,
}

static LEAVES: SpinLock<ArrayVec<Leaf, KEPT>> = SpinLock::new(ArrayVec::new_const());

/// What CPUID says on the boot CPU, as it was when the leaf was first asked for. Bits that follow control registers (`OSXSAVE`, `OSPKE`, the sizes in leaf
/// 0xd) may have changed since.
#[must_use]
pub fn boot_cpuid(leaf: u32, subleaf: u32) -> CpuIdResult {
    let mut leaves = LEAVES.lock();
    if let Some(kept) = leaves.iter().find(|kept| kept.leaf == leaf && kept.subleaf == subleaf) {
        return kept.result;
    }
    let result = native_cpuid::cpuid_count(leaf, subleaf);
    // Full is no error: the answer is right, and only costs its time again.
    let _ = leaves.try_push(Leaf { leaf, subleaf, result });
    result
}

//! What is wrong with a processor: the `bugs` of `/proc/cpuinfo`, as far as Linux 6.1 knew them when it came out.
//!
//! Only says what is; nothing is mitigated. The tables of families and models stand with the vendors.

use incipit_lib::cpufeature::{Feature, FeatureSet, Word};

use super::common::CpuInfo;
use crate::prelude::*;

bitflags::bitflags! {
    /// Bugs, by Linux's numbers.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Bugs: u32 {
        /// AMD erratum 383: the TLB may hold two translations of an address.
        const TLB_MMATCH = 1 << 3;
        /// FXSAVE leaves the x87 error pointers of another task.
        const FXSAVE_LEAK = 1 << 6;
        /// SYSRET leaves the attributes of SS as they were.
        const SYSRET_SS_ATTRS = 1 << 8;
        /// Loading a null selector leaves the segment's base as it was.
        const NULL_SEG = 1 << 10;
        /// SWAPGS orders nothing by itself.
        const SWAPGS_FENCE = 1 << 11;
        /// AMD erratum 400: the local APIC's timer stops in C1E.
        const AMD_E400 = 1 << 13;
        /// Kernel memory can be read from user mode.
        const CPU_MELTDOWN = 1 << 14;
        /// Bounds checks are speculated past.
        const SPECTRE_V1 = 1 << 15;
        /// Indirect branches are speculated to where others went.
        const SPECTRE_V2 = 1 << 16;
        /// Loads are speculated past earlier stores.
        const SPEC_STORE_BYPASS = 1 << 17;
        /// Pages that are not present are read from the first-level cache.
        const L1TF = 1 << 18;
        /// Internal buffers can be read.
        const MDS = 1 << 19;
        /// The same, for the store buffer only.
        const MSBDS_ONLY = 1 << 20;
        /// SWAPGS is speculated past.
        const SWAPGS = 1 << 21;
        /// Internal buffers can be read while a transaction is aborted.
        const TAA = 1 << 22;
        /// A change of page size makes the instruction TLB raise a machine check.
        const ITLB_MULTIHIT = 1 << 23;
        /// What RDRAND and its like returned can be read by other cores.
        const SRBDS = 1 << 24;
        /// Internal buffers can be read after device accesses.
        const MMIO_STALE_DATA = 1 << 25;
        /// Returns are speculated like indirect branches.
        const RETBLEED = 1 << 27;
        /// Enhanced IBRS leaves the return predictor of the guest.
        const EIBRS_PBRSB = 1 << 28;
    }

    /// Attacks that a processor withstands.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Immunity: u32 {
        /// Does not speculate at all.
        const SPECULATION = 1 << 0;
        /// Meltdown.
        const MELTDOWN = 1 << 1;
        /// Speculative store bypass.
        const SSB = 1 << 2;
        /// First-level cache terminal fault.
        const L1TF = 1 << 3;
        /// Microarchitectural data sampling.
        const MDS = 1 << 4;
        /// Microarchitectural data sampling but for the store buffer.
        const MDS_BUT_STORES = 1 << 5;
        /// Speculation past SWAPGS.
        const SWAPGS = 1 << 6;
        /// Machine checks of the instruction TLB.
        const ITLB_MULTIHIT = 1 << 7;
        /// Spectre variant 2.
        const SPECTRE_V2 = 1 << 8;
        /// Post-barrier return predictions.
        const EIBRS_PBRSB = 1 << 9;
    }

    /// Attacks that only processors in a list suffer from.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Affected: u32 {
        /// Special register buffer data sampling.
        const SRBDS = 1 << 0;
        /// Stale data after device accesses.
        const MMIO = 1 << 1;
        /// The same for shared buffers.
        const MMIO_SBDS = 1 << 2;
        /// Retbleed.
        const RETBLEED = 1 << 3;
    }

    /// Bits of `IA32_ARCH_CAPABILITIES` (SDM 4, table 2-2): what later processors say of themselves.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ArchCapabilities: u64 {
        /// Not open to Meltdown.
        const RDCL_NO = 1 << 0;
        /// Enhanced IBRS.
        const IBRS_ALL = 1 << 1;
        /// Returns may use other predictors.
        const RSBA = 1 << 2;
        /// Not open to speculative store bypass.
        const SSB_NO = 1 << 4;
        /// Not open to data sampling.
        const MDS_NO = 1 << 5;
        /// A change of page size raises no machine check.
        const PSCHANGE_MC_NO = 1 << 6;
        /// Transactions can be switched off.
        const TSX_CTRL = 1 << 7;
        /// Not open to sampling by aborted transactions.
        const TAA_NO = 1 << 8;
        /// Not open to sampling of shared buffers.
        const SBDR_SSDP_NO = 1 << 13;
        /// Not open to propagation from fill buffers.
        const FBSDP_NO = 1 << 14;
        /// Not open to propagation from the primary buffers.
        const PSDP_NO = 1 << 15;
        /// Not open to post-barrier return predictions.
        const PBRSB_NO = 1 << 24;
    }
}

/// The register of [`ArchCapabilities`].
pub(super) const IA32_ARCH_CAPABILITIES: u32 = 0x10a;

/// Speculative store bypass is fixed (AMD).
const AMD_SSB_NO: Feature = Feature::at(Word::Leaf80000008Ebx, 26);
/// Branch type confusion is fixed (AMD).
const BTC_NO: Feature = Feature::at(Word::Leaf80000008Ebx, 29);

impl Bugs {
    /// The name of each bug that is there, as `/proc/cpuinfo` shows it, in order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: &[(Bugs, &str)] = &[
            (Bugs::TLB_MMATCH, "tlb_mmatch"),
            (Bugs::FXSAVE_LEAK, "fxsave_leak"),
            (Bugs::SYSRET_SS_ATTRS, "sysret_ss_attrs"),
            (Bugs::NULL_SEG, "null_seg"),
            (Bugs::SWAPGS_FENCE, "swapgs_fence"),
            (Bugs::AMD_E400, "amd_e400"),
            (Bugs::CPU_MELTDOWN, "cpu_meltdown"),
            (Bugs::SPECTRE_V1, "spectre_v1"),
            (Bugs::SPECTRE_V2, "spectre_v2"),
            (Bugs::SPEC_STORE_BYPASS, "spec_store_bypass"),
            (Bugs::L1TF, "l1tf"),
            (Bugs::MDS, "mds"),
            (Bugs::MSBDS_ONLY, "msbds_only"),
            (Bugs::SWAPGS, "swapgs"),
            (Bugs::TAA, "taa"),
            (Bugs::ITLB_MULTIHIT, "itlb_multihit"),
            (Bugs::SRBDS, "srbds"),
            (Bugs::MMIO_STALE_DATA, "mmio_stale_data"),
            (Bugs::RETBLEED, "retbleed"),
            (Bugs::EIBRS_PBRSB, "eibrs_pbrsb"),
        ];
        NAMES.iter().filter(move |(bug, _)| self.contains(*bug)).map(|(_, name)| *name)
    }
}

/// The attacks by speculation that a processor is open to: Linux's `cpu_set_bug_bits`.
#[init]
pub(super) fn speculation(cpu: &CpuInfo, features: &FeatureSet, says: ArchCapabilities) -> Bugs {
    let (immune, affected) = ((cpu.vendor.immunity)(cpu), (cpu.vendor.affected)(cpu));
    let mut bugs = Bugs::empty();
    let mut open = |bug: Bugs, against: Immunity, fixed: bool| bugs.set(bug, !immune.intersects(against) && !fixed);

    open(
        Bugs::ITLB_MULTIHIT,
        Immunity::ITLB_MULTIHIT,
        says.contains(ArchCapabilities::PSCHANGE_MC_NO),
    );
    if immune.contains(Immunity::SPECULATION) {
        return bugs;
    }
    open(Bugs::SPECTRE_V1, Immunity::empty(), false);
    open(Bugs::SPECTRE_V2, Immunity::SPECTRE_V2, false);
    let ssb_fixed = says.contains(ArchCapabilities::SSB_NO) || features.contains(AMD_SSB_NO);
    open(Bugs::SPEC_STORE_BYPASS, Immunity::SSB, ssb_fixed);
    open(Bugs::MDS, Immunity::MDS, says.contains(ArchCapabilities::MDS_NO));
    open(Bugs::SWAPGS, Immunity::SWAPGS, false);
    let pbrsb_fixed = !says.contains(ArchCapabilities::IBRS_ALL) || says.contains(ArchCapabilities::PBRSB_NO);
    open(Bugs::EIBRS_PBRSB, Immunity::EIBRS_PBRSB, pbrsb_fixed);
    let meltdown_fixed = says.contains(ArchCapabilities::RDCL_NO);
    open(Bugs::CPU_MELTDOWN, Immunity::MELTDOWN, meltdown_fixed);
    open(Bugs::L1TF, Immunity::MELTDOWN | Immunity::L1TF, meltdown_fixed);

    let stores_only = bugs.contains(Bugs::MDS) && immune.contains(Immunity::MDS_BUT_STORES);
    bugs.set(Bugs::MSBDS_ONLY, stores_only);
    bugs | by_list(features, says, affected)
}

/// The attacks that depend on a list of processors, or on what a processor has.
#[init]
fn by_list(features: &FeatureSet, says: ArchCapabilities, affected: Affected) -> Bugs {
    let has = |name| features.contains(name);
    let mut bugs = Bugs::empty();
    let transactions = has(named!("rtm")) || says.contains(ArchCapabilities::TSX_CTRL);
    bugs.set(Bugs::TAA, transactions && !says.contains(ArchCapabilities::TAA_NO));
    let random = has(named!("rdrand")) || has(named!("rdseed"));
    bugs.set(Bugs::SRBDS, random && affected.intersects(Affected::SRBDS | Affected::MMIO_SBDS));
    let immune_to_mmio = ArchCapabilities::FBSDP_NO | ArchCapabilities::PSDP_NO | ArchCapabilities::SBDR_SSDP_NO;
    bugs.set(
        Bugs::MMIO_STALE_DATA,
        affected.contains(Affected::MMIO) && !says.contains(immune_to_mmio),
    );
    let returns = affected.contains(Affected::RETBLEED) || says.contains(ArchCapabilities::RSBA);
    bugs.set(Bugs::RETBLEED, returns && !has(BTC_NO));
    bugs
}

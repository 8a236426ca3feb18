//! The words, and what `/proc/cpuinfo` calls each bit.

use super::WORDS;

/// The capability words, numbered as in Linux 6.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Word {
    /// Leaf 1, EDX.
    Leaf1Edx = 0,
    /// Leaf 0x80000001, EDX.
    Leaf80000001Edx = 1,
    /// Leaf 0x80860001, EDX: Transmeta's.
    Leaf80860001Edx = 2,
    /// What is concluded, not read.
    Linux = 3,
    /// Leaf 1, ECX.
    Leaf1Ecx = 4,
    /// Leaf 0xc0000001, EDX: Centaur's.
    LeafC0000001Edx = 5,
    /// Leaf 0x80000001, ECX.
    Leaf80000001Ecx = 6,
    /// Single bits of leaves that have no word of their own, and what follows from several.
    Scattered = 7,
    /// Virtualisation: concluded from model-specific registers.
    Virtualization = 8,
    /// Leaf 7, sub-leaf 0, EBX.
    Leaf7Ebx = 9,
    /// Leaf 0xd, sub-leaf 1, EAX.
    LeafD1Eax = 10,
    /// More single bits.
    Scattered2 = 11,
    /// Leaf 7, sub-leaf 1, EAX.
    Leaf7Sub1Eax = 12,
    /// Leaf 0x80000008, EBX.
    Leaf80000008Ebx = 13,
    /// Leaf 6, EAX.
    Leaf6Eax = 14,
    /// Leaf 0x8000000a, EDX.
    Leaf8000000aEdx = 15,
    /// Leaf 7, sub-leaf 0, ECX.
    Leaf7Ecx = 16,
    /// Leaf 0x80000007, EBX.
    Leaf80000007Ebx = 17,
    /// Leaf 7, sub-leaf 0, EDX.
    Leaf7Edx = 18,
    /// Leaf 0x8000001f, EAX.
    Leaf8000001fEax = 19,
}

/// The names of each word's bits, from bit 0 on. `-` is a bit without a name.
const NAMES: [&str; WORDS] = [
    "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss \
     ht tm ia64 pbe",
    "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow",
    "recovery longrun - lrti",
    "cxmmx k6_mtrr cyrix_arr centaur_mcr - - - - constant_tsc up art arch_perfmon pebs bts - - rep_good amd_lbr_v2 - \
     acc_power nopl - xtopology tsc_reliable nonstop_tsc cpuid extd_apicid amd_dcm aperfmperf rapl nonstop_tsc_s3 \
     tsc_known_freq",
    "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic \
     movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor",
    "- - rng rng_en - - ace ace_en ace2 ace2_en phe phe_en pmm pmm_en",
    "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - \
     nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx",
    "ring3mwait cpuid_fault cpb epb cat_l3 cat_l2 cdp_l3 invpcid_single hw_pstate proc_feedback - pti - - intel_ppin cdp_l2 \
     - ssbd mba - perfmon_v2 - - - - ibrs ibpb stibp - - ibrs_enhanced",
    "tpr_shadow vnmi flexpriority ept vpid - - - - - - - - - - vmmcall - ept_ad - - - - tdx_guest",
    "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx smap \
     avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl",
    "xsaveopt xsavec xgetbv1 xsaves",
    "cqm_llc cqm_occup_llc cqm_mbm_total cqm_mbm_local - - split_lock_detect",
    "- - - - avx_vnni avx512_bf16",
    "clzero irperf xsaveerptr - rdpru - - - - wbnoinvd - - - - - - - - - - - - - amd_ppin - virt_ssbd - cppc - - - brs",
    "dtherm ida arat - pln - pts hwp hwp_notify hwp_act_window hwp_epp hwp_pkg_req - - - - - - - hfi",
    "npt lbrv svm_lock nrip_save tsc_scale vmcb_clean flushbyasid decodeassists - - pausefilter - pfthreshold avic - \
     v_vmsave_vmload vgif - - - v_spec_ctrl",
    "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme avx512_vpopcntdq \
     - la57 - - - - - rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd sgx_lc",
    "overflow_recov succor - smca",
    "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - pconfig \
     arch_lbr ibt - amx_bf16 avx512_fp16 amx_tile amx_int8 - - flush_l1d arch_capabilities",
    "sme sev - sev_es",
];

const UNNAMED: &str = "-";

/// The name of a bit.
pub(super) fn name(word: usize, bit: u16) -> Option<&'static str> {
    let name = NAMES.get(word)?.split(' ').nth(usize::from(bit))?;
    (name != UNNAMED).then_some(name)
}

/// The number of the feature that has the name. Usable in constants.
pub(super) const fn position(name: &str) -> Option<u16> {
    let mut word = 0;
    while word < WORDS {
        if let Some(bit) = index_of(NAMES[word].as_bytes(), name.as_bytes()) {
            return Some(word as u16 * super::BITS + bit);
        }
        word += 1;
    }
    None
}

/// Which one among the words of `list`, which have a blank between them, is `wanted`.
const fn index_of(list: &[u8], wanted: &[u8]) -> Option<u16> {
    if wanted.is_empty() || (wanted.len() == 1 && wanted[0] == b'-') {
        return None;
    }
    let (mut at, mut index) = (0, 0);
    while at < list.len() {
        let mut same = 0;
        while same < wanted.len() && at + same < list.len() && list[at + same] == wanted[same] {
            same += 1;
        }
        if same == wanted.len() && (at + same == list.len() || list[at + same] == b' ') {
            return Some(index);
        }
        while at < list.len() && list[at] != b' ' {
            at += 1;
        }
        at += 1;
        index += 1;
    }
    None
}

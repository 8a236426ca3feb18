//! Which feature cannot be used without which other one.

use super::{Feature, Word};

const fn pair(dependent: &str, on: &str) -> (Feature, Feature) {
    (Feature::named(dependent), Feature::named(on))
}

/// Extended feature disabling (`IA32_XFD`), which Linux gives no name.
const XFD: Feature = Feature::at(Word::LeafD1Eax, 4);

/// First what depends, then on what: the processor's own rules, by which a state component or an instruction set builds on another.
pub(super) const DEPENDENCIES: &[(Feature, Feature)] = &[
    pair("fxsr", "fpu"),
    pair("cmov", "fxsr"),
    pair("mmx", "fxsr"),
    pair("mmxext", "mmx"),
    pair("fxsr_opt", "fxsr"),
    pair("xsave", "fxsr"),
    pair("xsaveopt", "xsave"),
    pair("xsavec", "xsave"),
    pair("xsaves", "xsave"),
    pair("avx", "xsave"),
    pair("pku", "xsave"),
    pair("mpx", "xsave"),
    pair("xgetbv1", "xsave"),
    pair("sse", "fxsr"),
    pair("sse2", "sse"),
    pair("pni", "sse2"),
    pair("ssse3", "sse2"),
    pair("sse4_1", "sse2"),
    pair("sse4_2", "sse2"),
    pair("pclmulqdq", "sse2"),
    pair("f16c", "sse2"),
    pair("aes", "sse2"),
    pair("sha_ni", "sse2"),
    pair("fma", "avx"),
    pair("avx2", "avx"),
    pair("vaes", "avx"),
    pair("vpclmulqdq", "avx"),
    pair("avx512f", "avx2"),
    pair("avx512ifma", "avx512f"),
    pair("avx512pf", "avx512f"),
    pair("avx512er", "avx512f"),
    pair("avx512cd", "avx512f"),
    pair("avx512dq", "avx512f"),
    pair("avx512bw", "avx512f"),
    pair("avx512vl", "avx512f"),
    pair("avx512vbmi", "avx512f"),
    pair("avx512_4vnniw", "avx512f"),
    pair("avx512_4fmaps", "avx512f"),
    pair("avx512_vpopcntdq", "avx512f"),
    pair("avx512_vbmi2", "avx512vl"),
    pair("gfni", "avx512vl"),
    pair("avx512_vnni", "avx512vl"),
    pair("avx512_bitalg", "avx512vl"),
    pair("avx512_vp2intersect", "avx512vl"),
    pair("avx512_bf16", "avx512vl"),
    pair("avx512_fp16", "avx512bw"),
    pair("cqm_llc", "cqm"),
    pair("cqm_occup_llc", "cqm_llc"),
    pair("cqm_mbm_total", "cqm_llc"),
    pair("cqm_mbm_local", "cqm_llc"),
    pair("enqcmd", "xsaves"),
    pair("sgx_lc", "sgx"),
    (XFD, Feature::named("xsaves")),
    (XFD, Feature::named("xgetbv1")),
    (Feature::named("amx_tile"), XFD),
    pair("amx_int8", "amx_tile"),
    pair("amx_bf16", "amx_tile"),
];

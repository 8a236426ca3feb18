//! What firmware and the command line say of the processor: memory type range registers, `clearcpuid=`.

#![no_main]

use incipit_lib::cpufeature::{Feature, FeatureSet, parse_list};
use incipit_lib::mtrr::{Coverage, MemoryType, Mtrrs, VariableRange};
use libfuzzer_sys::fuzz_target;

/// Registers from bytes: sizes and switches, then base and mask of each variable range, then the types of the first MiB.
fn mtrrs(data: &[u8]) -> Option<Mtrrs> {
    let (&[phys_bits, cap, switches, default], rest) = data.split_first_chunk()?;
    let mut mtrrs = Mtrrs::new(phys_bits, 0x100 | u64::from(cap), u64::from(switches) << 8 | u64::from(default));
    let mut words = rest.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    for range in &mut mtrrs.variable {
        let (Some(base), Some(mask)) = (words.next(), words.next()) else { break };
        *range = VariableRange { base, mask };
    }
    for (kind, byte) in mtrrs.fixed.iter_mut().zip(rest.iter().rev()) {
        *kind = MemoryType(*byte);
    }
    Some(mtrrs)
}

fuzz_target!(|data: &[u8]| {
    if let Some(mtrrs) = mtrrs(data) {
        assert!(mtrrs.rows().to_string().lines().count() <= mtrrs.count());
        assert!(mtrrs.lines().all(|line| !line.to_string().contains('\n')));
        for range in mtrrs.ranges() {
            let Some(extent) = range.extent(mtrrs.phys_bits) else { continue };
            assert!(extent.size != 0 && mtrrs.enabled() == (mtrrs.def_type & 1 << 11 != 0));
        }
        for end in [1 << 20, 1 << 32, u64::MAX] {
            if let Coverage::Ranges(cached) = mtrrs.coverage(Some(end / 2)) {
                let mut last = None;
                for gap in cached.gaps(end) {
                    assert!(gap.start < gap.end && gap.end <= end && last.is_none_or(|last| last < gap.start));
                    last = Some(gap.end);
                }
            }
        }
    }
    if let Ok(text) = core::str::from_utf8(data) {
        for feature in parse_list(text, Feature::by_name).flatten() {
            assert!(FeatureSet::with_dependents(feature).contains(feature));
        }
    }
});

//! What comes after what among the initcalls of a part, as pairs of places.

use super::InitcallEntry;
use crate::init::capability::CapabilityInfo;
use crate::mm::slab::KVec;
use crate::prelude::*;
use crate::table::InitTable;

/// Which of `calls` must be over before which begins, by their places; a pair as often as it was declared. `None` without memory.
#[init]
pub(super) fn pairs(calls: &InitTable<InitcallEntry>, init: InitMemory<'_>) -> Option<KVec<(u32, u32)>> {
    let numbered = || (0..).zip(calls.iter(init).map(|entry| entry.info));
    let (mut paths, mut providers) = (KVec::new(), KVec::new());
    for (index, info) in numbered() {
        paths.push((info.path(), index)).ok()?;
        for capability in info.dependencies().map_or(&[] as &[_], |all| all.provides) {
            providers.push((capability.path(), index)).ok()?;
        }
    }
    paths.sort_unstable();
    providers.sort_unstable();
    let mut pairs = KVec::new();
    for (index, info) in numbered() {
        let Some(all) = info.dependencies() else { continue };
        for path in all.after {
            each_of(&paths, path, |first| pairs.push((first, index)).ok())?;
        }
        for path in all.before {
            each_of(&paths, path, |then| pairs.push((index, then)).ok())?;
        }
        for capability in all.requires.iter().chain(all.wants).copied().map(CapabilityInfo::path) {
            each_of(&providers, capability, |first| pairs.push((first, index)).ok())?;
        }
    }
    Some(pairs)
}

/// Calls `found` with each number that stands under `name` in the sorted list `named`.
fn each_of(named: &[(&str, u32)], name: &str, mut found: impl FnMut(u32) -> Option<()>) -> Option<()> {
    let start = named.partition_point(|(other, _)| *other < name);
    let of_this = named[start..].iter().take_while(|(other, _)| *other == name);
    of_this.into_iter().try_for_each(|(_, number)| found(*number))
}

/// So many zeros. `None` without memory.
#[init]
pub(super) fn zeros(count: usize) -> Option<KVec<u32>> {
    let mut zeros = KVec::new();
    zeros.resize_with(count, || 0).ok()?;
    Some(zeros)
}

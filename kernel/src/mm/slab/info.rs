//! The caches as text.

use core::fmt::{self, Write};
use core::sync::atomic::Ordering::Relaxed;

use super::create::find_cache;

/// Objects of all caches that are in use, the sum of the second column; exact when no CPU has free ones at hand.
#[cfg(CONFIG_KUNIT)]
#[must_use]
pub fn active_objects() -> usize {
    let mut sum = 0;
    find_cache(|cache| {
        let (objects, free) = cache.count_objects();
        sum += objects - free.min(objects);
        None::<()>
    });
    sum
}

/// `/proc/slabinfo`, version 2.1.
///
/// # Errors
///
/// Those of `out`.
pub fn slabinfo(out: &mut dyn Write) -> fmt::Result {
    out.write_str(
        "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata \
         <active_slabs> <num_slabs> <sharedavail>\n",
    )?;
    let mut result = Ok(());
    find_cache(|cache| {
        let (objects, free) = cache.count_objects();
        let slabs: usize = cache.nodes().map(|(_, node)| node.slabs.load(Relaxed)).sum();
        let geometry = &cache.geometry;
        result = writeln!(
            out,
            "{:<17} {:>6} {objects:>6} {:>6} {:>4} {:>4} : tunables {:>4} {:>4} {:>4} : slabdata {slabs:>6} {slabs:>6} {:>6}",
            cache.name,
            objects - free.min(objects),
            geometry.size,
            geometry.objects(geometry.order),
            1 << geometry.order,
            0,
            0,
            0,
            0
        );
        result.is_err().then_some(())
    });
    result
}

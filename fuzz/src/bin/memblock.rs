//! Memblock: any operations on short lists; what an operation refuses must not have changed.

#![no_main]

use incipit_lib::memblock::{Memblock, RegionFlags, Regions};
use libfuzzer_sys::fuzz_target;

fn check<const N: usize>(regions: &Regions<N>) {
    for region in regions.iter() {
        assert!(region.size > 0 && region.base.checked_add(region.size).is_some());
    }
    for pair in regions.as_slice().windows(2) {
        let touch = pair[0].end() == pair[1].base;
        assert!(pair[0].end() < pair[1].base || (touch && pair[0].flags != pair[1].flags));
    }
}

fuzz_target!(|data: &[u8]| {
    let mut memblock = Memblock::<6>::new();
    for step in data.chunks_exact(4) {
        let shift = u32::from(step[3] & 0x3f);
        let (base, size) = (u64::from(step[1]) << shift, u64::from(step[2]) << shift);
        let before = (memblock.memory().as_slice().to_vec(), memblock.reserved().as_slice().to_vec());
        let result = match step[0] % 8 {
            0 | 1 => memblock.add(base, size),
            2 => memblock.remove(base, size),
            3 => memblock.reserve(base, size),
            4 => memblock.free(base, size),
            5 => memblock.mark(base, size, RegionFlags::NOMAP, step[0] & 0x80 != 0),
            6 => {
                memblock.set_bottom_up((step[0] & 0x80 != 0).then_some(size));
                memblock.set_current_limit(if step[3] & 0x80 != 0 { base } else { u64::MAX });
                Ok(())
            }
            _ => match memblock.alloc(size, 1 << (step[1] & 0x3f)) {
                Ok(place) => {
                    assert!(place.is_multiple_of(1 << (step[1] & 0x3f)) && place != 0);
                    assert!(before.1.iter().all(|taken| place + size <= taken.base || taken.end() <= place));
                    assert!(memblock.is_region_reserved(place, size));
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        if result.is_err() {
            assert_eq!(memblock.memory().as_slice(), before.0);
            assert_eq!(memblock.reserved().as_slice(), before.1);
        }
        check(memblock.memory());
        check(memblock.reserved());
        let free: Vec<_> = memblock.free_ranges().collect();
        assert!(free.iter().all(|range| !range.is_empty()));
        assert!(free.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(
            free.iter()
                .all(|range| { !memblock.is_region_reserved(range.start, range.end - range.start) })
        );
    }
});

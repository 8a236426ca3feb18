//! How slabs are cut: figures of a Linux 6.1 with one CPU, and what must hold for any.

use crate::slub::geometry::{Geometry, Orders, SlabFlags, Wish, kmalloc};
use proptest::prelude::*;

fn cut(size: usize, align: usize, flags: SlabFlags, cpus: u32) -> Option<Geometry> {
    let wish = Wish {
        size,
        align,
        flags,
        constructed: false,
        track_size: 40,
    };
    Geometry::new(&wish, &Orders::new(cpus))
}

#[test]
fn slabs_of_the_kmalloc_sizes_have_the_orders_that_linux_gives_them() {
    // Objects and pages per slab, as /proc/slabinfo shows them on machines with one and with eight CPUs.
    for (size, one, eight) in [
        (8, (512, 0), (512, 0)),
        (64, (64, 0), (64, 0)),
        (96, (42, 0), (42, 0)),
        (192, (21, 0), (21, 0)),
        (256, (16, 0), (32, 1)),
        (512, (8, 0), (32, 2)),
        (1024, (8, 1), (32, 3)),
        (2048, (8, 2), (16, 3)),
        (4096, (8, 3), (8, 3)),
        (8192, (4, 3), (4, 3)),
    ] {
        for (cpus, (objects, order)) in [(1, one), (8, eight)] {
            let cut = cut(size, 8, SlabFlags::empty(), cpus).expect("a slab");
            assert_eq!((cut.objects(cut.order), cut.order), (objects, order), "{size} bytes, {cpus} CPUs");
        }
    }
}

#[test]
fn debugging_makes_room_for_red_zones_a_link_and_tracks() {
    let all = SlabFlags::RED_ZONE | SlabFlags::POISON | SlabFlags::STORE_USER;
    let cut = cut(64, 64, all, 1).expect("a slab");
    // 64 of red zone in front, 64, a word of red zone, the link, two tracks, a word of red zone, to the next multiple of 64.
    assert_eq!((cut.red_left, cut.in_use, cut.link, cut.track), (64, 72, 72, 80));
    assert_eq!(cut.size, (64_u32 + 80 + 80 + 8).next_multiple_of(64));
    assert_eq!(cut.index_of(cut.offset_of(3), 5), Some(3));
    assert_eq!(cut.index_of(cut.offset_of(5), 5), None);
    assert_eq!(cut.index_of(cut.offset_of(3) + 8, 5), None);
    assert_eq!(cut.index_of(0, 5), None);
}

#[test]
fn a_link_lies_behind_what_must_stay_as_it_is() {
    let wish = Wish {
        size: 20,
        align: 0,
        flags: SlabFlags::empty(),
        constructed: true,
        track_size: 0,
    };
    let constructed = Geometry::new(&wish, &Orders::new(1)).expect("a slab");
    assert_eq!((constructed.link, constructed.size), (24, 32));
    let plain = cut(20, 0, SlabFlags::empty(), 1).expect("a slab");
    assert_eq!((plain.link, plain.size), (8, 24));
}

#[test]
fn what_no_slab_can_hold_is_refused() {
    for (size, align) in [(0, 8), (64, 3), (64, 1 << 30), (usize::MAX, 8), (5 << 20, 8)] {
        assert_eq!(cut(size, align, SlabFlags::empty(), 1), None, "{size} bytes aligned to {align}");
    }
}

#[test]
fn a_size_has_the_smallest_cache_that_holds_it() {
    for size in 1..=kmalloc::MAX_CACHE_SIZE {
        let index = kmalloc::index(size);
        let given = kmalloc::size(index);
        let least = (1..kmalloc::CACHES)
            .map(kmalloc::size)
            .filter(|&held| held >= size && held >= 8)
            .min();
        assert_eq!(Some(given), least, "{size} bytes");
    }
}

proptest! {
    #[test]
    fn objects_lie_apart_and_within_their_slab(size in 1..70_000_usize, align in 0..13_u32, bits: u32, cpus in 1..64_u32, constructed: bool) {
        let wish = Wish {
            size,
            align: if align == 0 { 0 } else { 1 << align },
            flags: SlabFlags::from_bits_truncate(bits),
            constructed,
            track_size: 40,
        };
        let cut = Geometry::new(&wish, &Orders::new(cpus)).expect("slabs are larger than this");
        prop_assert!(cut.object_size as usize == size && cut.in_use >= cut.object_size && cut.link.is_multiple_of(8));
        prop_assert!(cut.red_left + cut.in_use.max(cut.link + 8).max(cut.track) <= cut.size);
        prop_assert!(cut.min_order <= cut.order);
        for order in [cut.min_order, cut.order] {
            let objects = cut.objects(order);
            prop_assert!(objects >= 1 && u64::from(objects) * u64::from(cut.size) <= 4096 << order);
            let last = cut.offset_of(objects - 1);
            prop_assert!(last.is_multiple_of(cut.align as usize) && cut.index_of(last, objects) == Some(objects - 1));
        }
    }
}

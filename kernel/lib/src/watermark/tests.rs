use super::*;

#[test]
fn what_is_kept_free_is_linuxs_for_machines_of_each_size() {
    // The table in Linux's mm/page_alloc.c, which has whole pages.
    let table = [
        (16, 512),
        (32, 724),
        (64, 1024),
        (128, 1448),
        (256, 2048),
        (512, 2896),
        (1024, 4096),
        (2048, 5792),
        (4096, 8192),
        (8192, 11584),
        (16384, 16384),
    ];
    for (megabytes, kilobytes) in table {
        assert_eq!(min_free_kbytes(megabytes << 10) / 4 * 4, kilobytes, "{megabytes} MiB");
    }
    assert_eq!((min_free_kbytes(0), min_free_kbytes(1 << 36)), (128, 262_144));
}

#[test]
fn a_zone_has_its_share_of_the_reserve_and_steps_of_a_quarter_or_a_thousandth() {
    let marks = |min, low, high| Watermarks { min, low, high };
    assert_eq!(Watermarks::new(1000, 4000, 4000), marks(250, 312, 374));
    assert_eq!(Watermarks::new(1_000_000, 1_000_000, 8192), marks(2048, 3048, 4048));
    assert_eq!(Watermarks::new(0, 4000, 4000), marks(0, 0, 0));
    assert_eq!(Watermarks::new(0, 0, 4000), marks(0, 0, 0));
}

#[test]
fn a_zone_keeps_a_part_of_what_is_above_it() {
    let reserve = lowmem_reserve([3840, 765_696, 1_310_720, 0], LOWMEM_RESERVE_RATIO);
    assert_eq!(
        reserve[0],
        [0, 765_696 / 256, (765_696 + 1_310_720) / 256, (765_696 + 1_310_720) / 256]
    );
    assert_eq!(reserve[1], [0, 0, 1_310_720 / 256, 1_310_720 / 256]);
    assert_eq!((reserve[2], reserve[3]), ([0; 4], [0; 4]));
    // An empty zone keeps nothing, nor does one with ratio 0.
    assert_eq!(lowmem_reserve([0, 1000, 0, 0], [1, 0, 1, 1]), [[0; 4]; 4]);
}

#[test]
fn a_mark_is_lower_for_who_may_take_from_the_reserve() {
    let ok = |free, access| watermark_ok(free, 0, 100, 0, 10, access);
    let (high, harder) = (Access { high: true, harder: false }, Access { high: true, harder: true });
    assert!(ok(111, Access::NONE) && !ok(110, Access::NONE));
    assert!(ok(61, high) && !ok(60, high));
    // 100 - 50 - 12, and the pages kept for atomic allocations count.
    assert!(ok(39, harder) && !ok(38, harder));
}

#[test]
fn a_large_block_and_a_reserve_raise_the_mark() {
    assert!(watermark_ok(108, 3, 100, 0, 0, Access::NONE) && !watermark_ok(107, 3, 100, 0, 0, Access::NONE));
    assert!(watermark_ok(301, 0, 100, 200, 0, Access::NONE) && !watermark_ok(300, 0, 100, 200, 0, Access::NONE));
    assert!(!watermark_ok(0, 10, 0, 0, 0, Access::NONE));
}

#[test]
fn batches_grow_with_the_zone_up_to_63() {
    // Linux's "LIFO batch" lines: 3999 pages of DMA have 0, 1 GiB and more have 63.
    for (managed, batch) in [(0, 0), (3999, 0), (32 << 10, 7), (128 << 10, 31), (256 << 10, 63), (1 << 30, 63)] {
        assert_eq!(batch_size(managed), batch, "{managed} pages");
    }
}

#[test]
fn sets_share_what_is_above_the_low_mark_and_hold_four_batches() {
    assert_eq!(high_size(1000, 4, 63), 252);
    assert_eq!(high_size(8000, 4, 63), 2000);
    assert_eq!(high_size(100, 0, 1), 100);
}

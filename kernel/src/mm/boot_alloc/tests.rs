//! Tests of the heap through what uses it, and of its books.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::*;

/// Runs `f` and says what it left in use.
fn left_by(f: impl FnOnce()) -> (usize, usize, usize) {
    let before = stats();
    f();
    let after = stats();
    (
        after.in_use - before.in_use,
        after.blocks - before.blocks,
        after.large_pages - before.large_pages,
    )
}

#[ktest]
fn blocks_of_every_size_are_aligned_distinct_and_given_back() {
    let left = left_by(|| {
        for align in [1, 8, 64, 4096, 16384] {
            let mut blocks = Vec::new();
            for size in [1, 15, 16, 17, 100, 2047, 2048, 2049, 4096, 4097, 20000] {
                let layout = Layout::from_size_align(size, align).expect("a valid layout");
                // SAFETY: the size is not zero.
                let block = unsafe { alloc::alloc::alloc(layout) };
                assert!(!block.is_null());
                assert_eq!(block.addr() % align, 0, "{size} bytes, aligned to {align}");
                // SAFETY: the block has this size.
                unsafe { block.write_bytes(size as u8, size) };
                blocks.push((block, layout));
            }
            for (block, layout) in blocks {
                // SAFETY: the block was filled above and is given back with the layout that it was allocated with.
                unsafe {
                    let content = core::slice::from_raw_parts(block, layout.size());
                    assert!(
                        content.iter().all(|&byte| byte == layout.size() as u8),
                        "{layout:?} was overwritten"
                    );
                    alloc::alloc::dealloc(block, layout);
                }
            }
        }
    });
    assert_eq!(left, (0, 0, 0));
}

#[ktest]
fn a_vector_keeps_its_content_while_it_grows_and_shrinks() {
    let left = left_by(|| {
        let mut numbers: Vec<u32> = (0..5000).collect();
        assert!(numbers.iter().copied().eq(0..5000));
        numbers.truncate(3);
        numbers.shrink_to_fit();
        assert_eq!(numbers, [0, 1, 2]);
    });
    assert_eq!(left, (0, 0, 0));
}

#[ktest]
fn a_freed_block_is_the_next_of_its_class() {
    let first = Box::new([0_u8; 40]);
    let address = (&raw const *first).addr();
    drop(first);
    assert_eq!((&raw const *Box::new([0_u8; 64])).addr(), address);
}

#[ktest]
fn more_than_there_is_can_not_be_had_and_is_counted() {
    let before = stats().failures;
    let mut huge: Vec<u8> = Vec::new();
    assert!(huge.try_reserve_exact(1 << 45).is_err());
    assert_eq!(stats().failures, before + 1);
}

//! Tests of the caches, and of Rust's heap through what uses it.

#![expect(clippy::disallowed_types, reason = "Rust's heap is what some of it tests")]

use alloc::alloc::Layout;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::NonNull;

use super::*;
use crate::mm::{Gfp, PAGE_SIZE, page_alloc};

/// Objects that are in use, of all caches together.
fn in_use() -> usize {
    shrink_all();
    let mut in_use = 0;
    create::find_cache(|cache| {
        let (objects, free) = cache.count_objects();
        in_use += objects - free;
        None::<()>
    });
    in_use
}

/// Runs `f` and checks that nothing that it took is left, neither objects nor pages. What checkers need for so many objects they keep, so they have it from a first run.
fn leaves_nothing(f: impl Fn()) {
    f();
    let before = (in_use(), page_alloc::free_pages_and_kept());
    f();
    assert_eq!((in_use(), page_alloc::free_pages_and_kept()), before);
}

#[ktest]
fn blocks_of_every_size_are_aligned_distinct_and_given_back() {
    leaves_nothing(|| {
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
}

#[ktest]
fn a_vector_keeps_its_content_while_it_grows_and_shrinks() {
    leaves_nothing(|| {
        let mut numbers: Vec<u32> = (0..5000).collect();
        assert!(numbers.iter().copied().eq(0..5000));
        numbers.truncate(3);
        numbers.shrink_to_fit();
        assert_eq!(numbers, [0, 1, 2]);
    });
}

#[ktest]
fn a_freed_block_is_the_next_of_its_size() {
    let first = Box::new([0_u8; 40]);
    let address = (&raw const *first).addr();
    drop(first);
    assert_eq!((&raw const *Box::new([0_u8; 64])).addr(), address);
}

#[ktest]
fn more_than_there_is_can_not_be_had() {
    let mut huge: Vec<u8> = Vec::new();
    assert!(huge.try_reserve_exact(1 << 45).is_err());
    assert_eq!(kmalloc(1 << 45, Gfp::KERNEL | Gfp::NOWARN), None);
}

#[ktest]
fn every_size_of_kmalloc_has_room_for_what_was_asked() {
    leaves_nothing(|| {
        for size in (0..300).chain([511, 512, 513, 8192, 8193, 100_000]) {
            let object = kzalloc(size, Gfp::KERNEL).expect("memory");
            assert!(ksize(object) >= size);
            if size != 0 {
                // SAFETY: the object has so many bytes.
                let bytes = unsafe { core::slice::from_raw_parts_mut(object.as_ptr(), size) };
                assert!(bytes.iter().all(|&byte| byte == 0), "{size} bytes are not zeroed");
                bytes.fill(0xff);
            }
            // SAFETY: the object is ours.
            unsafe { kfree(object) };
        }
    });
}

#[ktest]
fn memory_for_old_devices_lies_below_16_mib() {
    for size in [8, 100, 4096, 20_000] {
        let object = kmalloc(size, Gfp::KERNEL | Gfp::DMA).expect("memory");
        assert!(crate::mm::virt_to_phys(object.as_ptr()) < 16 << 20);
        // SAFETY: the object is ours.
        unsafe { kfree(object) };
    }
}

#[ktest]
fn objects_of_many_slabs_are_all_different() {
    leaves_nothing(|| {
        let mut objects: Vec<NonNull<u8>> = Vec::new();
        for _ in 0..3000 {
            objects.push(kmalloc(192, Gfp::KERNEL).expect("memory"));
        }
        for (number, object) in objects.iter().enumerate() {
            // SAFETY: each has room for a word and is ours.
            unsafe { object.cast::<usize>().write(number) };
        }
        for (number, object) in objects.into_iter().enumerate() {
            // SAFETY: as above; it is given up here.
            unsafe {
                assert_eq!(object.cast::<usize>().read(), number);
                kfree(object);
            }
        }
    });
}

#[ktest]
fn what_is_reallocated_keeps_its_content() {
    let object = kmalloc(50, Gfp::KERNEL).expect("memory");
    // SAFETY: the object has 50 bytes, is ours, and is given up for the larger one, which has them too.
    unsafe {
        object.write_bytes(0x5a, 50);
        let larger = krealloc(object, 3 * PAGE_SIZE, Gfp::KERNEL).expect("memory");
        assert!(ksize(larger) >= 3 * PAGE_SIZE);
        assert!(core::slice::from_raw_parts(larger.as_ptr(), 50).iter().all(|&byte| byte == 0x5a));
        kfree(larger);
    }
}

#[ktest]
fn a_value_in_a_box_is_dropped_once() {
    use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    struct Counted<'a>(&'a AtomicUsize);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    leaves_nothing(|| {
        let dropped = AtomicUsize::new(0);
        drop(KBox::new(Counted(&dropped), Gfp::KERNEL).expect("memory"));
        assert_eq!(dropped.load(Relaxed), 1);
        let value = KBox::new(Counted(&dropped), Gfp::KERNEL).expect("memory").into_inner();
        assert_eq!(dropped.load(Relaxed), 1);
        drop(value);
        assert_eq!(dropped.load(Relaxed), 2);
    });
}

#[ktest]
fn boxes_are_aligned_and_hold_what_was_put_in() {
    #[repr(align(256))]
    struct Wide([u8; 300]);
    leaves_nothing(|| {
        let wide = KBox::new(Wide([7; 300]), Gfp::KERNEL).expect("memory");
        assert!((&raw const *wide).addr().is_multiple_of(256) && wide.0 == [7; 300]);
        let mut nothing = KBox::new((), Gfp::KERNEL).expect("no memory is needed");
        *nothing = ();
    });
}

/// A cache of an odd size that shares with nobody.
fn own_cache(ctor: Option<fn(*mut u8)>) -> &'static KmemCache {
    kmem_cache_create("slab-test", 104, 0, SlabFlags::NO_MERGE, ctor).expect("memory")
}

#[ktest]
fn a_cache_comes_and_goes() {
    leaves_nothing(|| {
        let cache = own_cache(None);
        let objects = [(); 100].map(|()| kmem_cache_alloc(cache, Gfp::KERNEL | Gfp::ZERO).expect("memory"));
        for object in objects {
            // SAFETY: each was allocated from the cache, has 104 bytes, and is given up.
            unsafe {
                assert_eq!(object.cast::<[u8; 104]>().read(), [0; 104]);
                kmem_cache_free(cache, object);
            }
        }
        // SAFETY: all objects were given back.
        unsafe { kmem_cache_destroy(cache) };
    });
}

#[ktest]
fn objects_of_a_cache_with_a_constructor_are_constructed_once() {
    fn construct(object: *mut u8) {
        // SAFETY: objects have 104 bytes.
        unsafe { object.write_bytes(0x42, 104) };
    }
    let cache = own_cache(Some(construct));
    for _ in 0..3 {
        let object = kmem_cache_alloc(cache, Gfp::KERNEL).expect("memory");
        // SAFETY: the object is ours, and is given back as it was constructed.
        unsafe {
            assert_eq!(object.cast::<[u8; 104]>().read(), [0x42; 104]);
            kmem_cache_free(cache, object);
        }
    }
    // SAFETY: nothing is in use.
    unsafe { kmem_cache_destroy(cache) };
}

#[ktest]
fn caches_that_are_alike_are_one_and_others_are_not() {
    let create = |size, flags| kmem_cache_create("slab-test-merge", size, 0, flags, None).expect("memory");
    let first = create(1000, SlabFlags::empty());
    let same = create(996, SlabFlags::empty());
    let dma = create(1000, SlabFlags::CACHE_DMA);
    let checked = create(1000, SlabFlags::NO_MERGE);
    let may_merge = !first.flags().intersects(SlabFlags::DEBUG) && cfg!(CONFIG_SLAB_MERGE_DEFAULT);
    assert!(core::ptr::eq(first, same) || !may_merge || first.flags() != same.flags());
    assert!(!core::ptr::eq(first, dma) && !core::ptr::eq(first, checked));
    for cache in [same, dma, checked, first] {
        // SAFETY: each name is given up once, and none has objects in use.
        unsafe { kmem_cache_destroy(cache) };
    }
}

#[ktest]
fn impossible_caches_are_refused() {
    for (size, align) in [(0, 0), (64, 3), (8 << 20, 0)] {
        let refused = kmem_cache_create("slab-test-bad", size, align, SlabFlags::empty(), None);
        assert_eq!(refused.err(), Some(Errno::EINVAL));
    }
}

#[ktest]
fn an_allocation_that_fails_anywhere_leaves_nothing_behind() {
    use crate::mm::fault_inject::every_site;

    leaves_nothing(|| {
        let run = || -> Result<(), Errno> {
            let cache = create::create("slab-test-fail", 104, 0, SlabFlags::NO_MERGE, None)?;
            let object = kmem_cache_alloc(cache, Gfp::KERNEL | Gfp::NOWARN).map(|object| {
                // SAFETY: it has just been allocated.
                unsafe { kmem_cache_free(cache, object) }
            });
            // SAFETY: nothing of it is in use.
            unsafe { kmem_cache_destroy(cache) };
            object.ok_or(Errno::ENOMEM)?;
            KBox::new([0_u8; 100], Gfp::KERNEL | Gfp::NOWARN).map(drop)
        };
        every_site(run, |site, outcome| {
            assert_eq!(outcome, if site.is_some() { Err(Errno::ENOMEM) } else { Ok(()) });
        });
    });
}

#[cfg(CONFIG_SLUB_DEBUG)]
#[ktest]
fn objects_are_cleared_if_all_memory_is_to_be() {
    use crate::mm::page_debug::{want_init_on_alloc, want_init_on_free};
    const SIZE: usize = 192;
    const FILL: u8 = 0xa5;

    let cache = kmem_cache_create("slab-test-clear", SIZE, 0, SlabFlags::NO_MERGE, None).expect("memory");
    let poisoned = cache.flags().contains(SlabFlags::POISON);
    let object = kmem_cache_alloc(cache, Gfp::KERNEL).expect("memory");
    let filled = || {
        // SAFETY: an object has so many bytes, whoever has it, and the slab stays until the cache goes.
        let byte = |at| unsafe { object.as_ptr().add(at).read_volatile() };
        (0..SIZE).filter(|&at| byte(at) == FILL).count()
    };
    // SAFETY: the object is this test's.
    unsafe {
        object.write_bytes(FILL, SIZE);
        kmem_cache_free(cache, object);
    }
    let left = filled();
    assert_eq!(kmem_cache_alloc(cache, Gfp::KERNEL), Some(object));
    let found = filled();
    // SAFETY: the object is this test's, and the only one.
    unsafe {
        kmem_cache_free(cache, object);
        kmem_cache_destroy(cache);
    }
    if !poisoned {
        // A link takes a word of a free object.
        assert!(if want_init_on_free() {
            left == 0
        } else {
            left >= SIZE - size_of::<usize>()
        });
        assert!(if want_init_on_alloc() || want_init_on_free() {
            found == 0
        } else {
            found == left
        });
    }
}

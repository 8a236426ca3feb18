//! Crash points that misuse objects of the slab allocator: Linux's `heap.c`. What it reports it repairs, or does without, and the boot goes on.

use core::hint::black_box;
use core::ptr::NonNull;

use incipit::mm::Gfp;
use incipit::mm::page_alloc::Pages;
use incipit::mm::slab::{KmemCache, SlabFlags, kfree, kmalloc, kmem_cache_alloc, kmem_cache_create, kmem_cache_destroy, kmem_cache_free};

use crate::access;
use crate::crashpoints::Outcome;

/// Bytes of the objects: those of a cache, so that nothing lies between them and the red zone.
const SIZE: usize = 64;

const NO_MEMORY: &str = "there is no memory for it";

// Its callers are to be who allocates, in the reports.
#[inline(always)]
fn object() -> Result<NonNull<u8>, &'static str> {
    kmalloc(SIZE, Gfp::KERNEL).ok_or(NO_MEMORY)
}

fn cache(name: &'static str) -> Result<&'static KmemCache, &'static str> {
    kmem_cache_create(name, SIZE, 0, SlabFlags::NO_MERGE, None).map_err(|_| NO_MEMORY)
}

/// Writes behind an object, which shows when it is freed.
#[inline(never)]
pub fn slab_linear_overflow() -> Outcome {
    let object = object()?;
    // SAFETY: it is not safe: the bytes are not the object's. With red zones they are nobody's; without, the next object's, which may be in use. The object is freed once.
    unsafe {
        access::write(object.addr().get() + SIZE, 0x1234_5678);
        kfree(object);
    }
    Ok(())
}

/// Writes to an object that is free, which shows when it is allocated again.
#[inline(never)]
pub fn write_after_free() -> Outcome {
    let first = object()?;
    // SAFETY: it is not safe: the object is nobody's. Nobody else allocates meanwhile, so that nobody is harmed but the list of free objects.
    unsafe {
        kfree(first);
        access::write(first.addr().get() + SIZE / 2, 0x0abc_def0);
    }
    let again = object()?;
    // SAFETY: the object was just allocated.
    unsafe { kfree(again) };
    Ok(())
}

/// Frees an object twice.
#[inline(never)]
pub fn slab_free_double() -> Outcome {
    let object = object()?;
    // SAFETY: the second time is not safe. The allocator notices, and leaves it alone.
    unsafe {
        kfree(object);
        kfree(black_box(object));
    }
    Ok(())
}

/// Frees an object by an address inside it.
#[inline(never)]
pub fn slab_free_invalid() -> Outcome {
    let object = object()?;
    // SAFETY: the first is not safe. The allocator notices if the cache is checked.
    unsafe {
        kfree(object.add(8));
        kfree(object);
    }
    Ok(())
}

/// Frees an object to another cache than its own.
#[inline(never)]
pub fn slab_free_cross() -> Outcome {
    let (first, second) = (cache("lkdtm-heap-a")?, cache("lkdtm-heap-b")?);
    let object = kmem_cache_alloc(first, Gfp::KERNEL).ok_or(NO_MEMORY)?;
    // SAFETY: it is not safe. The allocator notices, and frees it to its own cache; then both are empty and nobody's.
    unsafe {
        kmem_cache_free(second, object);
        kmem_cache_destroy(first);
        kmem_cache_destroy(second);
    }
    Ok(())
}

/// Frees a page to a cache.
#[inline(never)]
pub fn slab_free_page() -> Outcome {
    let cache = cache("lkdtm-heap-page")?;
    let page = Pages::new(Gfp::KERNEL, 0).map_err(|_| NO_MEMORY)?;
    // SAFETY: it is not safe. The allocator notices, and leaves it alone; the cache is empty.
    unsafe {
        kmem_cache_free(cache, NonNull::new(page.as_ptr()).ok_or(NO_MEMORY)?);
        kmem_cache_destroy(cache);
    }
    Ok(())
}

/// Frees what was never allocated: a constant of the image.
#[inline(never)]
pub fn slab_free_foreign() -> Outcome {
    static NEVER_ALLOCATED: [u64; 8] = [1; 8];
    // SAFETY: it is not safe. The allocator notices, and leaves it alone.
    unsafe { kfree(NonNull::from(black_box(&NEVER_ALLOCATED)).cast()) };
    Ok(())
}

/// Forgets objects without freeing them. There are several, because the address of the last may stay in a register for long.
#[inline(never)]
pub fn slab_leak() -> Outcome {
    for _ in 0..8 {
        black_box(object()?);
    }
    Ok(())
}

/// Ends a cache that has an object in use.
#[inline(never)]
pub fn slab_destroy_in_use() -> Outcome {
    let cache = cache("lkdtm-heap-used")?;
    let object = kmem_cache_alloc(cache, Gfp::KERNEL).ok_or(NO_MEMORY)?;
    // SAFETY: the first is too early. The cache notices, and stays; then the object is freed once, and the cache ends.
    unsafe {
        kmem_cache_destroy(cache);
        kmem_cache_free(cache, object);
        kmem_cache_destroy(cache);
    }
    Ok(())
}

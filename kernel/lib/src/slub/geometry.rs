//! How objects lie in a slab, and how large slabs are: Linux's `calculate_sizes` and `calculate_order`.

use super::word::{MAX_OBJECTS, MAX_SLAB_SIZE};

const PAGE_SIZE: u32 = 4096;
/// Bytes of a word, which everything is aligned to.
const WORD: u32 = 8;
/// Bytes of a cache line.
pub const CACHE_LINE_SIZE: u32 = 64;
/// The greatest order that a slab may have.
const MAX_ORDER: u32 = MAX_SLAB_SIZE.ilog2() - PAGE_SIZE.ilog2();

bitflags::bitflags! {
    /// What a cache is like; the bits are Linux's.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct SlabFlags: u32 {
        /// Lists, links and lengths are checked at each use: `F`.
        const CONSISTENCY_CHECKS = 0x100;
        /// There are bytes before and behind each object that nobody may change: `Z`.
        const RED_ZONE = 0x400;
        /// Free objects are filled with a pattern: `P`.
        const POISON = 0x800;
        /// Objects start on cache lines, or share one evenly.
        const HWCACHE_ALIGN = 0x2000;
        /// Memory below 16 MiB.
        const CACHE_DMA = 0x4000;
        /// Memory below 4 GiB.
        const CACHE_DMA32 = 0x8000;
        /// Who allocated and who freed each object is kept: `U`.
        const STORE_USER = 0x1_0000;
        /// Objects are a cache that can be shrunk.
        const RECLAIM_ACCOUNT = 0x2_0000;
        /// The kernel does not go on without this cache.
        const PANIC = 0x4_0000;
        /// A freed object stays one of its type for as long as readers may look at it.
        const TYPESAFE_BY_RCU = 0x8_0000;
        /// Allocation and freeing are logged: `T`.
        const TRACE = 0x20_0000;
        /// Allocations are made to fail, `failslab=` permitting: `A`.
        const FAILSLAB = 0x200_0000;
        /// Objects are cleared when they are allocated, asked for or not.
        const CLEAR_ON_ALLOC = 0x400_0000;
        /// Objects are cleared when they are freed.
        const CLEAR_ON_FREE = 0x800_0000;
        /// Shares its memory with no other cache.
        const NO_MERGE = 0x0100_0000;
        /// One of those that `kmalloc` takes from.
        const KMALLOC = 0x1000_0000;
        /// Objects hold a pattern while they are free, which a constructor's would be in the way of.
        const OBJECT_POISON = 0x8000_0000;

        /// What is checked of a cache.
        const DEBUG = Self::CONSISTENCY_CHECKS.bits() | Self::RED_ZONE.bits() | Self::POISON.bits() | Self::STORE_USER.bits() | Self::TRACE.bits();
        /// Everything that makes a cache take the checked paths.
        const CHECKED_PATHS = Self::DEBUG.bits() | Self::CLEAR_ON_ALLOC.bits() | Self::CLEAR_ON_FREE.bits();
        /// What makes objects larger.
        const DEBUG_METADATA = Self::RED_ZONE.bits() | Self::POISON.bits() | Self::STORE_USER.bits();
        /// What keeps a cache from sharing.
        const NEVER_MERGE = Self::DEBUG.bits() | Self::TYPESAFE_BY_RCU.bits() | Self::FAILSLAB.bits() | Self::NO_MERGE.bits();
        /// What must be equal in caches that share.
        const MERGE_SAME = Self::RECLAIM_ACCOUNT.bits() | Self::CACHE_DMA.bits() | Self::CACHE_DMA32.bits();
    }
}

/// Limits of slabs' sizes, as `slub_min_order=`, `slub_max_order=` and `slub_min_objects=` set them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// No slab is smaller.
    pub min_order: u32,
    /// Slabs are larger only if one object does not fit.
    pub max_order: u32,
    /// Objects that a slab ought to have, 0 to go by the number of CPUs.
    pub min_objects: u32,
    /// CPUs that there can be.
    pub cpus: u32,
}

impl Orders {
    /// What holds if nothing is said.
    #[must_use]
    pub const fn new(cpus: u32) -> Orders {
        Orders {
            min_order: 0,
            max_order: 3,
            min_objects: 0,
            cpus,
        }
    }

    /// Objects that a slab ought to have: more, the more CPUs there are.
    #[must_use]
    pub const fn objects_wanted(&self) -> u32 {
        if self.min_objects != 0 {
            self.min_objects
        } else {
            4 * (1 + u32::BITS - self.cpus.leading_zeros())
        }
    }

    /// The order of slabs of objects that take `size` bytes each, or nothing if no slab can hold one.
    #[must_use]
    pub fn order_for(&self, size: u32) -> Option<u32> {
        let most = objects(self.max_order, size);
        for wanted in (2..=self.objects_wanted().min(most)).rev() {
            for fraction in [16, 8, 4] {
                let order = self.least_wasteful(size, wanted, self.max_order, fraction);
                if order <= self.max_order {
                    return Some(order);
                }
            }
        }
        for limit in [self.max_order, MAX_ORDER] {
            let order = self.least_wasteful(size, 1, limit, 1);
            if order <= limit {
                return Some(order);
            }
        }
        None
    }

    /// The least order up to `limit` that holds `wanted` objects and wastes no more than the slab's `1 / fraction`; one more than the limit if there is none.
    fn least_wasteful(&self, size: u32, wanted: u32, limit: u32, fraction: u32) -> u32 {
        if objects(self.min_order, size) > MAX_OBJECTS {
            return order_of(size * MAX_OBJECTS).saturating_sub(1);
        }
        let Some(bytes) = wanted.checked_mul(size) else {
            return limit + 1;
        };
        (self.min_order.max(order_of(bytes))..=limit)
            .find(|&order| {
                let slab = PAGE_SIZE << order;
                slab % size <= slab / fraction
            })
            .unwrap_or(limit + 1)
    }
}

/// Objects of `size` bytes in a slab.
const fn objects(order: u32, size: u32) -> u32 {
    (PAGE_SIZE << order) / size
}

/// The least order that holds so many bytes: Linux's `get_order`.
const fn order_of(bytes: u32) -> u32 {
    bytes.div_ceil(PAGE_SIZE).next_power_of_two().ilog2()
}

/// Where everything is in an object and in a slab. All figures but orders and counts are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// What the user has.
    pub object_size: u32,
    /// The user's part and the red zone behind it, or what fills the last word.
    pub in_use: u32,
    /// From one object to the next.
    pub size: u32,
    /// What the user's part is aligned to.
    pub align: u32,
    /// Where a free object has its link, from the user's part.
    pub link: u32,
    /// From an object's start to the user's part: the left red zone.
    pub red_left: u32,
    /// Where the two records of users are, from the user's part, if there are any.
    pub track: u32,
    /// Where what is kept of an object ends, from the user's part: from there to the next object nothing is kept.
    pub padding: u32,
    /// Pages of a slab, as a power of two.
    pub order: u32,
    /// The same for a slab of one object: what is tried if there is no block of that order.
    pub min_order: u32,
}

/// What is asked of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Bytes of an object.
    pub size: usize,
    /// What objects are aligned to at least, a power of two, or 0.
    pub align: usize,
    /// What the cache is like.
    pub flags: SlabFlags,
    /// Whether free objects are constructed and must stay as they are.
    pub constructed: bool,
    /// Bytes of a record of who used an object.
    pub track_size: u32,
}

/// What objects are aligned to: Linux's `calculate_alignment`.
#[must_use]
pub fn alignment(flags: SlabFlags, align: u32, size: u32) -> u32 {
    let mut least = align.max(WORD);
    if flags.contains(SlabFlags::HWCACHE_ALIGN) {
        let mut line = CACHE_LINE_SIZE;
        while size <= line / 2 {
            line /= 2;
        }
        least = least.max(line);
    }
    least.next_multiple_of(WORD)
}

impl Geometry {
    /// Cuts slabs as the wish and the limits say. Nothing if the size is 0 or more than a slab can have, or the alignment no power of two.
    #[must_use]
    pub fn new(wish: &Wish, orders: &Orders) -> Option<Geometry> {
        let (object_size, align) = (u32::try_from(wish.size).ok()?, u32::try_from(wish.align).ok()?);
        if object_size == 0 || wish.size > MAX_SLAB_SIZE / 2 || align > PAGE_SIZE << MAX_ORDER || !(align == 0 || align.is_power_of_two()) {
            return None;
        }
        let align = alignment(wish.flags, align, object_size);
        let has = |flag| wish.flags.contains(flag);
        let mut size = object_size.next_multiple_of(WORD);
        // An object that fills its last word has a red zone of its own behind it.
        if has(SlabFlags::RED_ZONE) && size == object_size {
            size += WORD;
        }
        let in_use = size;
        let outside = has(SlabFlags::TYPESAFE_BY_RCU)
            || has(SlabFlags::POISON)
            || wish.constructed
            || (has(SlabFlags::RED_ZONE) && object_size < WORD);
        let link = if outside {
            size += WORD;
            in_use
        } else {
            object_size / 2 / WORD * WORD
        };
        let track = size;
        if has(SlabFlags::STORE_USER) {
            size += 2 * wish.track_size;
        }
        let padding = size;
        let mut red_left = 0;
        if has(SlabFlags::RED_ZONE) {
            red_left = WORD.next_multiple_of(align);
            size += WORD + red_left;
        }
        let size = size.next_multiple_of(align);
        Some(Geometry {
            object_size,
            in_use,
            size,
            align,
            link,
            red_left,
            track,
            padding,
            order: orders.order_for(size)?,
            min_order: order_of(size),
        })
    }

    /// Objects in a slab of this order.
    #[must_use]
    pub const fn objects(&self, order: u32) -> u32 {
        let count = objects(order, self.size);
        if count > MAX_OBJECTS { MAX_OBJECTS } else { count }
    }

    /// Slabs that a node keeps although they are empty: Linux's `set_min_partial`.
    #[must_use]
    pub const fn min_partial(&self) -> usize {
        const LEAST: usize = 5;
        const MOST: usize = 10;
        let wanted = self.size.ilog2() as usize / 2;
        if wanted < LEAST {
            LEAST
        } else if wanted > MOST {
            MOST
        } else {
            wanted
        }
    }

    /// Where the user's part of an object is in its slab.
    #[must_use]
    pub const fn offset_of(&self, index: u32) -> usize {
        (index * self.size + self.red_left) as usize
    }

    /// Which object the user's part at `offset` of a slab of `objects` is, if it is one.
    #[must_use]
    pub const fn index_of(&self, offset: usize, objects: u32) -> Option<u32> {
        let size = self.size as usize;
        let Some(offset) = offset.checked_sub(self.red_left as usize) else {
            return None;
        };
        let index = offset / size;
        if offset.is_multiple_of(size) && index < objects as usize {
            Some(index as u32)
        } else {
            None
        }
    }
}

/// The caches that `kmalloc` takes from, by number: 0 is none, 1 has 96 bytes, 2 has 192, and from 3 on each has 2^number.
pub mod kmalloc {
    /// The numbers end before this one.
    pub const CACHES: usize = 14;
    /// The largest size that a cache has.
    pub const MAX_CACHE_SIZE: usize = 1 << (CACHES - 1);

    /// The number of the smallest cache whose objects have so many bytes; the size is neither 0 nor more than [`MAX_CACHE_SIZE`].
    #[inline]
    #[must_use]
    pub const fn index(size: usize) -> usize {
        if size > 192 {
            return (usize::BITS - (size - 1).leading_zeros()) as usize;
        }
        SMALL[(size.wrapping_sub(1) / 8) % SMALL.len()] as usize
    }

    /// Bytes of the objects of a cache.
    #[must_use]
    pub const fn size(index: usize) -> usize {
        match index {
            0 => 0,
            1 => 96,
            2 => 192,
            _ => 1 << index,
        }
    }

    /// [`index`] of sizes up to 192, by the word that they end in. As long as a power of two, so that no index is out of bounds.
    const SMALL: [u8; 32] = {
        let mut table = [0; 32];
        let mut word = 0;
        while word < 24 {
            let size = (word + 1) * 8;
            table[word] = match size {
                65..=96 => 1,
                129..=192 => 2,
                0..=8 => 3,
                _ => (usize::BITS - (size - 1_usize).leading_zeros()) as u8,
            };
            word += 1;
        }
        table
    };
}

//! The words that the lock-free paths exchange as a whole.

use core::marker::PhantomData;

/// Bits of a [`Link`].
const LINK_BITS: u32 = 22;
const LINK_MASK: u64 = (1 << LINK_BITS) - 1;

/// Bytes that a slab can have at most, so that a [`Link`] reaches everywhere.
pub const MAX_SLAB_SIZE: usize = 1 << LINK_BITS;
/// Objects that a slab can have at most: Linux's `MAX_OBJS_PER_PAGE`.
pub const MAX_OBJECTS: u32 = (1 << OBJECT_BITS) - 1;
/// CPUs that can be told apart.
pub const MAX_CPUS: usize = 1 << CPU_BITS;

const OBJECT_BITS: u32 = 15;
const CPU_BITS: u32 = 9;

/// Where the next free object of a slab is, or that there is none: what a free object holds, and what lists of them start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link(u64);

impl Link {
    /// The end of a list.
    pub const NONE: Link = Link(0);

    /// To the object at `offset` in its slab, a multiple of 8 below [`MAX_SLAB_SIZE`].
    #[inline]
    #[must_use]
    pub const fn to(offset: usize) -> Link {
        debug_assert!(offset < LINK_MASK as usize);
        Link(offset as u64 + 1)
    }

    /// What an object holds, as it was read from there: whatever was written to a free object, the result is a link, though maybe to no object.
    #[inline]
    #[must_use]
    pub const fn from_raw(raw: u32) -> Link {
        Link(raw as u64 & LINK_MASK)
    }

    /// What an object that is followed by this one holds.
    #[inline]
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0 as u32
    }

    /// Whether the list ends here.
    #[inline]
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Where the object is, if there is one.
    #[inline]
    #[must_use]
    pub const fn offset(self) -> Option<usize> {
        if self.is_none() { None } else { Some(self.0 as usize - 1) }
    }
}

/// A word that begins with a [`Link`]; what else is in it depends on whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<Owner>(u64, PhantomData<Owner>);

impl<Owner> Word<Owner> {
    /// The word that has these bits.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Word(bits, PhantomData)
    }

    /// Its bits.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The first free object.
    #[inline]
    #[must_use]
    pub const fn link(self) -> Link {
        Link(self.0 & LINK_MASK)
    }
}

/// Says that a [`Word`] is a CPU's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfCpu {}

/// Says that a [`Word`] is a slab's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfSlab {}

/// The word of a CPU: its list of free objects, which CPU it is, and how often the word has changed.
///
/// The count makes the compare-and-exchange fail if an interrupt, or another thread on the same CPU, came between; the CPU makes it fail if the thread has moved.
pub type CpuWord = Word<OfCpu>;

/// The word of a slab: its list of free objects, how many it has and how many of them are not on that list, and whether a CPU has it.
pub type SlabWord = Word<OfSlab>;

impl CpuWord {
    /// One change. The count is the rest of the word, and goes down: what is taken away at a time is the most that fits an instruction.
    const STEP: u64 = 1 << (LINK_BITS + CPU_BITS);

    /// The word of a CPU that has no objects; its number is below [`MAX_CPUS`].
    #[must_use]
    pub const fn new(cpu: usize) -> CpuWord {
        Word::from_bits((cpu as u64) << LINK_BITS)
    }

    /// The next word: the list starts with `link`.
    #[inline]
    #[must_use]
    pub const fn advance(self, link: Link) -> CpuWord {
        Word::from_bits(self.0.wrapping_sub(Self::STEP) & !LINK_MASK | link.0)
    }
}

impl SlabWord {
    const FROZEN: u64 = 1 << LINK_BITS;
    const OBJECTS_SHIFT: u32 = LINK_BITS + 1;
    const IN_USE_SHIFT: u32 = Self::OBJECTS_SHIFT + OBJECT_BITS;
    const FIELD: u64 = MAX_OBJECTS as u64;

    /// A slab of this many objects, at most [`MAX_OBJECTS`], all of them on the list that starts with `link`.
    #[must_use]
    pub const fn new(link: Link, objects: u32) -> SlabWord {
        Word::from_bits(link.0 | (objects as u64) << Self::OBJECTS_SHIFT)
    }

    /// Whether a CPU has it.
    #[inline]
    #[must_use]
    pub const fn frozen(self) -> bool {
        self.0 & Self::FROZEN != 0
    }

    /// Objects of the slab.
    #[inline]
    #[must_use]
    pub const fn objects(self) -> u32 {
        (self.0 >> Self::OBJECTS_SHIFT & Self::FIELD) as u32
    }

    /// Objects that are not on the slab's own list: in use, or on the list of the CPU that has it.
    #[inline]
    #[must_use]
    pub const fn in_use(self) -> u32 {
        (self.0 >> Self::IN_USE_SHIFT & Self::FIELD) as u32
    }

    /// The same with another list.
    #[inline]
    #[must_use]
    pub const fn with_link(self, link: Link) -> SlabWord {
        Word::from_bits(self.0 & !LINK_MASK | link.0)
    }

    /// The same with or without a CPU.
    #[inline]
    #[must_use]
    pub const fn with_frozen(self, frozen: bool) -> SlabWord {
        Word::from_bits(self.0 & !Self::FROZEN | (frozen as u64) << LINK_BITS)
    }

    /// The same with another number of objects in use, at most [`MAX_OBJECTS`].
    #[inline]
    #[must_use]
    pub const fn with_in_use(self, in_use: u32) -> SlabWord {
        Word::from_bits(self.0 & !(Self::FIELD << Self::IN_USE_SHIFT) | (in_use as u64) << Self::IN_USE_SHIFT)
    }
}

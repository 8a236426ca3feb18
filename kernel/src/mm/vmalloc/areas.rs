//! Which addresses of the space are whose, and when they can be used again.
//!
//! An area that is given back is *unmapped* for a while: nothing is mapped there, but a processor may still remember what was. When there are enough of these
//! (Linux's `lazy_max_pages`), or addresses run out, the processor forgets them all at once, and they are free.

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::Relaxed};

use arrayvec::ArrayVec;
use incipit_lib::vmap::{AreaError, Areas, NODES_NEEDED, Node, Request};

use crate::arch::x86::cpu::masks::{self, NR_CPUS};
use crate::arch::x86::mm::tlb;
use crate::init::initcall;
use crate::locking::IrqSpinLock;
use crate::mm::slab::KVec;
use crate::mm::{PAGE_SIZE, page_alloc};
use crate::percpu::counter::PercpuCounter;
use crate::prelude::*;

bitflags::bitflags! {
    /// What an area is for: Linux's `VM_…` flags of the same numbers.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct VmFlags: u32 {
        /// Memory of a device, or of the firmware.
        const IOREMAP = 0x1;
        /// Memory that was allocated for it.
        const ALLOC = 0x2;
        /// Memory that was there already.
        const MAP = 0x4;
        /// Large pages may be used.
        const ALLOW_HUGE = 0x400;
        /// Chunks of per-CPU data.
        const PERCPU = 0x1_0000;
    }
}

/// What is known of an area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    /// What it is for.
    pub flags: VmFlags,
    /// Its own pages.
    pub pages: u32,
    /// Who asked for it: the address of code.
    pub caller: usize,
    /// The physical address that it leads to, 0 if that is not one.
    pub phys: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InUse,
    /// Its owner has given it up, and it is being unmapped.
    Leaving,
    /// A processor may remember it, until the flush that ends the round. `next` is another one of these, 0 behind the last.
    Unmapped {
        next: usize,
        round: u64,
    },
}

impl Area {
    pub(super) fn new(flags: VmFlags, caller: usize) -> Area {
        Area {
            flags,
            pages: 0,
            caller,
            phys: 0,
            state: State::InUse,
        }
    }

    /// The same with pages of its own.
    pub(super) fn with_pages(self, pages: u32) -> Area {
        Area { pages, ..self }
    }

    /// The same for memory at a physical address.
    pub(super) fn at(self, phys: u64) -> Area {
        Area { phys, ..self }
    }

    /// Whether its owner has given it up.
    pub(super) fn is_unmapped(&self) -> bool {
        self.state != State::InUse
    }
}

/// Why an address is none that can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// No area of the kind has it.
    Nonexistent,
    /// An area has it, but does not begin there.
    Inside,
}

/// Nodes for areas in the beginning.
const FIRST_NODES: usize = 64;

struct Space {
    areas: Areas<Area, KVec<Node<Area>>>,
    /// The first of the unmapped areas, 0 if there is none.
    unmapped: usize,
    unmapped_pages: usize,
    /// How often processors have been told to forget.
    round: u64,
}

static SPACE: IrqSpinLock<Option<Space>> = IrqSpinLock::new(None);
static OPEN: AtomicBool = AtomicBool::new(false);

/// Pages that areas own.
static NR_PAGES: PercpuCounter = PercpuCounter::new(&PAGES_OF_CPUS);

#[percpu]
static PAGES_OF_CPUS: AtomicI32 = AtomicI32::new(0);

/// Pages that areas own: Linux's `vmalloc_nr_pages`.
#[must_use]
pub fn nr_pages() -> usize {
    NR_PAGES.sum().max(0) as usize
}

pub(super) fn count_pages(pages: isize) {
    NR_PAGES.add(pages as i64);
}

pub(super) fn is_open() -> bool {
    OPEN.load(Relaxed)
}

/// Pages that there are at the least: to count them takes longer than most allocations.
static KNOWN_RAM_PAGES: AtomicU64 = AtomicU64::new(0);

pub(super) fn known_ram_pages() -> u64 {
    KNOWN_RAM_PAGES.load(Relaxed)
}

/// The area that was taken before the space was open, which begins where that does; empty for none.
static EARLY: IrqSpinLock<Range<usize>> = IrqSpinLock::new(0..0);

/// Takes the first `size` bytes of the space before it is open, with a guard page, once.
#[init]
pub(super) fn take_early(space: Range<usize>, size: usize) -> Result<Range<usize>, Errno> {
    let mut early = EARLY.lock();
    let end = size.checked_add(PAGE_SIZE).and_then(|size| space.start.checked_add(size));
    *early = match end.filter(|&end| early.is_empty() && end <= space.end) {
        Some(end) => space.start..end,
        None => return Err(Errno::ENOMEM),
    };
    Ok(early.clone())
}

/// Opens the space.
#[init]
pub(super) fn open(space: Range<usize>) -> Result<(), Errno> {
    KNOWN_RAM_PAGES.store(page_alloc::total_ram_pages(), Relaxed);
    let mut areas = Areas::new(nodes(FIRST_NODES)?, space);
    let early = EARLY.lock().clone();
    if !early.is_empty() {
        let pages = early.len() / PAGE_SIZE - 1;
        let area = Area::new(VmFlags::PERCPU, 0).with_pages(pages as u32);
        areas.take(early, area).map_err(|_| Errno::ENOMEM)?;
        count_pages(pages as isize);
    }
    *SPACE.lock() = Some(Space {
        areas,
        unmapped: 0,
        unmapped_pages: 0,
        round: 0,
    });
    OPEN.store(true, Relaxed);
    Ok(())
}

fn nodes(count: usize) -> Result<KVec<Node<Area>>, Errno> {
    let mut nodes = KVec::new();
    nodes.resize_with(count, Node::spare)?;
    Ok(nodes)
}

/// Takes the lowest addresses that are as asked for.
///
/// # Errors
///
/// `ENOMEM`.
pub(super) fn take(request: &Request, area: Area) -> Result<Range<usize>, Errno> {
    initcall::turn();
    with_nodes(|areas| areas.alloc(request, area))
}

/// Takes `size` bytes at each of `base + distance`, for the lowest `base` from `from` on for which all are free, and gives it. What `places` have besides the
/// distances is not for here.
///
/// # Errors
///
/// `ENOMEM`.
pub(super) fn take_congruent(places: &[(usize, usize)], size: usize, from: usize, area: Area) -> Result<usize, Errno> {
    initcall::turn();
    let offsets: ArrayVec<usize, NR_CPUS> = places.iter().map(|&(distance, _)| distance).collect();
    with_nodes(|areas| {
        if areas.spare() < offsets.len() * NODES_NEEDED {
            return Err(AreaError::NoNodes);
        }
        let base = areas.find_congruent(&offsets, size, PAGE_SIZE, from).ok_or(AreaError::NoRoom)?;
        for offset in &offsets {
            areas.take(base + offset..base + offset + size, area)?;
        }
        Ok(base)
    })
}

/// Does something that may need nodes, which are allocated while nobody waits for the lock. If there is no room, it is tried once more without unmapped areas.
fn with_nodes<R>(mut work: impl FnMut(&mut Areas<Area, KVec<Node<Area>>>) -> Result<R, AreaError>) -> Result<R, Errno> {
    let mut purged = false;
    loop {
        let mut space = SPACE.lock();
        let areas = &mut space.as_mut().ok_or(Errno::ENOMEM)?.areas;
        let result = work(areas);
        let wanted = 2 * areas.nodes();
        drop(space);
        match result {
            Ok(result) => return Ok(result),
            Err(AreaError::NoNodes) => {
                let larger = nodes(wanted)?;
                let replaced = SPACE.lock().as_mut().map(|space| space.areas.grow(larger));
                drop(replaced);
            }
            Err(AreaError::NoRoom) if !purged => {
                purged = true;
                vm_unmap_aliases();
            }
            Err(AreaError::NoRoom) => return Err(Errno::ENOMEM),
            Err(AreaError::BadRequest) => return Err(Errno::EINVAL),
        }
    }
}

/// The first address of the area that has `address`.
pub(super) fn start_of(address: usize) -> Option<usize> {
    let space = SPACE.lock();
    space.as_ref()?.areas.find(address).map(|(range, _)| range.start)
}

/// Begins to remove the area of one of `kinds` that begins at `start`: nobody else can do so from now on.
pub(super) fn begin_removal(start: usize, kinds: VmFlags) -> Result<(Range<usize>, Area), Wrong> {
    let mut space = SPACE.lock();
    let found = space.as_mut().and_then(|space| space.areas.find_mut(start));
    let (range, area) = found
        .filter(|(_, area)| area.state == State::InUse && area.flags.intersects(kinds))
        .ok_or(Wrong::Nonexistent)?;
    if range.start != start {
        return Err(Wrong::Inside);
    }
    let known = *area;
    area.state = State::Leaving;
    Ok((range, known))
}

/// Notes that an area is unmapped. If that makes enough of them, all are made free.
pub(super) fn finish_removal(range: Range<usize>) {
    let mut space = SPACE.lock();
    let Some(space_now) = space.as_mut() else { return };
    // One behind another that waits waits with it, so that the tree stays small.
    let now = space_now.round;
    let waits = |area: &Area| matches!(area.state, State::Unmapped { round, .. } if round == now);
    if !space_now.areas.join(range.start, waits)
        && let Some((_, area)) = space_now.areas.find_mut(range.start)
    {
        area.state = State::Unmapped {
            next: space_now.unmapped,
            round: now,
        };
        space_now.unmapped = range.start;
    }
    space_now.unmapped_pages += range.len() / PAGE_SIZE;
    let enough = space_now.unmapped_pages > lazy_max_pages();
    drop(space);
    if enough {
        vm_unmap_aliases();
    }
}

/// How many unmapped pages there may be: 32 MiB of them for each doubling of the CPUs. Linux's function of the same name.
fn lazy_max_pages() -> usize {
    let doublings = usize::BITS - masks::ONLINE.weight().leading_zeros();
    doublings as usize * (32 << 20) / PAGE_SIZE
}

/// Makes the processor forget all unmapped areas, and their addresses free: Linux's function of the same name.
pub fn vm_unmap_aliases() {
    let first = {
        let mut space = SPACE.lock();
        let Some(space) = space.as_mut() else { return };
        space.unmapped_pages = 0;
        space.round += 1;
        core::mem::take(&mut space.unmapped)
    };
    if first == 0 {
        return;
    }
    tlb::flush_all_cpus();
    let mut space = SPACE.lock();
    let Some(space) = space.as_mut() else { return };
    let mut at = first;
    while let Some((
        _,
        Area {
            state: State::Unmapped { next, .. },
            ..
        },
    )) = space.areas.free(at)
    {
        at = next;
    }
}

/// Calls `show` with each area, by address, until it fails.
pub(super) fn for_each<E>(mut show: impl FnMut(Range<usize>, &Area) -> Result<(), E>) -> Result<(), E> {
    let mut from = 0;
    loop {
        // The lock is not held while an area is shown: who shows it may need addresses.
        let next = {
            let space = SPACE.lock();
            space
                .as_ref()
                .and_then(|space| space.areas.next(from))
                .map(|(range, area)| (range, *area))
        };
        let Some((range, area)) = next else { return Ok(()) };
        from = range.end;
        show(range, &area)?;
    }
}

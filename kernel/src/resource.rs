//! Who has which addresses of memory and which I/O ports: Linux's `iomem_resource` and `ioport_resource`.
//!
//! What is there is described ([`insert`]): RAM, ROMs, what firmware keeps, the image. A driver claims what it uses ([`request_region`]) and keeps the claim for
//! as long as it does, so that two drivers never have one register. Nothing is mapped or accessed here.

use core::fmt::{self, Display};
use core::ops::RangeInclusive;

use incipit_lib::resource::{Conflict, lines, place, place_claim};

pub use incipit_lib::resource::Resource;

use crate::init::initcall;
use crate::locking::IrqSpinLock;
use crate::mm::slab::KVec;
use crate::prelude::*;

/// The last I/O port.
const LAST_PORT: u64 = 0xffff;

static IOMEM: Tree = Tree::new(KVec::new());
static IOPORT: Tree = Tree::new(KVec::new());

/// What kind of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Physical memory: `/proc/iomem`.
    Mem,
    /// I/O ports: `/proc/ioports`.
    Io,
}

impl Kind {
    fn tree(self) -> &'static Tree {
        match self {
            Kind::Mem => &IOMEM,
            Kind::Io => &IOPORT,
        }
    }

    fn add(self, resource: Resource, place: Place) -> Result<(), Refusal> {
        if self == Kind::Io && resource.end > LAST_PORT {
            return Err(Refusal::NoSuchPort);
        }
        let mut list = self.tree().lock();
        let index = place(&list, &resource).map_err(Refusal::Conflict)?;
        list.insert(index, resource).map_err(|_| Refusal::NoMemory)
    }

    fn remove(self, resource: &Resource) {
        let mut list = self.tree().lock();
        // Of equal ones the inner, which is the one that was claimed.
        if let Some(index) = list.iter().rposition(|kept| kept == resource) {
            list.remove(index);
        }
    }

    /// Digits of an address, at least, in Linux's files.
    fn digits(self) -> usize {
        match self {
            Kind::Mem => 8,
            Kind::Io => 4,
        }
    }
}

type Tree = IrqSpinLock<KVec<Resource>>;
type Place = fn(&[Resource], &Resource) -> Result<usize, Conflict>;

/// Why a resource is not in the tree.
enum Refusal {
    Conflict(Conflict),
    NoSuchPort,
    NoMemory,
}

impl Refusal {
    fn errno(&self) -> Errno {
        match self {
            Refusal::Conflict(Conflict::With(_)) => Errno::EBUSY,
            Refusal::Conflict(Conflict::Backwards) | Refusal::NoSuchPort => Errno::EINVAL,
            Refusal::NoMemory => Errno::ENOMEM,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Conflict(conflict) => conflict.fmt(f),
            Refusal::NoSuchPort => write!(f, "is beyond the last port, {LAST_PORT:#06x}"),
            Refusal::NoMemory => f.write_str("cannot be entered: no memory"),
        }
    }
}

/// Describes what is at these addresses, for good: around what lies inside of it, and inside of what it lies in. From `setup_arch` on. A description that cannot be
/// entered is logged and left out: nobody could do anything else about it.
pub fn insert(kind: Kind, addresses: RangeInclusive<u64>, name: &'static str, busy: bool) {
    // Logged.
    let _ = add(kind, addresses, name, busy, place);
}

/// The addresses of a driver, given back when this is dropped.
#[derive(Debug)]
#[must_use = "the claim ends when it is dropped"]
pub struct Region {
    kind: Kind,
    resource: Resource,
}

impl Region {
    /// Keeps the claim for good.
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.kind.remove(&self.resource);
    }
}

/// Claims addresses for a driver called `name`: Linux's `request_region` and `request_mem_region`. From `setup_arch` on.
///
/// # Errors
///
/// `EBUSY` if somebody else has a part of them, `EINVAL` for a port beyond the last and for a range that ends before it starts, `ENOMEM`; each is logged.
pub fn request_region(kind: Kind, addresses: RangeInclusive<u64>, name: &'static str) -> Result<Region, Errno> {
    add(kind, addresses, name, true, place_claim).map(|resource| Region { kind, resource })
}

fn add(kind: Kind, addresses: RangeInclusive<u64>, name: &'static str, busy: bool, place: Place) -> Result<Resource, Errno> {
    initcall::turn();
    let (start, end) = addresses.into_inner();
    let resource = Resource { start, end, name, busy };
    kind.add(resource, place).map(|()| resource).map_err(|refusal| {
        pr_warn!("resource: {name} [{start:#010x}-{end:#010x}] {refusal}");
        refusal.errno()
    })
}

/// Calls `show` with each line of Linux's `/proc/iomem` or `/proc/ioports`, until one fails. No resource may be added meanwhile.
///
/// # Errors
///
/// That of `show`.
pub fn for_each_line<E>(kind: Kind, mut show: impl FnMut(&dyn Display) -> Result<(), E>) -> Result<(), E> {
    with_list(kind, |list| lines(list, kind.digits()).try_for_each(|line| show(&line)))
}

/// Calls `look` with the whole tree: outer resources before those inside of them. No resource may be added meanwhile.
pub fn with_list<R>(kind: Kind, look: impl FnOnce(&[Resource]) -> R) -> R {
    look(&kind.tree().lock())
}

#[ktest]
fn a_claim_is_given_back_when_it_is_dropped() {
    const FREE_PORTS: RangeInclusive<u64> = 0x9ab0..=0x9ab7;
    let first = request_region(Kind::Io, FREE_PORTS, "first").expect("nobody has these ports");
    assert!(matches!(request_region(Kind::Io, 0x9ab7..=0x9ab8, "second"), Err(Errno::EBUSY)));
    drop(first);
    drop(request_region(Kind::Io, FREE_PORTS, "second").expect("given back"));
}

#[ktest]
fn there_are_no_ports_beyond_the_last() {
    assert!(matches!(request_region(Kind::Io, 0xffff..=0x1_0000, "beyond"), Err(Errno::EINVAL)));
}

#[ktest]
fn this_code_is_in_the_resource_that_says_so() {
    let here = crate::mm::sections::text().phys();
    let around = |name| {
        with_list(Kind::Mem, |list| {
            list.iter()
                .any(|outer| outer.name == name && (outer.start..=outer.end).contains(&here))
        })
    };
    assert!(around("Kernel code"));
    assert!(around("System RAM"));
    assert!(!around("Kernel bss"));
}

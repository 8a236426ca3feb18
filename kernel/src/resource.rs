//! Who has which addresses of memory and which I/O ports: Linux's `iomem_resource` and `ioport_resource`.
//!
//! What is there is described ([`insert`]): RAM, ROMs, what firmware keeps, the image. A driver claims what it uses ([`request_region`]) and keeps the claim for
//! as long as it does, so that two drivers never have one register. Nothing is mapped or accessed here.

use core::fmt::Display;
use core::ops::RangeInclusive;

use alloc::vec::Vec;
use incipit_lib::resource::{Conflict, lines, place, place_claim};

pub use incipit_lib::resource::Resource;

use crate::irq::IrqMutex;
use crate::prelude::*;

/// The last I/O port.
const LAST_PORT: u64 = 0xffff;

static IOMEM: Tree = Tree::new();
static IOPORT: Tree = Tree::new();

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

    /// Digits of an address, at least, in Linux's files.
    fn digits(self) -> usize {
        match self {
            Kind::Mem => 8,
            Kind::Io => 4,
        }
    }
}

struct Tree(IrqMutex<Vec<Resource>>);

type Place = fn(&[Resource], &Resource) -> Result<usize, Conflict>;

impl Tree {
    const fn new() -> Tree {
        Tree(IrqMutex::new(Vec::new()))
    }

    fn add(&self, resource: Resource, place: Place) -> Result<(), Refusal> {
        let mut list = self.0.lock();
        let index = place(&list, &resource).map_err(Refusal::Conflict)?;
        list.try_reserve(1).map_err(|_| Refusal::NoMemory)?;
        list.insert(index, resource);
        Ok(())
    }

    fn remove(&self, resource: &Resource) {
        let mut list = self.0.lock();
        // Of equal ones the inner, which is the one that was claimed.
        if let Some(index) = list.iter().rposition(|kept| kept == resource) {
            list.remove(index);
        }
    }
}

enum Refusal {
    Conflict(Conflict),
    NoMemory,
}

/// Describes what is at these addresses, for good: around what lies inside of it, and inside of what it lies in. From `setup_arch` on.
///
/// # Errors
///
/// `EBUSY` if it would lie across the border of something else, which is logged; `EINVAL` for a port beyond the last, or a range that ends before it starts;
/// `ENOMEM`.
pub fn insert(kind: Kind, resource: Resource) -> Result<(), Errno> {
    add(kind, resource, place)
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
        self.kind.tree().remove(&self.resource);
    }
}

/// Claims addresses for a driver called `name`: Linux's `request_region` and `request_mem_region`. From `setup_arch` on.
///
/// # Errors
///
/// `EBUSY` if somebody else has a part of them, which is logged; `EINVAL` and `ENOMEM` as for [`insert`].
pub fn request_region(kind: Kind, addresses: RangeInclusive<u64>, name: &'static str) -> Result<Region, Errno> {
    let resource = Resource {
        start: *addresses.start(),
        end: *addresses.end(),
        name,
        busy: true,
    };
    add(kind, resource, place_claim).map(|()| Region { kind, resource })
}

fn add(kind: Kind, resource: Resource, place: Place) -> Result<(), Errno> {
    let Resource { start, end, name, .. } = resource;
    if kind == Kind::Io && end > LAST_PORT {
        return Err(Errno::EINVAL);
    }
    match kind.tree().add(resource, place) {
        Ok(()) => Ok(()),
        Err(Refusal::NoMemory) => Err(Errno::ENOMEM),
        Err(Refusal::Conflict(Conflict::Backwards)) => Err(Errno::EINVAL),
        Err(Refusal::Conflict(conflict)) => {
            pr_warn!("resource: {name} [{start:#010x}-{end:#010x}] {conflict}");
            Err(Errno::EBUSY)
        }
    }
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
    look(&kind.tree().0.lock())
}

/// Whether all of `addresses` lie in one resource of this name.
#[must_use]
pub fn is_inside_of(kind: Kind, addresses: RangeInclusive<u64>, name: &str) -> bool {
    let around = |outer: &Resource| outer.name == name && outer.start <= *addresses.start() && *addresses.end() <= outer.end;
    with_list(kind, |list| list.iter().any(around))
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
    assert!(is_inside_of(Kind::Mem, here..=here, "Kernel code"));
    assert!(is_inside_of(Kind::Mem, here..=here, "System RAM"));
    assert!(!is_inside_of(Kind::Mem, here..=here, "Kernel bss"));
}

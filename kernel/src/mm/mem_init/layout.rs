//! What lies where in the upper half, for the log.

use core::fmt;
use core::ops::Range;

use crate::arch::x86::cpu::{entry_area, masks};
use crate::arch::x86::mm::fixmap;
use crate::arch::x86::setup::max_pfn;
use crate::mm::page::{Page, VMEMMAP_START};
use crate::mm::vmalloc::{VMALLOC_END, VMALLOC_START};
use crate::mm::{PAGE_OFFSET, PAGE_SHIFT, sections};
use crate::prelude::*;

/// A line: a name, the addresses that it stands for, and their number in a unit that suits it.
struct Part {
    name: &'static str,
    addresses: Range<usize>,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    KiB,
    MiB,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.addresses;
        let (shift, unit) = match self.unit {
            Unit::KiB => (10, "kB"),
            Unit::MiB => (20, "MB"),
        };
        write!(
            f,
            "    {}: {start:#018x} - {end:#018x}   ({:4} {unit})",
            self.name,
            (end - start) >> shift
        )
    }
}

/// Says where everything is, the highest addresses first: what `mem_init` of the 32-bit Linux prints, for the layout of 64 bits.
#[init]
pub(super) fn print() {
    let pages = max_pfn() as usize;
    let (text, init) = (sections::text(), sections::init());
    let parts = [
        ("fixmap  ", fixmap::window(), Unit::MiB),
        ("cpuentry", entry_area::span(masks::nr_cpu_ids()), Unit::KiB),
        ("vmemmap ", VMEMMAP_START..VMEMMAP_START + pages * size_of::<Page>(), Unit::KiB),
        ("vmalloc ", VMALLOC_START..VMALLOC_END, Unit::MiB),
        ("lowmem  ", PAGE_OFFSET..PAGE_OFFSET + (pages << PAGE_SHIFT), Unit::MiB),
        ("  .init ", init.start_address()..init.end_address(), Unit::KiB),
        ("  .data ", text.end_address()..sections::data().end_address(), Unit::KiB),
        ("  .text ", text.start_address()..text.end_address(), Unit::KiB),
    ];
    pr_info!("virtual kernel memory layout:");
    for (name, addresses, unit) in parts {
        pr_info!("{}", Part { name, addresses, unit });
    }
}

//! The MP table: where it is, and the processors in it.
//!
//! It counts only if ACPI's tables name no processor, so it is searched for only then; Linux searches always. The parser is [`incipit_lib::mptable`]'s. Which
//! I/O APICs there are, and where ISA's lines arrive, is handed on to [`io_apic`].

#[cfg(CONFIG_KDB)]
mod command;

use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use incipit_lib::acpi::InterruptFlags;
use incipit_lib::mptable::{Entry, FloatingPointer, Header, Interrupt, MpTable, TableError, search};
use incipit_lib::wire::Wire;
use spin::Once;

use crate::arch::x86::apic::io_apic;
use crate::arch::x86::mm::ioremap::memremap;
use crate::arch::x86::setup::firmware::firmware_memory;
use crate::arch::x86::smpboot;
use crate::mm::memblock;
use crate::prelude::*;

/// Words of the BIOS' data: the segment of its extended data area, and how many KiB of memory there are below that.
const EBDA_SEGMENT: u64 = 0x40e;
const BASE_MEMORY_KIB: u64 = 0x413;

/// The ROM of the BIOS.
const BIOS_ROM: Range<u64> = 0xf_0000..0x10_0000;

const KIB: u64 = 1 << 10;
/// Where a BIOS may leave something below its ROM: behind its own data, before the adapters' memory.
const LOW_MEMORY: Range<u64> = 0x500..0xa_0000;

/// What was found.
struct Found {
    phys: u64,
    pointer: FloatingPointer,
    table: Option<MpTable<'static>>,
}

static FOUND: Once<Found> = Once::new();

/// The floating pointer, and its physical address, if the MP table was looked for.
#[must_use]
pub fn floating_pointer() -> Option<(u64, FloatingPointer)> {
    FOUND.get().map(|found| (found.phys, found.pointer))
}

/// The table, if it was looked for and can be used.
#[must_use]
pub fn mptable() -> Option<MpTable<'static>> {
    FOUND.get()?.table
}

/// Finds the table and takes the processors over: Linux's `find_smp_config` and `get_smp_config`.
#[init]
pub(super) fn get_smp_config() {
    let Some((phys, pointer)) = find() else { return };
    pr_info!("Intel MultiProcessor Specification v1.{}", pointer.revision);
    let table = match pointer.default_configuration {
        0 => read(pointer.table.into()),
        number => {
            pr_info!("Default MP configuration #{number}");
            // All of them have two processors (MPS 5).
            [0, 1].into_iter().for_each(smpboot::register_processor);
            None
        }
    };
    FOUND.call_once(|| Found { phys, pointer, table });
}

/// Searches where the specification says (MPS 4). What is damaged is logged.
#[init]
fn find() -> Option<(u64, FloatingPointer)> {
    let areas = [
        word(EBDA_SEGMENT).map(|segment| segment << 4),
        word(BASE_MEMORY_KIB).and_then(|size| (size * KIB).checked_sub(KIB)),
        Some(LOW_MEMORY.end - KIB),
    ];
    let low = areas.into_iter().flatten().filter(|start| LOW_MEMORY.contains(start));
    let low = low.map(|start| start..(start + KIB).min(LOW_MEMORY.end));
    low.chain(core::iter::once(BIOS_ROM)).find_map(search_area)
}

#[init]
fn word(phys: u64) -> Option<u64> {
    let memory = memremap(phys, 2).ok()?;
    u16::read(&memory).map(u64::from)
}

#[init]
fn search_area(area: Range<u64>) -> Option<(u64, FloatingPointer)> {
    let memory = memremap(area.start, (area.end - area.start) as usize).ok()?;
    for (offset, found) in search(&memory) {
        let phys = area.start + offset as u64;
        match found {
            Ok(pointer) => {
                let last = phys + FloatingPointer::LENGTH as u64 - 1;
                pr_info!("found SMP MP-table at [mem {phys:#010x}-{last:#010x}]");
                return Some((phys, pointer));
            }
            Err(error) => pr_warn!("MPTABLE: floating pointer at {phys:#x}: {error}"),
        }
    }
    None
}

/// Reads the table and takes the processors over: Linux's `smp_read_mpc`.
#[init]
fn read(phys: u64) -> Option<MpTable<'static>> {
    let table = match map(phys) {
        Ok(table) => table,
        Err(error) => {
            pr_err!("MPTABLE: {error}");
            pr_err!("BIOS bug, MP table errors detected!...");
            pr_err!("... disabling SMP support. (tell your hw vendor)");
            return None;
        }
    };
    let (oem, product) = table.names();
    pr_info!("MPTABLE: OEM ID: {oem}");
    pr_info!("MPTABLE: Product ID: {product}");
    pr_info!("MPTABLE: APIC at: 0x{:X}", table.header.local_apic);
    for entry in table.entries() {
        match entry {
            Ok(entry) => take(&entry),
            Err(error) => pr_err!("MPTABLE: {error}"),
        }
    }
    pr_info!("Processors: {}", smpboot::processors().count());
    if !smpboot::is_known() {
        pr_err!("MPTABLE: no processors registered!");
    }
    Some(table)
}

/// The table, mapped for good.
#[init]
fn map(phys: u64) -> Result<MpTable<'static>, TableError> {
    let memory = |length| firmware_memory(phys, length).map_err(|_| TableError::CutShort);
    let header = Header::read(&memory(Header::SIZE)?).ok_or(TableError::CutShort)?;
    // What has no header is not read any further: the check says what is wrong with it.
    let length = if header.signature == Header::SIGNATURE { header.length } else { 0 };
    let bytes = memory(usize::from(length).max(Header::SIZE))?;
    MpTable::check(&bytes)?;
    let table = MpTable::check(bytes.leak())?;
    if let Err(error) = memblock::reserve(phys, length.into()) {
        pr_warn!("MPTABLE: table at {phys:#x} cannot be reserved ({error})");
    }
    Ok(table)
}

#[init]
fn take(entry: &Entry) {
    match *entry {
        Entry::Processor {
            apic_id, enabled: true, ..
        } => {
            pr_info!("{entry}");
            smpboot::register_processor(apic_id.into());
        }
        Entry::Processor { .. } => smpboot::register_disabled_processor(),
        Entry::IoApic { id, enabled, address, .. } => {
            pr_info!("{entry}");
            if enabled && !io_apic::is_refused() {
                // The table numbers no inputs: they are counted through (MPS 4.3.3).
                io_apic::register(id, address.into(), io_apic::gsi_top());
            }
        }
        Entry::Bus { id, kind } => {
            pr_debug!("{entry}");
            if kind == *b"ISA   " {
                ISA_BUS.store(id.into(), Relaxed);
            }
        }
        Entry::IoInterrupt(ref interrupt) => {
            pr_debug!("{entry}");
            route(interrupt);
        }
        Entry::LocalInterrupt(_) => pr_debug!("{entry}"),
    }
}

/// The number of the bus that is ISA; [`u32::MAX`] before the table has named it.
static ISA_BUS: AtomicU32 = AtomicU32::new(u32::MAX);

/// What an interrupt's destination is if it goes to every I/O APIC, and its kind if it has a vector.
const EVERY_IO_APIC: u8 = 0xff;
const VECTORED: u8 = 0;

/// Notes where one of ISA's lines is.
#[init]
fn route(interrupt: &Interrupt) {
    if interrupt.kind != VECTORED || u32::from(interrupt.source_bus) != ISA_BUS.load(Relaxed) {
        return;
    }
    let base = match interrupt.destination {
        EVERY_IO_APIC => Some(0),
        id => io_apic::gsi_base_of(id),
    };
    if let Some(base) = base {
        io_apic::route_isa(
            interrupt.source_irq,
            base + u32::from(interrupt.input),
            InterruptFlags(interrupt.flags),
        );
    }
}

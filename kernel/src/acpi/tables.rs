//! The list of tables: made once, when memory can be mapped, and kept for good.

use arrayvec::ArrayVec;
use incipit_lib::acpi::{self, Header, Rsdp, Table};
use spin::Once;

use super::{options, root};
use crate::arch::x86::mm::ioremap::Memory;
use crate::arch::x86::setup::firmware::firmware_memory;
use crate::arch::x86::smpboot::{self, Identified};
use crate::locking::IrqSpinLock;
use crate::mm::memblock;
use crate::prelude::*;

/// Tables that are kept; each may take a mapping, of which there are 128 for all of the kernel. The largest servers have about 60.
const MAX_KEPT: usize = 64;

/// A table whose bytes stay mapped.
pub type Kept = Table<&'static [u8]>;

/// The tables in the order in which they were found, the root table first.
static TABLES: IrqSpinLock<ArrayVec<Kept, MAX_KEPT>> = IrqSpinLock::new(ArrayVec::new_const());

/// The root pointer, and where it is.
static ROOT: Once<(u64, Rsdp)> = Once::new();

/// The tables in the order in which they were found, the root table first.
pub fn tables() -> impl Iterator<Item = Kept> {
    (0..).map_while(|index| TABLES.lock().get(index).copied())
}

/// The root pointer and its physical address.
#[must_use]
pub fn root_pointer() -> Option<(u64, Rsdp)> {
    ROOT.get().copied()
}

/// Finds the tables, lists them in the log, and keeps their memory: Linux's `acpi_boot_table_init` and `acpi_reserve_initial_tables`.
#[init]
#[stage(
    after(crate::arch::x86::setup::setup_arch),
    wants(Identified),
    provides(crate::mm::FirmwareMemory),
    before(smpboot::get_smp_config)
)]
pub fn acpi_boot_table_init() {
    if options::is_disabled() {
        return;
    }
    let Some((phys, rsdp)) = root::find() else {
        pr_info!("ACPI: no valid RSDP was found");
        options::disable();
        return;
    };
    pr_info!("ACPI: RSDP 0x{phys:016X} {rsdp}");
    let Some(root) = acpi::find_root(&rsdp, options::is_rsdt_only(), map, |error| pr_err!("ACPI: {error}")) else {
        options::disable();
        return;
    };
    ROOT.call_once(|| (phys, rsdp));
    announce(&root.table);
    let mut left_out = 0;
    // The root table's place is kept free.
    acpi::walk(&root, map, |table| match table {
        Ok(table) if TABLES.lock().len() + 1 < MAX_KEPT => {
            announce(&table);
            TABLES.lock().push(keep(table));
        }
        Ok(_) => left_out += 1,
        Err(error) => pr_warn!("ACPI: {error}"),
    });
    TABLES.lock().insert(0, keep(root.table));
    if left_out != 0 {
        pr_warn!("ACPI: there are {left_out} tables more than the {MAX_KEPT} that can be kept");
    }
    for table in tables() {
        reserve(&table);
    }
}

/// Shows the table's line, and says if its checksum is wrong. Linux uses such a table, too: most often somebody has changed it and forgotten the checksum.
#[init]
fn announce(table: &Table<Memory>) {
    pr_info!("ACPI: {table}");
    if table.sum != 0 {
        let Header { signature, checksum, .. } = table.header;
        let right = checksum.wrapping_sub(table.sum);
        pr_warn!("ACPI: Incorrect checksum in table [{signature}] - {checksum:#04X}, should be {right:#04X}");
    }
}

/// Keeps the table's memory from being used: it may lie in what the memory map calls RAM.
#[init]
fn reserve(table: &Kept) {
    let (phys, length) = (table.phys, u64::from(table.header.length));
    let signature = table.header.signature;
    match memblock::reserve(phys, length) {
        Ok(()) => pr_info!(
            "ACPI: Reserving {signature} table memory at [mem {phys:#x}-{:#x}]",
            phys + length - 1
        ),
        Err(error) => pr_warn!("ACPI: {signature} table memory at {phys:#x} cannot be reserved ({error})"),
    }
}

/// The table with its bytes mapped for good.
#[init]
fn keep(table: Table<Memory>) -> Kept {
    Table {
        phys: table.phys,
        header: table.header,
        sum: table.sum,
        bytes: table.bytes.leak(),
    }
}

/// Access to the memory of a table.
#[init]
fn map(phys: u64, length: usize) -> Option<Memory> {
    firmware_memory(phys, length).ok()
}

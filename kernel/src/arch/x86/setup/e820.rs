//! The firmware's memory map: taken over, corrected by the command line, and shown.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use incipit_lib::e820::{E820Error, E820Table, E820Type, UserRange};

use super::{boot_params, memory};
use crate::locking::SpinLock;
use crate::mm::PAGE_SIZE;
use crate::prelude::*;

/// The map that the kernel goes by: Linux's `e820_table`.
static E820_TABLE: SpinLock<E820Table> = SpinLock::new(E820Table::new());

/// Whether the command line has changed the map.
static USER_DEFINED: AtomicBool = AtomicBool::new(false);

/// Where the BIOS and the adapters' memory lie.
const BIOS_BEGIN: u64 = 0xa_0000;
const BIOS_END: u64 = 0x10_0000;

/// Calls `f` with the map.
pub fn with_table<R>(f: impl FnOnce(&mut E820Table) -> R) -> R {
    f(&mut E820_TABLE.lock())
}

/// Takes over the map from the boot parameters and shows it: Linux's `e820__memory_setup`.
#[init]
pub(super) fn memory_setup() {
    with_table(|table| {
        let setup = table.memory_setup(boot_params());
        if let Some(entry) = setup.first_ignored {
            pr_err!(
                "e820: {} entries wrap around or do not fit; ignoring {entry} and what follows of them",
                setup.ignored
            );
        }
        pr_info!("BIOS-provided physical RAM map:");
        print(table, setup.source.who());
    });
}

/// Prints the map, each line with `who` in front.
#[init]
pub fn print(table: &E820Table, who: &str) {
    for line in table.lines(who) {
        pr_info!("{line}");
    }
}

/// Sanitises the map after a change of it, and reports what cannot be.
#[init]
pub fn update_table(table: &mut E820Table) {
    report(table.sanitize());
}

/// Reports a change that did not fit.
#[init]
pub(super) fn report(result: Result<(), E820Error>) {
    if let Err(error) = result {
        pr_err!("{error}");
    }
}

/// `mem=nn[KMG]`: uses no memory from this address on.
#[early_param("mem")]
#[init]
fn parse_mem(value: Option<&'static str>) -> Result<(), Errno> {
    let value = value.ok_or(Errno::EINVAL)?;
    if value == "nopentium" {
        pr_warn!("mem=nopentium ignored! (only supported on x86_32)");
        return Err(Errno::EINVAL);
    }
    apply(UserRange::parse_mem(value.as_bytes()).map_err(|_| Errno::EINVAL)?)
}

/// `memmap=nn[KMG]@ss[KMG][,…]`: says that the `nn` bytes from `ss` on are memory; with `#` for `@` ACPI data, with `$` reserved, with `!` persistent memory. `nn%ss` takes
/// them out of the map, `nn%ss-old+new` gives them another type, by number. `nn` alone is the end of memory; `exactmap` forgets the firmware's map first.
#[early_param("memmap")]
#[init]
fn parse_memmap(value: Option<&'static str>) -> Result<(), Errno> {
    for range in UserRange::parse_memmap(value.ok_or(Errno::EINVAL)?.as_bytes()) {
        apply(range.map_err(|_| Errno::EINVAL)?)?;
    }
    Ok(())
}

#[init]
fn apply(range: UserRange) -> Result<(), Errno> {
    USER_DEFINED.store(true, Relaxed);
    with_table(|table| table.apply(range)).map_err(|error| {
        pr_err!("{error}");
        Errno::ENOMEM
    })
}

/// Shows the map once more if the command line has changed it: Linux's `e820__finish_early_params`.
#[init]
pub(super) fn finish_early_params() {
    if USER_DEFINED.load(Relaxed) {
        with_table(|table| {
            update_table(table);
            pr_info!("user-defined physical RAM map:");
            print(table, "user");
        });
    }
}

/// Takes from the map what firmware wrongly calls RAM: the first page, which holds the BIOS' data, and the range of the BIOS and the adapters. Linux's function
/// of the same name.
#[init]
pub(super) fn trim_bios_range() {
    with_table(|table| {
        report(table.update(0, PAGE_SIZE as u64, E820Type::RAM, E820Type::RESERVED).map(drop));
        report(table.remove(BIOS_BEGIN, BIOS_END - BIOS_BEGIN, Some(E820Type::RAM)).map(drop));
        update_table(table);
    });
}

/// Makes the map say that the kernel is in RAM, whatever it said: Linux's `e820_add_kernel_range`.
#[init]
pub(super) fn add_kernel_range() {
    let (start, end) = memory::kernel_range();
    with_table(|table| {
        if table.mapped_all(start, end, Some(E820Type::RAM)) {
            return;
        }
        pr_warn!(".text .data .bss are not marked as E820_TYPE_RAM!");
        report(table.remove(start, end - start, None).map(drop));
        report(table.add(start, end - start, E820Type::RAM));
        update_table(table);
    });
}

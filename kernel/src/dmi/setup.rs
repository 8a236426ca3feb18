//! Finds the table and keeps it.

use core::ops::Range;

use incipit_lib::dmi::{EntryPoint, Ids, Structure, search, structures};
use spin::Once;

use super::quirk;
use crate::arch::x86::mm::ioremap::memremap;
use crate::arch::x86::setup::firmware::firmware_memory;
use crate::arch::x86::smpboot::{self, Identified};
use crate::mm::memblock;
use crate::prelude::*;

/// Where a BIOS has the entry point.
const BIOS_ROM: Range<u64> = 0xf_0000..0x10_0000;

/// Bytes that an entry point has at most, in whole paragraphs.
#[cfg(CONFIG_EFI)]
const ENTRY_SIZE_MAX: u64 = 32;

/// Bytes that a table may have: the most that its 16-bit size can say, four times; servers with hundreds of modules of memory have about 100 KiB.
const MAX_SIZE: u32 = 256 << 10;

/// What the firmware says.
pub struct Dmi {
    /// Where the table is, and how it was found.
    pub entry: EntryPoint,
    /// The names in it.
    pub ids: Ids<'static>,
    table: &'static [u8],
}

impl Dmi {
    /// The structures of the table, as far as it can be followed.
    pub fn structures(&self) -> impl Iterator<Item = Structure<'static>> {
        structures(self.table, self.entry.count).flatten()
    }
}

static DMI: Once<Dmi> = Once::new();

/// What the firmware says; none before `dmi_setup`, or if it says nothing.
#[must_use]
pub fn dmi() -> Option<&'static Dmi> {
    DMI.get()
}

/// Finds the table, says what the machine is, and applies the workarounds for it: Linux's function of the same name.
#[init]
#[stage(after(crate::arch::x86::setup::setup_arch), provides(Identified), before(smpboot::get_smp_config))]
pub fn dmi_setup() {
    let Some(entry) = find() else {
        pr_info!("DMI not present or invalid.");
        return;
    };
    pr_info!("{entry}");
    let Some(table) = table(&entry) else { return };
    let mut ids = Ids::new();
    for structure in structures(table, entry.count) {
        match structure {
            Ok(structure) => ids.take(&structure),
            Err(broken) => pr_warn!("[Firmware Bug]: {broken}"),
        }
    }
    let dmi = DMI.call_once(|| Dmi { entry, ids, table });
    pr_info!("DMI: {}", dmi.ids);
    quirk::apply(&dmi.ids);
}

/// Finds the entry point: where EFI firmware says that it is, or in a BIOS's ROM. What is damaged is logged.
#[init]
fn find() -> Option<EntryPoint> {
    #[cfg(CONFIG_EFI)]
    for phys in [crate::efi::smbios3(), crate::efi::smbios()].into_iter().flatten() {
        let told = phys.checked_add(ENTRY_SIZE_MAX).and_then(|end| find_in(phys..end));
        if told.is_some() {
            return told;
        }
    }
    find_in(BIOS_ROM)
}

/// Finds the first sound entry point in this memory.
#[init]
fn find_in(memory: Range<u64>) -> Option<EntryPoint> {
    let bytes = memremap(memory.start, (memory.end - memory.start) as usize).ok()?;
    let found = search(&bytes, |offset, error| {
        pr_warn!("DMI: entry point at {:#x}: {error}", memory.start + offset as u64);
    });
    found.map(|(_, entry)| entry)
}

/// The table's bytes, mapped for good. A size beyond reason is cut: the structures end the table, too.
#[init]
fn table(entry: &EntryPoint) -> Option<&'static [u8]> {
    let EntryPoint { table, size, .. } = *entry;
    let kept = size.min(MAX_SIZE);
    if kept < size {
        pr_warn!("DMI: table of {size:#x} bytes: only {kept:#x} are looked at");
    }
    let mapped = match firmware_memory(table, kept as usize) {
        Ok(mapped) => mapped.leak(),
        Err(error) => {
            pr_warn!("DMI: table at {table:#x} with {size:#x} bytes is out of reach ({error})");
            return None;
        }
    };
    if let Err(error) = memblock::reserve(table, kept.into()) {
        pr_warn!("DMI: table at {table:#x} cannot be reserved ({error})");
    }
    Some(mapped)
}

#[ktest]
fn the_names_are_those_of_the_first_structures() {
    let Some(dmi) = dmi() else { return };
    for structure in dmi.structures() {
        assert!(structure.length() >= 4);
    }
    let mut ids = Ids::new();
    dmi.structures().for_each(|structure| ids.take(&structure));
    assert_eq!(ids, dmi.ids);
}

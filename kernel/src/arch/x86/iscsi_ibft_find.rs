//! The iSCSI boot firmware table: how the firmware of a network adapter says where the disk is that it booted from.
//!
//! ACPI names it on newer machines; a BIOS leaves it somewhere in the upper part of the first MiB, where it is searched for.

use core::ops::Range;

use spin::Once;

use crate::arch::x86::mm::ioremap::memremap;
use crate::arch::x86::setup::boot_params;
use crate::arch::x86::smpboot;
use crate::mm::memblock;
use crate::prelude::*;

/// Where it may be: below and above the adapters' memory.
const SEARCHED: [Range<u64>; 2] = [0x8_0000..0xa_0000, 0xc_0000..0x10_0000];
/// What it begins with; the second is that of an adapter that does the work itself.
const SIGNATURES: [&[u8]; 2] = [b"iBFT", b"BIFT"];

static FOUND: Once<(u64, &'static [u8])> = Once::new();

/// The table's physical address and its bytes, as far as it says that it reaches.
#[must_use]
pub fn ibft() -> Option<(u64, &'static [u8])> {
    FOUND.get().copied()
}

/// Searches for the table and keeps its memory: Linux's function of the same name. Firmware that is EFI uses ACPI for it.
#[init]
#[stage(
    after(crate::arch::x86::setup::setup_arch),
    provides(crate::mm::FirmwareMemory),
    before(smpboot::get_smp_config)
)]
fn reserve_ibft_region() {
    if boot_params().efi_info().loader_signature != 0 {
        return;
    }
    if let Some((phys, table)) = SEARCHED.into_iter().find_map(search) {
        pr_info!("iBFT found at {phys:#018x}.");
        if let Err(error) = memblock::reserve(phys, table.len() as u64) {
            pr_warn!("iBFT cannot be reserved ({error})");
        }
        FOUND.call_once(|| (phys, table));
    }
}

/// The table in this range. One that is said to reach out of it is none.
#[init]
fn search(range: Range<u64>) -> Option<(u64, &'static [u8])> {
    const STEP: usize = 16;
    let memory = memremap(range.start, (range.end - range.start) as usize).ok()?.leak();
    let mut paragraphs = memory.as_chunks::<STEP>().0.iter().enumerate();
    paragraphs.find_map(|(index, paragraph)| {
        let offset = index * STEP;
        let (signature, rest) = paragraph.split_first_chunk::<4>()?;
        if !SIGNATURES.contains(&signature.as_slice()) {
            return None;
        }
        let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
        let table = memory[offset..].get(..length).filter(|table| table.len() >= STEP)?;
        Some((range.start + offset as u64, table))
    })
}

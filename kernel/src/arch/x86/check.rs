//! Does the BIOS write to memory that it has given away? Some did, below 64 KiB (Linux's file of the same name).
//!
//! That memory is filled with zeros when the map is known, and looked at when the drivers have run; there are no timers yet that could look again.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use arrayvec::ArrayVec;
use incipit_lib::e820::E820Type;
use incipit_lib::param::memparse;

use crate::arch::x86::setup::{boot_params, e820};
use crate::arch::x86::smpboot;
use crate::locking::IrqSpinLock;
use crate::mm::{PAGE_SIZE, phys_to_virt};
use crate::prelude::*;

/// Pieces of memory that are watched.
const MAX_AREAS: usize = 8;
/// How far they reach, unless the command line says otherwise: what BIOSes have been seen to write to.
const DEFAULT_SIZE: u64 = 64 << 10;
/// How far they may reach: other processors start, and BIOS data begins, behind.
const MAX_SIZE: u64 = 512 << 10;

static ENABLED: AtomicBool = AtomicBool::new(cfg!(CONFIG_X86_BOOTPARAM_MEMORY_CORRUPTION_CHECK));
static SIZE: AtomicU64 = AtomicU64::new(DEFAULT_SIZE);

/// Physical address and words of each piece.
static AREAS: IrqSpinLock<ArrayVec<(u64, usize), MAX_AREAS>> = IrqSpinLock::new(ArrayVec::new_const());

/// `memory_corruption_check=0|1`: looks whether the BIOS writes to low memory that it has given away.
#[init]
#[early_param("memory_corruption_check")]
fn set_corruption_check(value: Option<&'static str>) -> Result<(), Errno> {
    let wanted: u32 = value.and_then(|value| value.parse().ok()).ok_or(Errno::EINVAL)?;
    ENABLED.store(wanted != 0, Relaxed);
    Ok(())
}

/// `memory_corruption_check_size=nn[KMG]`: how far from address 0 on; 64K if nothing is said, 512K at most.
#[init]
#[early_param("memory_corruption_check_size")]
fn set_corruption_check_size(value: Option<&'static str>) -> Result<(), Errno> {
    let (size, rest) = memparse(value.ok_or(Errno::EINVAL)?.as_bytes()).map_err(|_| Errno::EINVAL)?;
    if !rest.is_empty() || size > MAX_SIZE {
        return Err(Errno::EINVAL);
    }
    SIZE.store(size, Relaxed);
    Ok(())
}

/// Fills what is watched with zeros: Linux's function of the same name. The first page is the BIOS', and what the boot loader has left is not touched.
#[init]
#[stage(after(crate::arch::x86::setup::setup_arch), before(smpboot::get_smp_config))]
fn setup_bios_corruption_check() {
    if !ENABLED.load(Relaxed) {
        return;
    }
    let page = PAGE_SIZE as u64;
    let limit = SIZE.load(Relaxed).next_multiple_of(page);
    let efi = boot_params().efi_info();
    let efi_map = efi.memmap_phys()..efi.memmap_phys().saturating_add(efi.memmap_size.into());
    let mut areas = AREAS.lock();
    e820::with_table(|table| {
        for entry in table.entries().iter().filter(|entry| entry.kind == E820Type::RAM) {
            let start = entry.addr.max(page).next_multiple_of(page);
            let end = entry.addr.saturating_add(entry.size).min(limit) / page * page;
            let is_free = efi_map.end <= start || end <= efi_map.start;
            if start < end && is_free && areas.try_push((start, (end - start) as usize / 8)).is_err() {
                break;
            }
        }
    });
    for &(start, words) in areas.iter() {
        words_at(start, words).fill(0);
    }
    pr_info!("Scanning {} areas for low memory corruption", areas.len());
}

/// The words of a piece of low memory.
fn words_at(phys: u64, count: usize) -> &'static mut [u64] {
    // SAFETY: RAM below 1 MiB, which is mapped and reserved; the caller holds the lock of the areas, and nobody else of the kernel's uses them.
    unsafe { core::slice::from_raw_parts_mut(phys_to_virt(phys).cast(), count) }
}

/// Reports each word that is not 0, and makes it 0 again. Returns how many there were.
fn scan(phys: u64, words: &mut [u64]) -> usize {
    let mut found = 0;
    for (index, word) in words.iter_mut().enumerate().filter(|(_, word)| **word != 0) {
        let address = core::ptr::from_ref(word);
        pr_err!(
            "Corrupted low memory at {address:p} ({:x} phys) = {word:016x}",
            phys + index as u64 * 8
        );
        *word = 0;
        found += 1;
    }
    found
}

/// Looks at what is watched. Returns how many words somebody has written: Linux's function of the same name warns of them.
fn check_for_bios_corruption() -> usize {
    AREAS.lock().iter().map(|&(phys, count)| scan(phys, words_at(phys, count))).sum()
}

/// Looks once, when the drivers have run: Linux begins to look every minute here.
///
/// # Errors
///
/// None.
#[initcall(late)]
#[init]
fn start_periodic_check_for_corruption() -> Result<(), Errno> {
    if check_for_bios_corruption() != 0 {
        warn!("Memory corruption detected in low memory");
    }
    Ok(())
}

#[ktest]
fn a_word_that_was_written_is_found_once() {
    let mut words = [0, 0, 0x5a5a, 0];
    assert_eq!(scan(0x1000, &mut words), 1);
    assert_eq!((words, scan(0x1000, &mut words)), ([0; 4], 0));
    let area = AREAS.lock().first().copied();
    if let Some((phys, count)) = area {
        words_at(phys, count)[count / 2] = 1;
        assert_eq!((check_for_bios_corruption(), check_for_bios_corruption()), (1, 0));
    }
}

//! The page in which other CPUs begin, in real mode: `trampoline.S`, copied to below 1 MiB, and the page tables with which it reaches the kernel.
//!
//! The pages are chosen before memory is handed out and stay reserved. Their content is put in anew for each bring-up, so that nothing has to trust what became of it.

use core::arch::global_asm;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit_lib::e820::E820Type;

use super::secondary::secondary_startup_64;
use crate::arch::x86::cpu::boot_cpu;
use crate::arch::x86::mm::init::init_pgd;
use crate::arch::x86::mm::pgtable::{Entry, Flags, Level, PTRS_PER_TABLE, Table};
use crate::arch::x86::msr::{IA32_EFER, rdmsr, rdmsr_safe};
use crate::arch::x86::setup::e820;
use crate::mm::{PAGE_SIZE, START_KERNEL_MAP, memblock, phys_to_virt};
use crate::prelude::*;

/// Where in the page begins what it is told: behind the jump over it.
const TOLD: usize = 8;
/// The page of code, and those of the four page tables with which it maps itself.
const PAGES: u64 = 5;
/// The lowest page that is chosen: firmware has tables below.
const LOWEST: u64 = 0x1_0000;
/// The end of what may be chosen: behind it the BIOS keeps data of its own, whether or not its map says so.
const HIGHEST: u64 = 0x9_f000;

const EFER_LMA: u64 = 1 << 10;
const IA32_MISC_ENABLE: u32 = 0x1a0;

/// The physical address of the pages; 0 if there are none.
static BASE: AtomicU64 = AtomicU64::new(0);

/// A pointer for a far jump.
#[repr(C, packed)]
struct Far {
    offset: u32,
    selector: u16,
}

/// What the copy is told.
#[repr(C)]
struct Told {
    /// Where to go in the end: [`secondary_startup_64`].
    entry: u64,
    /// What the boot CPU's register holds, but for what the processor sets by itself.
    efer: u64,
    gdt: [u64; 4],
    /// The physical address of the top page table.
    pgd: u32,
    /// Whether to take back that firmware hides the NX bit.
    uncover_nx: u32,
    gdt_limit: u16,
    gdt_base: [u16; 2],
    far_32: Far,
    far_64: Far,
}

const GDT: [u64; 4] = [0, 0x00cf_9b00_0000_ffff, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff];
const CODE32: u16 = 8;
const CODE64: u16 = 2 * 8;

global_asm!(
    include_str!("trampoline.S"),
    "    .text",
    told = const TOLD,
    told_size = const size_of::<Told>(),
    entry = const offset_of!(Told, entry),
    efer = const offset_of!(Told, efer),
    pgd = const offset_of!(Told, pgd),
    uncover_nx = const offset_of!(Told, uncover_nx),
    gdt_pointer = const offset_of!(Told, gdt_limit),
    far_32 = const offset_of!(Told, far_32),
    far_64 = const offset_of!(Told, far_64),
    options(att_syntax),
);

unsafe extern "C" {
    static smp_trampoline: u8;
    static smp_trampoline_32: u8;
    static smp_trampoline_64: u8;
    static smp_trampoline_end: u8;
}

/// Chooses the pages: the highest ones below the BIOS' data that are RAM and nobody's. The caller reserves them, as all memory below 1 MiB.
#[init]
pub(in crate::arch::x86) fn choose() {
    let (page, size) = (PAGE_SIZE as u64, PAGES * PAGE_SIZE as u64);
    let is_free = |base: u64| {
        e820::with_table(|table| table.mapped_all(base, base + size, Some(E820Type::RAM)))
            && !memblock::reserved().any(|region| region.base < base + size && base < region.end())
    };
    let chosen = (LOWEST / page..=(HIGHEST - size) / page)
        .rev()
        .map(|number| number * page)
        .find(|&base| is_free(base));
    BASE.store(chosen.unwrap_or(0), Relaxed);
}

/// Puts the code and its tables into the pages, and says at which physical address CPUs begin; nothing if there was no memory.
pub(super) fn install() -> Option<u32> {
    let base = BASE.load(Relaxed);
    if base == 0 {
        return None;
    }
    let page = phys_to_virt(base);
    let begin = &raw const smp_trampoline;
    let offset = |symbol: *const u8| (symbol.addr() - begin.addr()) as u32;
    let length = offset(&raw const smp_trampoline_end) as usize;
    assert!(length <= PAGE_SIZE);
    let base32 = base as u32;
    let pgd = base32 + PAGE_SIZE as u32;
    let gdt_base = base32 + (TOLD + offset_of!(Told, gdt)) as u32;
    let told = Told {
        entry: secondary_startup_64 as *const () as u64,
        efer: rdmsr(IA32_EFER) & !EFER_LMA,
        gdt: GDT,
        pgd,
        uncover_nx: u32::from(boot_cpu().vendor.name == "Intel" && rdmsr_safe(IA32_MISC_ENABLE).is_ok()),
        gdt_limit: (size_of_val(&GDT) - 1) as u16,
        gdt_base: [gdt_base as u16, (gdt_base >> 16) as u16],
        far_32: Far {
            offset: base32 + offset(&raw const smp_trampoline_32),
            selector: CODE32,
        },
        far_64: Far {
            offset: base32 + offset(&raw const smp_trampoline_64),
            selector: CODE64,
        },
    };
    // SAFETY: the page is RAM that nobody else uses (`choose`), which the direct map has, and no CPU is beginning in it: bring-up is one at a time.
    unsafe {
        page.copy_from_nonoverlapping(begin, length);
        page.add(TOLD).cast::<Told>().write_unaligned(told);
    }
    map(base, u64::from(pgd));
    Some(base32)
}

/// Makes the tables from `pgd` on: the page of code, at `base`, is at its own address, and the image is where it is. Nothing of it is global: a CPU that goes over to the kernel's
/// tables forgets the page.
fn map(base: u64, pgd: u64) {
    let code = Flags::READ_EXECUTE & !Flags::GLOBAL;
    let levels = [Level::Pgd, Level::Pud, Level::Pmd, Level::Pte];
    for (level, phys) in levels.into_iter().zip((pgd..).step_by(PAGE_SIZE)) {
        // SAFETY: one of the pages that nobody else uses; any bytes are a table, which no CPU walks yet.
        let table = unsafe { Table::at(phys) };
        let own = match level {
            Level::Pte => Entry::new(base, code),
            _ => Entry::new(phys + PAGE_SIZE as u64, Flags::TABLE),
        };
        for index in 0..PTRS_PER_TABLE {
            let is_own = index == level.index(base as usize);
            // SAFETY: the table is that of CPUs that begin, which run in the page and in the image.
            unsafe { table.set(index, if is_own { own } else { Entry::NONE }) };
        }
    }
    let image = Level::Pgd.index(START_KERNEL_MAP);
    // SAFETY: the first is the table just made, the other the one that the boot CPU has used since `init_mem_mapping`; the entry is the same in both.
    unsafe { Table::at(pgd).set(image, Table::at(init_pgd()).get(image)) };
}

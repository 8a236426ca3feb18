//! Segments: the global descriptor table and the task-state segment of each CPU (SDM 3, 3.5 and 8.7).
//!
//! Both live in the per-CPU area. The table in the template serves the boot CPU until that CPU has an area of its own; the selectors are Linux's, so that
//! a dump reads the same.

use core::arch::asm;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

use x86::dtables::{DescriptorTablePointer, lgdt};

use crate::prelude::*;

/// Selector of 64-bit kernel code.
pub const KERNEL_CS: u16 = 2 * 8;
/// Selector of kernel data, and of the kernel's stack.
pub const KERNEL_DS: u16 = 3 * 8;
/// Selector of the task-state segment, whose descriptor takes two entries.
pub const TSS_SELECTOR: u16 = TSS_ENTRY as u16 * 8;

const GDT_ENTRIES: usize = 16;
const TSS_ENTRY: usize = 8;

/// Stacks for exceptions that must not run on the stack they interrupt, by their number in the task-state segment (1 to 7; 0 means none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ist {
    /// Run on the interrupted stack.
    None = 0,
    /// Double fault.
    DoubleFault = 1,
    /// Non-maskable interrupt.
    Nmi = 2,
    /// Debug exception.
    Debug = 3,
    /// Machine check.
    MachineCheck = 4,
}

impl Ist {
    /// The stacks there are, in the order of their numbers.
    pub const ALL: [Ist; 4] = [Ist::DoubleFault, Ist::Nmi, Ist::Debug, Ist::MachineCheck];

    /// What a backtrace calls the stack: Linux's `stack_type_name`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Ist::None => "",
            Ist::DoubleFault => "#DF",
            Ist::Nmi => "NMI",
            Ist::Debug => "#DB",
            Ist::MachineCheck => "#MC",
        }
    }
}

/// A CPU's global descriptor table, in a page of its own where there are several CPUs.
#[cfg_attr(CONFIG_SMP, repr(C, align(4096)))]
#[cfg_attr(not(CONFIG_SMP), repr(C, align(128)))]
pub struct GdtPage {
    entries: [AtomicU64; GDT_ENTRIES],
}

impl GdtPage {
    const fn new() -> Self {
        // Base 0, limit 4 GiB, present and accessed; the bits differ in privilege, code or data, and code size.
        const KERNEL32_CODE: u64 = 0x00cf_9b00_0000_ffff;
        const KERNEL_CODE: u64 = 0x00af_9b00_0000_ffff;
        const KERNEL_DATA: u64 = 0x00cf_9300_0000_ffff;
        const USER32_CODE: u64 = 0x00cf_fb00_0000_ffff;
        const USER_DATA: u64 = 0x00cf_f300_0000_ffff;
        const USER_CODE: u64 = 0x00af_fb00_0000_ffff;
        let mut entries = [const { AtomicU64::new(0) }; GDT_ENTRIES];
        entries[1] = AtomicU64::new(KERNEL32_CODE);
        entries[2] = AtomicU64::new(KERNEL_CODE);
        entries[3] = AtomicU64::new(KERNEL_DATA);
        entries[4] = AtomicU64::new(USER32_CODE);
        entries[5] = AtomicU64::new(USER_DATA);
        entries[6] = AtomicU64::new(USER_CODE);
        GdtPage { entries }
    }

    /// Writes the two-entry descriptor of an available 64-bit task-state segment at `base` (SDM 3, figure 8-4).
    fn set_tss(&self, base: u64, limit: u64) {
        const PRESENT_AVAILABLE_TSS: u64 = 0x89;
        let low = (limit & 0xffff)
            | (base & 0xff_ffff) << 16
            | PRESENT_AVAILABLE_TSS << 40
            | (limit >> 16 & 0xf) << 48
            | (base >> 24 & 0xff) << 56;
        self.entries[TSS_ENTRY].store(low, Relaxed);
        self.entries[TSS_ENTRY + 1].store(base >> 32, Relaxed);
    }
}

/// A 64-bit task-state segment (SDM 3, figure 8-11). Each address is two words because the manual's layout puts them at multiples of four.
///
/// The processor must not find it across two pages (SDM 3, 8.2.1).
#[cfg_attr(CONFIG_SMP, repr(C, align(4096)))]
#[cfg_attr(not(CONFIG_SMP), repr(C, align(128)))]
pub struct Tss {
    reserved_0: AtomicU32,
    rsp: [[AtomicU32; 2]; 3],
    reserved_1: [AtomicU32; 2],
    ist: [[AtomicU32; 2]; 7],
    reserved_2: [AtomicU32; 2],
    reserved_3: AtomicU16,
    io_bitmap: AtomicU16,
}

/// Size of the segment without an input/output permission bitmap.
const TSS_SIZE: u16 = 104;

const _: () = assert!(offset_of!(Tss, ist) == 36 && offset_of!(Tss, io_bitmap) == 102);

const fn no_address() -> [AtomicU32; 2] {
    [AtomicU32::new(0), AtomicU32::new(0)]
}

impl Tss {
    const fn new() -> Self {
        Tss {
            reserved_0: AtomicU32::new(0),
            rsp: [const { no_address() }; 3],
            reserved_1: no_address(),
            ist: [const { no_address() }; 7],
            reserved_2: no_address(),
            reserved_3: AtomicU16::new(0),
            // At the limit: no bitmap, so user code may use no port.
            io_bitmap: AtomicU16::new(TSS_SIZE),
        }
    }

    /// Sets the address at which stack `ist` starts, downwards.
    pub fn set_ist(&self, ist: Ist, top: u64) {
        let Some(slot) = (ist as usize).checked_sub(1).and_then(|index| self.ist.get(index)) else {
            return;
        };
        slot[0].store(top as u32, Relaxed);
        slot[1].store((top >> 32) as u32, Relaxed);
    }

    /// The address at which stack `ist` starts, 0 if it has none.
    #[must_use]
    pub fn ist(&self, ist: Ist) -> u64 {
        let slot = (ist as usize).checked_sub(1).and_then(|index| self.ist.get(index));
        slot.map_or(0, |slot| u64::from(slot[0].load(Relaxed)) | u64::from(slot[1].load(Relaxed)) << 32)
    }
}

/// Each CPU's descriptor table.
#[cfg_attr(CONFIG_SMP, percpu(page_aligned))]
#[cfg_attr(not(CONFIG_SMP), percpu)]
pub static GDT_PAGE: GdtPage = GdtPage::new();

/// Each CPU's task-state segment.
#[cfg_attr(CONFIG_SMP, percpu(page_aligned))]
#[cfg_attr(not(CONFIG_SMP), percpu)]
pub static CPU_TSS: Tss = Tss::new();

/// Makes this CPU use the descriptor table of its per-CPU area, with the kernel's segments in every segment register but FS and GS: loading these two would
/// clear the bases they stand for.
///
/// # Safety
///
/// The per-CPU area must stay where it is for as long as the CPU uses the table.
pub unsafe fn load_direct_gdt() {
    let pointer = DescriptorTablePointer {
        base: GDT_PAGE.this_cpu_ptr().cast::<u64>(),
        limit: (GDT_ENTRIES * 8 - 1) as u16,
    };
    // SAFETY: the table is complete and, as the caller vouches, stays; its entry for kernel code is the segment that runs now in all but the selector.
    unsafe {
        lgdt(&pointer);
        asm!(
            "push {cs}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            "mov ds, {ds:e}",
            "mov es, {ds:e}",
            "mov ss, {ds:e}",
            cs = const KERNEL_CS,
            ds = in(reg) u32::from(KERNEL_DS),
            scratch = out(reg) _,
            options(preserves_flags),
        );
    }
}

/// Describes this CPU's task-state segment in its descriptor table and makes the CPU use it.
///
/// # Safety
///
/// The table must be the CPU's ([`load_direct_gdt`]), and the stacks set in the segment must be mapped and used for nothing else. A CPU does this once: the
/// descriptor is busy afterwards and loading it again faults.
pub unsafe fn load_tr() {
    GDT_PAGE.with_this_cpu(|gdt| gdt.set_tss(CPU_TSS.this_cpu_ptr().addr() as u64, u64::from(TSS_SIZE) - 1));
    // SAFETY: the descriptor has just been written, into the table that the CPU uses.
    unsafe { x86::task::load_tr(x86::segmentation::SegmentSelector::from_raw(TSS_SELECTOR)) };
}

/// Moves the boot CPU from the template's descriptor table to that of its own per-CPU area: Linux's stage of the same name.
#[stage(after(crate::percpu::setup_per_cpu_areas))]
#[init]
pub fn smp_prepare_boot_cpu() {
    // SAFETY: the per-CPU area is never freed.
    unsafe { load_direct_gdt() };
}

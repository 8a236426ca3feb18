//! The machine code that runs before Rust can, one file per way in, and the set-up code that a bzImage starts with.
//!
//! | file | what it does |
//! | --- | --- |
//! | `head/image.S` | the first 0x200 bytes of the image, whose offsets others know |
//! | `head/linux.S`, `head/pvh.S`, `head/multiboot2.S` | the ways in; each ends in `protected_mode` with the way and its argument in registers |
//! | `head/verify.S`, `head/console.S` | refuses an image or a CPU that cannot do, in one line on screen and serial port |
//! | `head/long_mode.S`, `head/tables.S` | page tables, long mode, stack, [`enter`](crate::enter) |
//! | `head/small.S` | clears memory and builds the page tables where the file is to be small |
//! | `setup/*.S` | 16-bit code: asks the BIOS, then takes the 32-bit way in |
//!
//! `.head.text` is linked at its virtual address and runs at its physical one, so it says `symbol - KERNEL_MAP` wherever an address is
//! meant for the CPU. All of it is one block because `startup_32` must be the first byte of the section, and pieces that the compiler
//! puts into several objects have no order.

use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use incipit::arch::x86::mm::fixmap::LEVEL2_FIXMAP_PGT;
use incipit::mm::sections::INIT_STACK_SIZE;
#[cfg(CONFIG_MULTIBOOT2)]
use incipit_lib::bootparam::multiboot2::BOOTLOADER_MAGIC;
use incipit_lib::efi::STUB_MARK;

use crate::WayIn;

/// What the set-up code leaves in ebp, which every other loader has to clear: "BI16".
const SETUP16_MARK: u32 = 0x3631_4942;

/// Largest `setup_data` type that this kernel knows, for `kernel_info`: Linux's `SETUP_RNG_SEED | SETUP_INDIRECT`.
const SETUP_TYPE_MAX: u32 = 9 | 1 << 31;

/// What [`entered`] tells.
static ENTERED: AtomicU64 = AtomicU64::new(0);

/// The time-stamp counter when the head had made sure of the CPU, some fifty instructions behind the kernel's first: where the boot's time begins.
pub fn entered() -> u64 {
    ENTERED.load(Relaxed)
}

global_asm!(
    include_str!("head/image.S"),
    include_str!("head/console.S"),
    include_str!("head/linux.S"),
    #[cfg(CONFIG_PVH)]
    include_str!("head/pvh.S"),
    #[cfg(CONFIG_MULTIBOOT2)]
    include_str!("head/multiboot2.S"),
    include_str!("head/verify.S"),
    include_str!("head/long_mode.S"),
    include_str!("head/tables.S"),
    include_str!("head/small.S"),
    include_str!("setup/header.S"),
    concat!("kernel_version:\n    .asciz \"", env!("CARGO_PKG_VERSION"), "\"\n"),
    include_str!("setup/main.S"),
    include_str!("setup/memory.S"),
    include_str!("setup/screen.S"),
    include_str!("setup/vesa.S"),
    include_str!("setup/edd.S"),
    include_str!("setup/a20.S"),
    include_str!("setup/protected_mode.S"),
    "    .text",
    "    .code64",
    setup_type_max = const SETUP_TYPE_MAX,
    SETUP16_MARK = const SETUP16_MARK,
    BZIMAGE_TRIM = const cfg!(CONFIG_BZIMAGE_TRIM) as u32,
    INIT_STACK_SIZE = const INIT_STACK_SIZE,
    #[cfg(CONFIG_MULTIBOOT2)]
    MULTIBOOT2_MAGIC = const BOOTLOADER_MAGIC,
    #[cfg(CONFIG_PVH)]
    pvh = const WayIn::Pvh as u32,
    linux_32 = const WayIn::Linux32 as u32,
    linux_64 = const WayIn::Linux64 as u32,
    bzimage_16 = const WayIn::Bzimage16 as u32,
    #[cfg(CONFIG_MULTIBOOT2)]
    multiboot2 = const WayIn::Multiboot2 as u32,
    efi_stub = const WayIn::EfiStub as u32,
    STUB_MARK = const STUB_MARK,
    enter = sym crate::enter,
    entered = sym ENTERED,
    level2_fixmap_pgt = sym LEVEL2_FIXMAP_PGT,
    options(att_syntax),
);

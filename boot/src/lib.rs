//! The ways into the kernel. However the machine was started, what comes out is the Linux boot protocol's `boot_params` and one call of
//! [`start_kernel`].
//!
//! | way in | started by | argument |
//! | --- | --- | --- |
//! | [`WayIn::Pvh`] | the PVH note of the ELF image: QEMU `-kernel vmlinux`, Xen, Firecracker, Cloud Hypervisor | `hvm_start_info` |
//! | [`WayIn::Multiboot2`] | the Multiboot2 header of the ELF image: GRUB `multiboot2` | the information's tags |
//! | [`WayIn::Linux32`] | the 32-bit boot protocol: GRUB `linux`, kexec | `boot_params` |
//! | [`WayIn::Linux64`] | the 64-bit boot protocol: kexec, virtual machine monitors | `boot_params` |
//! | [`WayIn::EfiStub`] | the EFI stub of the bzImage, an EFI application, by the 64-bit protocol | `boot_params` |
//! | [`WayIn::Bzimage16`] | the 16-bit boot protocol: QEMU `-kernel bzImage`, GRUB `linux16`, Syslinux | the BIOS |
//!
//! This room knows loaders and nothing of the machine beyond them. It reads physical memory through the early direct map, believes no
//! pointer that leads outside of it, and starts the kernel whatever a loader got wrong: a kernel without a memory map can at least say so.

#![no_std]

mod efi;
mod head;
mod linux;
mod multiboot2;
mod physical;
mod pvh;

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use incipit::arch::x86::setup::boot_params;
use incipit::init::start_kernel;
use incipit::prelude::*;
use incipit_lib::bootparam::{BootParams, E820Extension};
use spin::{Mutex, MutexGuard};

pub use head::entered;

/// How the machine came to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum WayIn {
    /// 32-bit protected mode with Xen's `hvm_start_info`.
    Pvh = 0,
    /// 32-bit protected mode with `boot_params`.
    Linux32 = 1,
    /// Long mode with `boot_params`.
    Linux64 = 2,
    /// Real mode; the set-up code of our own bzImage made the `boot_params`.
    Bzimage16 = 3,
    /// 32-bit protected mode with Multiboot2's information.
    Multiboot2 = 4,
    /// Long mode with `boot_params` that the EFI stub of our own bzImage made.
    EfiStub = 5,
}

impl WayIn {
    const ALL: [Self; 6] = [
        Self::Pvh,
        Self::Linux32,
        Self::Linux64,
        Self::Bzimage16,
        Self::Multiboot2,
        Self::EfiStub,
    ];
}

impl fmt::Display for WayIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pvh => "PVH",
            Self::Linux32 => "the 32-bit Linux boot protocol",
            Self::Linux64 => "the 64-bit Linux boot protocol",
            Self::Bzimage16 => "the 16-bit Linux boot protocol",
            Self::Multiboot2 => "multiboot2",
            Self::EfiStub => "the EFI stub",
        })
    }
}

/// The numbers of [`WayIn`] as the head uses them.
static WAY_IN: AtomicU32 = AtomicU32::new(WayIn::Pvh as u32);

/// What the kernel gets. It stays where it is for good: the kernel is told its physical address.
static BOOT_PARAMS: Mutex<BootParams> = Mutex::new(BootParams::zeroed());

/// What of the memory map [`BOOT_PARAMS`] has no room for. It stays where it is, too.
static E820_EXTENSION: Mutex<E820Extension> = Mutex::new(E820Extension::new());

/// How this boot began.
pub fn way_in() -> WayIn {
    WayIn::ALL[WAY_IN.load(Ordering::Relaxed) as usize]
}

/// The first Rust function, which the head calls once: long mode, interrupts off, the first 4 GiB in the direct map.
extern "C" fn enter(way: WayIn, argument: u64) -> ! {
    WAY_IN.store(way as u32, Ordering::Relaxed);
    let params = MutexGuard::leak(BOOT_PARAMS.lock());
    let extension = MutexGuard::leak(E820_EXTENSION.lock());
    match way {
        WayIn::Pvh if cfg!(CONFIG_PVH) => pvh::fill(argument, params, extension),
        WayIn::Multiboot2 if cfg!(CONFIG_MULTIBOOT2) => multiboot2::fill(argument, params, extension),
        _ => linux::fill(argument, params),
    }
    efi::complete(params);
    start_kernel(incipit::mm::virt_to_phys(params.as_bytes().as_ptr()))
}

/// Where the kernel is to look for `extension`.
fn extension_phys(extension: &E820Extension) -> u64 {
    incipit::mm::virt_to_phys(extension.as_bytes().as_ptr())
}

/// Says how this boot began and which loader began it.
#[init]
#[initcall(pure)]
fn report_way_in() -> Result<(), Errno> {
    match multiboot2::loader() {
        Some(name) => pr_info!("boot: started through {} by {name}", way_in()),
        None => pr_info!("boot: started through {} by {}", way_in(), boot_params().loader()),
    }
    Ok(())
}

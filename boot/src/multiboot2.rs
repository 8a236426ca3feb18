//! Multiboot2: the boot loader made a list of tags, which says the same things in other words.

use incipit::prelude::*;
use incipit_lib::bootparam::{BootParams, E820Extension, multiboot2};
use incipit_lib::text::Lossy;
use spin::{Mutex, MutexGuard, Once};

use crate::{extension_phys, physical};

/// The boot loader's name for itself, in memory that stays.
static LOADER: Once<Name> = Once::new();

/// The ACPI root pointer, in memory that stays: the kernel is told its physical address.
static RSDP: Mutex<Rsdp> = Mutex::new(Rsdp([0; RSDP_SIZE]));

/// Size of the root pointer from ACPI 2.0 on.
const RSDP_SIZE: usize = 36;

/// A root pointer, aligned as the specification wants it.
#[repr(align(16))]
struct Rsdp([u8; RSDP_SIZE]);

/// A text of bounded length.
struct Name {
    bytes: [u8; 48],
    length: usize,
}

/// The boot loader's name for itself; `None` if it has none, or the kernel came another way.
pub fn loader() -> Option<Lossy<'static>> {
    LOADER.get().map(|name| Lossy(&name.bytes[..name.length]))
}

/// Fills `into` from the information at physical address `info`. What cannot be used is reported.
pub fn fill(info: u64, into: &mut BootParams, extension: &mut E820Extension) {
    let extension_phys = extension_phys(extension);
    let found = multiboot2::to_boot_params(info, physical::bytes, into, extension, extension_phys);
    if let Some(error) = found.error {
        pr_err!("{error}");
    }
    if found.boot_services {
        pr_warn!("multiboot2: the firmware's boot services still run, and are not asked to end");
    }
    if found.dropped > 0 {
        pr_warn!(
            "multiboot2: the last {} memory ranges are ignored: there is no room for so many",
            found.dropped
        );
    }
    if found.modules > 0 {
        pr_warn!(
            "multiboot2: only the first module is used, as the initrd; {} more are ignored",
            found.modules
        );
    }
    if let Some(name) = found.loader {
        keep_loader(name);
    }
    if let Some(rsdp) = found.rsdp {
        into.set_acpi_rsdp_addr(keep_rsdp(rsdp));
    }
}

fn keep_loader(name: &[u8]) {
    LOADER.call_once(|| {
        let mut kept = Name {
            bytes: [0; 48],
            length: name.len().min(48),
        };
        kept.bytes[..kept.length].copy_from_slice(&name[..kept.length]);
        kept
    });
}

/// Copies the root pointer to where it stays, and returns its physical address.
fn keep_rsdp(rsdp: &[u8]) -> u64 {
    let kept = &mut MutexGuard::leak(RSDP.lock()).0;
    let length = rsdp.len().min(kept.len());
    kept[..length].copy_from_slice(&rsdp[..length]);
    incipit::mm::virt_to_phys(kept.as_ptr())
}

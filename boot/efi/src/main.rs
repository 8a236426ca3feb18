//! The EFI application that a bzImage is: it takes from the firmware what the kernel wants to know, ends the boot services, and starts the kernel through the
//! 64-bit way in.
//!
//! It is linked on its own, at no fixed address, and the bzImage builder puts it behind the kernel: the firmware loads the whole file and starts [`efi_main`].
//! What it makes is what any loader of the Linux boot protocol makes, a `boot_params` page; everything about its content that needs no firmware is in
//! `incipit_lib::efi`. This room calls the firmware, and knows nothing of the kernel beyond the head of its image. It keeps nothing for later and frees nothing:
//! either the kernel takes all memory over, or the firmware does when the application ends.

#![no_std]
#![no_main]

mod exit;
mod failure;
mod firmware;
mod image;
mod initrd;
mod screen;
mod tables;

use core::convert::Infallible;
use core::panic::PanicInfo;
use core::slice;

use incipit_lib::bootparam::{BootParams, E820Extension, SetupHeader};
use incipit_lib::efi::load_options;
use uefi_raw::protocol::loaded_image::LoadedImageProtocol;
use uefi_raw::table::boot::MemoryType;
use uefi_raw::table::system::SystemTable;
use uefi_raw::{Handle, Status};

use failure::Failure;
use firmware::{BELOW_4G, Firmware};
use image::Kernel;

/// `type_of_loader` of Linux's own EFI stub.
const EFI_STUB: u8 = 0x21;

/// Where the firmware starts the application.
///
/// # Safety
///
/// The firmware calls it, with this image's handle and its system table.
#[unsafe(no_mangle)]
unsafe extern "efiapi" fn efi_main(image: Handle, system_table: *mut SystemTable) -> Status {
    // SAFETY: the firmware's table is valid until the boot services end.
    let firmware = unsafe { Firmware::new(image, system_table) };
    let Err(failure) = start(&firmware);
    firmware.say(format_args!("Incipit cannot be started: {failure}\n"));
    failure.status()
}

/// Collects what the kernel is to be told, and starts it. Everything that can fail happens before the boot services end.
fn start(firmware: &Firmware) -> Result<Infallible, Failure> {
    let loaded: &LoadedImageProtocol = firmware.protocol(firmware.image(), "tell what it started")?;
    let kernel = Kernel::find(loaded)?;
    kernel.place(firmware)?;
    // The page and its extension are a page each; the kernel looks for both below 4 GiB.
    let params = firmware.allocate(
        size_of::<BootParams>() + size_of::<E820Extension>(),
        BELOW_4G,
        MemoryType::LOADER_DATA,
    )?;
    let (params, extension) = params.split_at_mut(size_of::<BootParams>());
    // SAFETY: both are arrays of bytes, of which any is valid, within the memory that was allocated for them alone.
    let (params, extension) = unsafe {
        (
            &mut *params.as_mut_ptr().cast::<BootParams>(),
            &mut *extension.as_mut_ptr().cast::<E820Extension>(),
        )
    };
    *params = BootParams::zeroed();
    *extension = E820Extension::new();
    params.set_hdr(SetupHeader {
        type_of_loader: EFI_STUB,
        ..kernel.header()
    });

    let line = command_line(firmware, loaded)?;
    params.set_cmd_line_ptr(line.as_ptr() as u64);
    if let Some(initrd) = initrd::load(firmware, loaded, line)? {
        params.set_ramdisk(initrd.as_ptr() as u64, initrd.len() as u64);
    }
    if let Some(screen) = screen::find(firmware) {
        params.set_screen_info(screen);
    }
    params.set_acpi_rsdp_addr(tables::rsdp(firmware));
    params.set_secure_boot(tables::secure_boot(firmware));
    exit::end_boot_services(firmware, params, extension)?;
    kernel.enter(params)
}

/// The load options as the kernel's command line, with a NUL behind what is returned.
fn command_line(firmware: &Firmware, loaded: &LoadedImageProtocol) -> Result<&'static [u8], Failure> {
    let units = if loaded.load_options.is_null() {
        0
    } else {
        loaded.load_options_size as usize / 2
    };
    // No UTF-16 unit makes more than three bytes of UTF-8.
    let line = firmware.allocate(units * 3 + 1, BELOW_4G, MemoryType::LOADER_DATA)?;
    let options = loaded.load_options.cast::<[u8; 2]>();
    // SAFETY: the firmware's buffer has that many bytes, which is why units may be read; they need not be aligned.
    let options = (0..units).map(|at| u16::from_le_bytes(unsafe { options.add(at).read() }));
    let (length, _) = load_options::to_command_line(options, line);
    Ok(&line[..length])
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    firmware::last_words(info);
    loop {
        core::hint::spin_loop();
    }
}

/// The `len` bytes from physical address `phys` on.
///
/// # Safety
///
/// The firmware must have said that they are there, and nobody may write to them.
unsafe fn bytes_at(phys: u64, len: usize) -> &'static [u8] {
    // SAFETY: firmware maps all memory at its physical address; the rest is the caller's promise.
    unsafe { slice::from_raw_parts(phys as *const u8, len) }
}

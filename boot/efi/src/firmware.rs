//! The firmware: its boot services, as few of them as are needed, in Rust's terms.

use core::ffi::c_void;
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use uefi_raw::protocol::console::{GraphicsOutputProtocol, SimpleTextOutputProtocol};
use uefi_raw::protocol::file_system::SimpleFileSystemProtocol;
use uefi_raw::protocol::loaded_image::LoadedImageProtocol;
use uefi_raw::protocol::media::LoadFile2Protocol;
use uefi_raw::table::boot::{AllocateType, BootServices, MemoryType};
use uefi_raw::table::runtime::RuntimeServices;
use uefi_raw::table::system::SystemTable;
use uefi_raw::{Guid, Handle, Status};

use crate::failure::Failure;

/// The highest address of what the kernel's first page tables map.
pub const BELOW_4G: u64 = u32::MAX as u64;

/// Size of the pages that the firmware deals in.
pub const PAGE: usize = 4096;

/// Where a panic writes; null when the boot services have ended.
static CONSOLE: AtomicPtr<SimpleTextOutputProtocol> = AtomicPtr::new(ptr::null_mut());

/// An interface that a handle may have.
pub trait Protocol {
    /// What it goes by.
    const GUID: Guid;
}

macro_rules! protocols {
    ($($name:ident)*) => { $(impl Protocol for $name { const GUID: Guid = $name::GUID; })* };
}

protocols!(GraphicsOutputProtocol LoadedImageProtocol LoadFile2Protocol SimpleFileSystemProtocol);

/// The firmware that started this application. There is one as long as its boot services run.
pub struct Firmware {
    image: Handle,
    system_table: &'static SystemTable,
}

impl Firmware {
    /// The firmware behind `system_table`.
    ///
    /// # Safety
    ///
    /// The table must be the one that the firmware gave the image with handle `image`.
    pub unsafe fn new(image: Handle, system_table: *const SystemTable) -> Self {
        // SAFETY: valid as long as the boot services run, which is as long as the application.
        let system_table = unsafe { &*system_table };
        CONSOLE.store(system_table.stdout, Relaxed);
        Self { image, system_table }
    }

    /// This application's handle.
    pub fn image(&self) -> Handle {
        self.image
    }

    /// The table of all services and tables.
    pub fn system_table(&self) -> &'static SystemTable {
        self.system_table
    }

    /// The services that end when the kernel starts.
    pub fn boot_services(&self) -> &'static BootServices {
        // SAFETY: part of a valid system table.
        unsafe { &*self.system_table.boot_services }
    }

    /// The services that stay.
    pub fn runtime_services(&self) -> &'static RuntimeServices {
        // SAFETY: part of a valid system table.
        unsafe { &*self.system_table.runtime_services }
    }

    /// Writes to the firmware's console.
    pub fn say(&self, text: fmt::Arguments<'_>) {
        // The console reports no error that anybody could act on.
        let _ = Console(self.system_table.stdout).write_fmt(text);
    }

    /// `size` bytes of zeroed memory in whole pages, none of them above `highest`.
    pub fn allocate(&self, size: usize, highest: u64, kind: MemoryType) -> Result<&'static mut [u8], Failure> {
        let phys = self.allocate_pages(AllocateType::MAX_ADDRESS, highest, size, kind)?;
        // SAFETY: the pages are ours from now on, and mapped at their physical address.
        let memory = unsafe { slice::from_raw_parts_mut(phys as *mut u8, size) };
        memory.fill(0);
        Ok(memory)
    }

    /// Takes the pages from `phys` on.
    pub fn allocate_at(&self, phys: u64, size: usize, kind: MemoryType) -> Result<(), Failure> {
        self.allocate_pages(AllocateType::ADDRESS, phys, size, kind).map(drop)
    }

    fn allocate_pages(&self, how: AllocateType, address: u64, size: usize, kind: MemoryType) -> Result<u64, Failure> {
        let mut phys = address;
        // SAFETY: the service writes the address only.
        let status = unsafe { (self.boot_services().allocate_pages)(how, kind, size.div_ceil(PAGE), &raw mut phys) };
        check(status, "allocate memory")?;
        Ok(phys)
    }

    /// The interface `P` of `handle`; without it the firmware cannot do what is `asked` of it.
    pub fn protocol<P: Protocol>(&self, handle: Handle, asked: &'static str) -> Result<&'static P, Failure> {
        let mut interface = ptr::null_mut::<c_void>();
        // SAFETY: the service writes the pointer only.
        let status = unsafe { (self.boot_services().handle_protocol)(handle, &P::GUID, &raw mut interface) };
        check(status, asked)?;
        // SAFETY: the interface that goes by this GUID; it stays while nobody removes its driver, which nobody does.
        Ok(unsafe { &*interface.cast() })
    }

    /// The first interface `P` that any handle has.
    pub fn any<P: Protocol>(&self) -> Option<&'static P> {
        let mut interface = ptr::null_mut::<c_void>();
        // SAFETY: the service writes the pointer only.
        let status = unsafe { (self.boot_services().locate_protocol)(&P::GUID, ptr::null(), &raw mut interface) };
        // SAFETY: as in `protocol`.
        (status == Status::SUCCESS).then(|| unsafe { &*interface.cast() })
    }
}

/// Tells an error by what was `asked` for.
pub fn check(status: Status, asked: &'static str) -> Result<(), Failure> {
    if status.is_error() {
        return Err(Failure::Firmware { asked, status });
    }
    Ok(())
}

/// From now on there is no console.
pub fn forget_console() {
    CONSOLE.store(ptr::null_mut(), Relaxed);
}

/// Says why the application cannot go on, if there is a console.
pub fn last_words(info: &PanicInfo<'_>) {
    // Nothing can be done about a console that fails.
    let _ = writeln!(Console(CONSOLE.load(Relaxed)), "Incipit cannot be started: {}", info.message());
}

/// Text for the firmware's console, character by character.
struct Console(*mut SimpleTextOutputProtocol);

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.is_null() {
            return Ok(());
        }
        for character in text.chars() {
            let mut units = [0; 4];
            if character == '\n' {
                units[..2].copy_from_slice(&[u16::from(b'\r'), u16::from(b'\n')]);
            } else {
                character.encode_utf16(&mut units[..2]);
            }
            // SAFETY: the console is there as long as the boot services are, and the text ends in a NUL.
            let _ = unsafe { ((*self.0).output_string)(self.0, units.as_ptr()) };
        }
        Ok(())
    }
}

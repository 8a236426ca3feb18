//! The kernel in the bzImage that this application is the end of: found, brought to its place, entered.

use core::arch::asm;

use incipit_lib::bootparam::{BootParams, SetupHeader};
use incipit_lib::efi::STUB_MARK;
use incipit_lib::wire::Wire;
use uefi_raw::protocol::loaded_image::LoadedImageProtocol;
use uefi_raw::table::boot::MemoryType;

use crate::bytes_at;
use crate::exit;
use crate::failure::Failure;
use crate::firmware::Firmware;

/// Where the kernel is linked to run.
const LOAD_ADDRESS: u64 = 0x10_0000;

/// Of the 64-bit way in, from the load address on.
const ENTRY_64: u64 = 0x200;

/// Of the setup header in the file.
const HEADER: usize = 0x1f1;
const SECTOR: usize = 512;

/// In the kernel: where the address of its last bytes is, and how many these are.
const TRAILER_FIELD: usize = 0x08;
const TRAILER: &[u8] = b"Incipit complete";

/// The kernel as the firmware loaded it with the rest of the file.
pub struct Kernel {
    header: SetupHeader,
    bytes: &'static [u8],
}

impl Kernel {
    /// Finds the kernel in the file that was `loaded`.
    pub fn find(loaded: &LoadedImageProtocol) -> Result<Self, Failure> {
        // SAFETY: the firmware loaded the file there, and nobody writes to the part of it that is looked at.
        let file = unsafe { bytes_at(loaded.image_base as u64, loaded.image_size as usize) };
        Self::find_in(file).ok_or(Failure::NoKernel)
    }

    fn find_in(file: &'static [u8]) -> Option<Self> {
        let header = SetupHeader::read(file.get(HEADER..)?).filter(SetupHeader::is_valid)?;
        let rest = file.get((usize::from(header.setup_sects) + 1) * SECTOR..)?;
        let trailer = u64::from(u32::read(rest.get(TRAILER_FIELD..)?)?).checked_sub(LOAD_ADDRESS)? as usize;
        let bytes = rest.get(..trailer.checked_add(TRAILER.len())?)?;
        bytes.ends_with(TRAILER).then_some(Self { header, bytes })
    }

    /// The header as the builder made it, without what a loader of another kind may have written into it.
    pub fn header(&self) -> SetupHeader {
        SetupHeader {
            ramdisk_image: 0,
            ramdisk_size: 0,
            cmd_line_ptr: 0,
            setup_data: 0,
            ext_loader_ver: 0,
            ext_loader_type: 0,
            vid_mode: 0xffff,
            ..self.header
        }
    }

    /// Takes the kernel's place from the firmware and brings the kernel there.
    pub fn place(&self, firmware: &Firmware) -> Result<(), Failure> {
        let size = self.bytes.len();
        // Code, because firmware may map data without the right to be executed.
        if firmware.allocate_at(LOAD_ADDRESS, size, MemoryType::LOADER_CODE).is_err() {
            let wanted = (LOAD_ADDRESS, LOAD_ADDRESS + size as u64);
            return Err(Failure::PlaceTaken {
                wanted,
                by: exit::occupant(firmware, wanted)?,
            });
        }
        // SAFETY: the pages are ours, and no part of the file lies in what the firmware just gave away.
        unsafe { core::ptr::copy_nonoverlapping(self.bytes.as_ptr(), LOAD_ADDRESS as *mut u8, self.bytes.len()) };
        Ok(())
    }

    /// Starts the kernel, by the 64-bit way in of the boot protocol. The boot services have ended.
    pub fn enter(&self, params: &BootParams) -> ! {
        // SAFETY: the kernel is in its place; it takes the machine over and never comes back. The protocol leaves rbp to us.
        unsafe {
            asm!(
                "cli",
                "mov rbp, {mark}",
                "jmp {entry}",
                mark = in(reg) STUB_MARK,
                entry = in(reg) LOAD_ADDRESS + ENTRY_64,
                in("rsi") params,
                options(noreturn),
            )
        }
    }
}

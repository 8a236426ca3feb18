//! The initial RAM disk: from who gives it away by its name for Linux, or from the files that the command line names.

use core::ffi::c_void;
use core::ptr;

use incipit_lib::efi::load_options::initrd_files;
use uefi_raw::protocol::device_path::DevicePathProtocol;
use uefi_raw::protocol::file_system::{FileAttribute, FileMode, FileProtocolV1, SimpleFileSystemProtocol};
use uefi_raw::protocol::loaded_image::LoadedImageProtocol;
use uefi_raw::protocol::media::LoadFile2Protocol;
use uefi_raw::table::boot::MemoryType;
use uefi_raw::{Boolean, Status};

use crate::failure::Failure;
use crate::firmware::{Firmware, check};

/// The highest address of a RAM disk: the setup header's `initrd_addr_max`.
const HIGHEST: u64 = 0x7fff_ffff;

/// Files of a RAM disk begin at multiples of this, as cpio wants it.
const ALIGN: usize = 4;

/// The device path of Linux's RAM disk: a vendor's medium with `LINUX_EFI_INITRD_MEDIA_GUID`, and its end.
#[repr(C, align(8))]
struct InitrdPath([u8; 24]);

static INITRD_PATH: InitrdPath = InitrdPath([
    4, 3, 20, 0, 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68, 0x7f, 0xff, 4, 0,
]);

/// The RAM disk, if there is one.
pub fn load(firmware: &Firmware, loaded: &LoadedImageProtocol, line: &[u8]) -> Result<Option<&'static [u8]>, Failure> {
    match from_device(firmware)? {
        Some(initrd) => Ok(Some(initrd)),
        None => from_files(firmware, loaded, line),
    }
}

/// Asks the device that has Linux's RAM disk, if there is one.
fn from_device(firmware: &Firmware) -> Result<Option<&'static [u8]>, Failure> {
    let mut path = (&raw const INITRD_PATH).cast::<DevicePathProtocol>();
    let mut handle = ptr::null_mut();
    // SAFETY: the path is whole; the service moves our pointer to it on to its end.
    let status = unsafe { (firmware.boot_services().locate_device_path)(&LoadFile2Protocol::GUID, &raw mut path, &raw mut handle) };
    if status.is_error() {
        return Ok(None);
    }
    let device = ptr::from_ref(firmware.protocol::<LoadFile2Protocol>(handle, "load the initrd")?).cast_mut();
    let read = |size: &mut usize, buffer: *mut c_void| {
        // SAFETY: the buffer has as many bytes as `size` says, or is null, which makes the device say how many there are.
        unsafe { ((*device).load_file)(device, path, Boolean::FALSE, size, buffer) }
    };
    let mut size = 0;
    match read(&mut size, ptr::null_mut()) {
        Status::BUFFER_TOO_SMALL if size > 0 => {}
        Status::NOT_FOUND | Status::BUFFER_TOO_SMALL | Status::SUCCESS => return Ok(None),
        status => check(status, "tell the size of the initrd")?,
    }
    let initrd = firmware.allocate(size, HIGHEST, MemoryType::LOADER_DATA)?;
    check(read(&mut size, initrd.as_mut_ptr().cast()), "load the initrd")?;
    Ok(Some(initrd))
}

/// Reads the files that `line` names, from where the kernel was loaded.
fn from_files(firmware: &Firmware, loaded: &LoadedImageProtocol, line: &[u8]) -> Result<Option<&'static [u8]>, Failure> {
    if initrd_files(line).next().is_none() {
        return Ok(None);
    }
    let root = root(firmware.protocol(
        loaded.device_handle,
        "read where the kernel came from, for the file that initrd= names",
    )?)?;
    let mut size = 0_usize;
    for name in initrd_files(line) {
        size = size.next_multiple_of(ALIGN) + open(root, name)?.size()?;
    }
    let initrd = firmware.allocate(size, HIGHEST, MemoryType::LOADER_DATA)?;
    let mut filled = 0_usize;
    for name in initrd_files(line) {
        filled = filled.next_multiple_of(ALIGN);
        filled += open(root, name)?.read(&mut initrd[filled..])?;
    }
    Ok(Some(&initrd[..filled]))
}

fn root(volume: &SimpleFileSystemProtocol) -> Result<*mut FileProtocolV1, Failure> {
    let mut root = ptr::null_mut();
    // SAFETY: the service writes the pointer only.
    let status = unsafe { (volume.open_volume)(ptr::from_ref(volume).cast_mut(), &raw mut root) };
    check(status, "open the volume that the initrd is on")?;
    Ok(root)
}

/// A file, closed when it is dropped.
struct File(*mut FileProtocolV1);

/// Opens the file `name`, whose folders may be divided by either kind of slash.
fn open(root: *mut FileProtocolV1, name: &[u8]) -> Result<File, Failure> {
    let asked = "open the file that initrd= names";
    let mut units = [0_u16; 256];
    let text = core::str::from_utf8(name).map_err(|_| Failure::Firmware {
        asked,
        status: Status::INVALID_PARAMETER,
    })?;
    let slashes = |unit| if unit == u16::from(b'/') { u16::from(b'\\') } else { unit };
    for (at, unit) in text.encode_utf16().map(slashes).enumerate() {
        // The last one stays the NUL.
        let place = units[..255].get_mut(at).ok_or(Failure::Firmware {
            asked,
            status: Status::BUFFER_TOO_SMALL,
        })?;
        *place = unit;
    }
    let mut file = ptr::null_mut();
    // SAFETY: the name ends in a NUL, and the service writes the pointer only.
    let status = unsafe { ((*root).open)(root, &raw mut file, units.as_ptr(), FileMode::READ, FileAttribute::empty()) };
    check(status, asked)?;
    Ok(File(file))
}

impl File {
    /// Its size in bytes.
    fn size(&self) -> Result<usize, Failure> {
        let mut position = 0;
        // SAFETY: an open file; the position of all ones is its end.
        let status = unsafe {
            let status = ((*self.0).set_position)(self.0, u64::MAX);
            if status.is_error() {
                status
            } else {
                ((*self.0).get_position)(self.0, &raw mut position)
            }
        };
        check(status, "tell the size of the initrd")?;
        Ok(position as usize)
    }

    /// Reads into `buffer` until that is full or the file ends; returns how many bytes came.
    fn read(&self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut filled = 0;
        while filled < buffer.len() {
            // Some firmware fails on more at once.
            let mut count = (buffer.len() - filled).min(1 << 20);
            // SAFETY: an open file, and that many bytes of the buffer.
            let status = unsafe { ((*self.0).read)(self.0, &raw mut count, buffer[filled..].as_mut_ptr().cast()) };
            check(status, "read the initrd")?;
            if count == 0 {
                break;
            }
            filled += count;
        }
        Ok(filled)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: an open file, not used any more. Closing cannot fail.
        let _ = unsafe { ((*self.0).close)(self.0) };
    }
}

//! The end of the boot services: the last memory map is the kernel's first.

use incipit_lib::bootparam::{BootParams, E820Extension, EfiInfo, MemoryMapWriter};
use incipit_lib::efi::{MemoryDescriptor, MemoryMap};
use uefi_raw::Status;
use uefi_raw::table::boot::MemoryType;

use crate::failure::Failure;
use crate::firmware::{BELOW_4G, Firmware, PAGE, check, forget_console};

/// How often a map is asked for that an event may have made old in the meantime.
const TRIES: usize = 8;

/// The firmware's memory map at one moment.
struct Snapshot {
    buffer: &'static mut [u8],
    size: usize,
    key: usize,
    descriptor_size: usize,
    descriptor_version: u32,
}

impl Snapshot {
    /// With room for the map as it is now, and for what allocating the room itself, or an event, may add.
    fn with_room(firmware: &Firmware) -> Result<Self, Failure> {
        let mut snapshot = Self {
            buffer: &mut [],
            size: 0,
            key: 0,
            descriptor_size: 0,
            descriptor_version: 0,
        };
        match snapshot.ask(firmware) {
            Status::BUFFER_TOO_SMALL => {}
            status => check(status, "tell the size of its memory map")?,
        }
        let room = (snapshot.size + 32 * snapshot.descriptor_size).next_multiple_of(PAGE);
        snapshot.buffer = firmware.allocate(room, BELOW_4G, MemoryType::LOADER_DATA)?;
        Ok(snapshot)
    }

    /// Asks for the map.
    fn ask(&mut self, firmware: &Firmware) -> Status {
        self.size = self.buffer.len();
        // SAFETY: the buffer has `size` bytes; the service writes them, and the four values.
        unsafe {
            (firmware.boot_services().get_memory_map)(
                &raw mut self.size,
                self.buffer.as_mut_ptr().cast(),
                &raw mut self.key,
                &raw mut self.descriptor_size,
                &raw mut self.descriptor_version,
            )
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.size.min(self.buffer.len())]
    }

    /// The map; `None` if it is none.
    fn map(&self) -> Option<MemoryMap<'_>> {
        MemoryMap::new(self.bytes(), u32::try_from(self.descriptor_size).ok()?).ok()
    }
}

/// Ends the boot services, and tells the kernel in `params` what memory there is and where the firmware's tables are.
pub fn end_boot_services(firmware: &Firmware, params: &mut BootParams, extension: &mut E820Extension) -> Result<(), Failure> {
    let mut snapshot = Snapshot::with_room(firmware)?;
    let mut tries = TRIES;
    loop {
        check(snapshot.ask(firmware), "tell its memory map")?;
        // SAFETY: nothing is asked of the firmware any more if this succeeds. If not, the map has changed, and another one may be asked for.
        let status = unsafe { (firmware.boot_services().exit_boot_services)(firmware.image(), snapshot.key) };
        tries -= 1;
        if status == Status::SUCCESS {
            break;
        }
        if status != Status::INVALID_PARAMETER || tries == 0 {
            check(status, "end its boot services")?;
        }
    }
    forget_console();

    let system_table = core::ptr::from_ref(firmware.system_table()) as u64;
    let memory_map = snapshot.buffer.as_ptr() as u64;
    params.set_efi_info(EfiInfo {
        loader_signature: EfiInfo::EL64,
        systab: system_table as u32,
        systab_hi: (system_table >> 32) as u32,
        memdesc_size: snapshot.descriptor_size as u32,
        memdesc_version: snapshot.descriptor_version,
        memmap: memory_map as u32,
        memmap_hi: (memory_map >> 32) as u32,
        memmap_size: snapshot.bytes().len() as u32,
    });
    let extension_phys = extension.as_bytes().as_ptr() as u64;
    let mut writer = MemoryMapWriter::new(params, extension);
    if let Some(map) = snapshot.map() {
        map.e820().for_each(|entry| writer.push(entry));
    }
    // What does not fit is memory that the kernel will do without: there is nobody left to tell.
    let _ = writer.finish(extension_phys);
    Ok(())
}

/// Who has memory of the range `wanted` that is not free: the first descriptor, if there is one.
pub fn occupant(firmware: &Firmware, wanted: (u64, u64)) -> Result<Option<MemoryDescriptor>, Failure> {
    let mut snapshot = Snapshot::with_room(firmware)?;
    check(snapshot.ask(firmware), "tell its memory map")?;
    let taken = |descriptor: &MemoryDescriptor| {
        let end = descriptor.end().unwrap_or(0);
        descriptor.kind != incipit_lib::efi::MemoryType::CONVENTIONAL && descriptor.phys_addr < wanted.1 && end > wanted.0
    };
    Ok(snapshot.map().and_then(|map| map.descriptors().find(taken)))
}

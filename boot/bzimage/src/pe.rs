//! The PE header, by which EFI firmware starts the same file: in the gaps that the boot sector and the setup header leave.
//!
//! Positions in memory are those in the file up to the kernel's end, and the stub's parts follow page by page. The format is Microsoft's "PE Format"; what of it
//! firmware looks at is in the UEFI specification 2.10, section 2.1.1.

use object::endian::LittleEndian as LE;
use object::pe;
use object::pod::bytes_of;
use object::{U16, U32, U64};

use crate::stub::{Part, Stub};
use crate::{Error, PAGE, SECTOR};

/// Where the boot sector keeps the address of the header, and where it has room for it.
const NEW_HEADER: usize = 0x3c;
const HEADER: usize = 0x40;
const ROOM_END: usize = 0x198;

/// As many directories as it takes to have the relocations', which is the last.
const DIRECTORIES: usize = 6;
const RELOCATIONS: usize = 5;

const READ_DATA: u32 = pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0 | pe::IMAGE_SCN_MEM_READ.0;
const CODE: u32 = pe::IMAGE_SCN_CNT_CODE.0 | pe::IMAGE_SCN_MEM_READ.0 | pe::IMAGE_SCN_MEM_EXECUTE.0;

/// What "1.0" in the image version says to a boot loader: the RAM disk comes through LoadFile2.
const INITRD_BY_LOAD_FILE2: u16 = 1;

/// One section of the PE file.
struct Section {
    name: &'static [u8; 8],
    /// Position and size in memory.
    address: u32,
    size: u32,
    /// Position and size in the file.
    offset: usize,
    stored: usize,
    characteristics: u32,
}

/// Appends the stub to `file`, whose first `setup` bytes are the set-up code and whose rest is the kernel, and makes all of it a PE file.
pub(crate) fn append(file: &mut Vec<u8>, setup: usize, stub: Stub) -> Result<(), Error> {
    let too_large = |_| Error::Stub("the file is too large for a PE file");
    let mut sections = vec![Section {
        name: b".kernel\0",
        address: u32::try_from(setup).map_err(too_large)?,
        size: u32::try_from(file.len() - setup).map_err(too_large)?,
        offset: setup,
        stored: (file.len() - setup).next_multiple_of(SECTOR),
        characteristics: READ_DATA,
    }];
    let base = u32::try_from(file.len().next_multiple_of(PAGE)).map_err(too_large)?;
    let stub = stub.at(base);
    for part in &stub.parts {
        sections.push(section(file, part));
    }
    let relocations = base_relocations(&stub.relocations);
    let address = stub
        .parts
        .last()
        .map_or(base, |part| (part.address + part.size).next_multiple_of(PAGE as u32));
    let part = Part {
        address,
        size: relocations.len() as u32,
        bytes: relocations,
        executable: false,
        writable: false,
    };
    let directory = (part.address, part.size);
    let mut reloc = section(file, &part);
    reloc.name = b".reloc\0\0";
    reloc.characteristics |= pe::IMAGE_SCN_MEM_DISCARDABLE.0;
    sections.push(reloc);

    let header = header(&sections, setup, stub.entry, directory);
    let room = file
        .get_mut(HEADER..ROOM_END)
        .and_then(|room| room.get_mut(..header.len()))
        .ok_or(Error::Stub("it has more parts than the boot sector has room to describe"))?;
    room.copy_from_slice(&header);
    file[..2].copy_from_slice(b"MZ");
    file[NEW_HEADER..HEADER].copy_from_slice(&(HEADER as u32).to_le_bytes());
    Ok(())
}

/// Stores `part` at the end of the file.
fn section(file: &mut Vec<u8>, part: &Part) -> Section {
    file.resize(file.len().next_multiple_of(SECTOR), 0);
    let offset = file.len();
    file.extend(&part.bytes);
    file.resize(file.len().next_multiple_of(SECTOR), 0);
    let (name, characteristics) = match (part.executable, part.writable) {
        (true, _) => (b".text\0\0\0", CODE),
        (false, true) => (b".data\0\0\0", READ_DATA | pe::IMAGE_SCN_MEM_WRITE.0),
        (false, false) => (b".rdata\0\0", READ_DATA),
    };
    Section {
        name,
        address: part.address,
        size: part.size,
        offset,
        stored: file.len() - offset,
        characteristics,
    }
}

/// The table of the addresses at `places`, which are sorted: a block for each page of them, and an idle one if there are none, as some firmware starts nothing
/// without a table.
fn base_relocations(places: &[u32]) -> Vec<u8> {
    let mut table = Vec::new();
    let mut block = |page: u32, places: &[u32]| {
        let count = places.len().max(1).next_multiple_of(2);
        table.extend((page * PAGE as u32).to_le_bytes());
        table.extend((8 + 2 * count as u32).to_le_bytes());
        let entry = |place: &u32| pe::IMAGE_REL_BASED_DIR64.0 << 12 | (*place % PAGE as u32) as u16;
        let filler = pe::IMAGE_REL_BASED_ABSOLUTE.0 << 12;
        table.extend(places.iter().map(entry).chain([filler; 2]).take(count).flat_map(u16::to_le_bytes));
    };
    for places in places.chunk_by(|a, b| a / PAGE as u32 == b / PAGE as u32) {
        block(places[0] / PAGE as u32, places);
    }
    if places.is_empty() {
        block(0, &[]);
    }
    table
}

/// All headers, from the signature on.
fn header(sections: &[Section], setup: usize, entry: u32, relocations: (u32, u32)) -> Vec<u8> {
    let short = |value| U16::new(LE, value);
    let word = |value| U32::new(LE, value);
    let long = |value| U64::new(LE, value);
    let sum = |wanted: u32| {
        let matching = sections.iter().filter(|section| section.characteristics & wanted != 0);
        matching.map(|section| section.stored as u32).sum::<u32>()
    };
    let end = sections.iter().map(|section| section.address + section.size).max().unwrap_or(0);
    let code = sections
        .iter()
        .find(|section| section.characteristics & pe::IMAGE_SCN_CNT_CODE.0 != 0);
    let optional_size = size_of::<pe::ImageOptionalHeader64>() + DIRECTORIES * size_of::<pe::ImageDataDirectory>();
    let mut header = b"PE\0\0".to_vec();
    header.extend(bytes_of(&pe::ImageFileHeader {
        machine: U16::new(LE, pe::IMAGE_FILE_MACHINE_AMD64),
        number_of_sections: short(sections.len() as u16),
        time_date_stamp: word(0),
        pointer_to_symbol_table: word(0),
        number_of_symbols: word(0),
        size_of_optional_header: short(optional_size as u16),
        characteristics: U16::new(
            LE,
            pe::IMAGE_FILE_EXECUTABLE_IMAGE | pe::IMAGE_FILE_LINE_NUMS_STRIPPED | pe::IMAGE_FILE_DEBUG_STRIPPED,
        ),
    }));
    header.extend(bytes_of(&pe::ImageOptionalHeader64 {
        magic: short(pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC),
        major_linker_version: 2,
        minor_linker_version: 20,
        size_of_code: word(sum(pe::IMAGE_SCN_CNT_CODE.0)),
        size_of_initialized_data: word(sum(pe::IMAGE_SCN_CNT_INITIALIZED_DATA.0)),
        size_of_uninitialized_data: word(0),
        address_of_entry_point: word(entry),
        base_of_code: word(code.map_or(0, |section| section.address)),
        image_base: long(0),
        section_alignment: word(PAGE as u32),
        file_alignment: word(SECTOR as u32),
        major_operating_system_version: short(0),
        minor_operating_system_version: short(0),
        major_image_version: short(INITRD_BY_LOAD_FILE2),
        minor_image_version: short(0),
        major_subsystem_version: short(0),
        minor_subsystem_version: short(0),
        win32_version_value: word(0),
        size_of_image: word(end.next_multiple_of(PAGE as u32)),
        size_of_headers: word(setup as u32),
        check_sum: word(0),
        subsystem: U16::new(LE, pe::IMAGE_SUBSYSTEM_EFI_APPLICATION),
        dll_characteristics: U16::new(LE, pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT),
        size_of_stack_reserve: long(0),
        size_of_stack_commit: long(0),
        size_of_heap_reserve: long(0),
        size_of_heap_commit: long(0),
        loader_flags: word(0),
        number_of_rva_and_sizes: word(DIRECTORIES as u32),
    }));
    for index in 0..DIRECTORIES {
        let (address, size) = if index == RELOCATIONS { relocations } else { (0, 0) };
        header.extend(address.to_le_bytes());
        header.extend(size.to_le_bytes());
    }
    for section in sections {
        header.extend(section.name);
        for value in [
            section.size,
            section.address,
            section.stored as u32,
            section.offset as u32,
            0,
            0,
            0,
            section.characteristics,
        ] {
            header.extend(value.to_le_bytes());
        }
    }
    header
}

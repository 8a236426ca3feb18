//! Multiboot2: the boot loader's information, and its conversion to the zero page.
//!
//! Layout from the Multiboot2 Specification 2.0, chapter 3.6. All addresses are physical, and memory is seen only through the caller's mapping. The information
//! is a sequence of tags of any length; the `multiboot2` crate asserts what it expects of them, so that a wrong length ends the boot, and is not used for that.

use super::{BootParams, E820Extension, EfiInfo, MemoryMapWriter, ScreenInfo, SetupHeader};
use crate::e820::{E820Entry, E820Type};
use crate::efi;
use crate::wire::{Wire, wire};
use core::fmt;

/// What EAX holds at the entry.
pub const BOOTLOADER_MAGIC: u32 = 0x36d7_6289;

/// The tags' alignment.
const ALIGN: usize = 8;

/// Types of tags.
mod tag {
    pub const END: u32 = 0;
    pub const COMMAND_LINE: u32 = 1;
    pub const BOOT_LOADER_NAME: u32 = 2;
    pub const MODULE: u32 = 3;
    pub const BASIC_MEMORY: u32 = 4;
    pub const MEMORY_MAP: u32 = 6;
    pub const FRAMEBUFFER: u32 = 8;
    pub const EFI32_SYSTEM_TABLE: u32 = 11;
    pub const EFI64_SYSTEM_TABLE: u32 = 12;
    pub const OLD_RSDP: u32 = 14;
    pub const NEW_RSDP: u32 = 15;
    pub const EFI_MEMORY_MAP: u32 = 17;
    pub const EFI_BOOT_SERVICES: u32 = 18;
}

wire! {
    /// A range of the memory map; the types are e820's.
    struct MemoryMapEntry[24] {
        addr: u64 => 0x00,
        size: u64 => 0x08,
        kind: u32 => 0x10,
    }
}

wire! {
    /// What the screen shows, past the tag's header; the colours are there for kind [`RGB`](Framebuffer::RGB) only.
    struct Framebuffer[32] {
        addr: u64 => 0x00,
        pitch: u32 => 0x08,
        width: u32 => 0x0c,
        height: u32 => 0x10,
        depth: u8 => 0x14,
        kind: u8 => 0x15,
        red_pos: u8 => 0x18,
        red_size: u8 => 0x19,
        green_pos: u8 => 0x1a,
        green_size: u8 => 0x1b,
        blue_pos: u8 => 0x1c,
        blue_size: u8 => 0x1d,
    }
}

impl Framebuffer {
    const RGB: u8 = 1;
    const TEXT: u8 = 2;

    /// As the display of the zero page; `None` for what that cannot describe.
    fn screen_info(&self, efi: bool) -> Option<ScreenInfo> {
        let narrow = |value: u32| u16::try_from(value).ok();
        match self.kind {
            Self::TEXT => Some(ScreenInfo {
                orig_video_mode: 3,
                orig_video_cols: u8::try_from(self.width).ok()?,
                orig_video_lines: u8::try_from(self.height).ok()?,
                orig_video_is_vga: ScreenInfo::VGA_TEXT,
                orig_video_points: 16,
                ..ScreenInfo::default()
            }),
            Self::RGB => {
                let size = u64::from(self.pitch) * u64::from(self.height);
                let colours = u16::from(self.red_size) + u16::from(self.green_size) + u16::from(self.blue_size);
                Some(ScreenInfo {
                    orig_video_is_vga: if efi {
                        ScreenInfo::VIDEO_TYPE_EFI
                    } else {
                        ScreenInfo::VIDEO_TYPE_VLFB
                    },
                    lfb_width: narrow(self.width)?,
                    lfb_height: narrow(self.height)?,
                    lfb_depth: u16::from(self.depth),
                    lfb_linelength: narrow(self.pitch)?,
                    lfb_size: u32::try_from(if efi { size } else { size.div_ceil(1 << 16) }).ok()?,
                    red_size: self.red_size,
                    red_pos: self.red_pos,
                    green_size: self.green_size,
                    green_pos: self.green_pos,
                    blue_size: self.blue_size,
                    blue_pos: self.blue_pos,
                    rsvd_size: u8::try_from(u16::from(self.depth).saturating_sub(colours)).ok()?,
                    rsvd_pos: if colours < u16::from(self.depth) {
                        u8::try_from(colours).ok()?
                    } else {
                        0
                    },
                    ..ScreenInfo::default()
                })
                .map(|info| info.at(self.addr))
            }
            _ => None,
        }
    }
}

/// Why information cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiboot2Error {
    /// It is not in memory that can be read.
    Unmapped {
        /// Where it should be.
        phys: u64,
        /// Its size, as claimed; 8 if its first bytes are out of reach.
        size: u32,
    },
    /// A tag is shorter than its header, or reaches beyond the information: nothing behind it can be found.
    BadTag {
        /// Its type.
        kind: u32,
        /// Its size, as claimed.
        size: u32,
        /// Where in the information it is.
        offset: usize,
    },
    /// The tag that ends the information is missing.
    NoEnd,
    /// No tag tells about memory.
    NoMemoryMap,
}

impl fmt::Display for Multiboot2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmapped { phys, size } => write!(f, "multiboot2: {size} bytes of information at {phys:#x} are out of reach"),
            Self::BadTag { kind, size, offset } => write!(
                f,
                "multiboot2: the tag at offset {offset:#x}, type {kind}, has {size} bytes, which cannot be; the rest is ignored"
            ),
            Self::NoEnd => f.write_str("multiboot2: the information lacks its last tag"),
            Self::NoMemoryMap => f.write_str("multiboot2: the information has no memory map"),
        }
    }
}

impl core::error::Error for Multiboot2Error {}

/// What the zero page could not take of the information.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found<'a> {
    /// The boot loader's name for itself.
    pub loader: Option<&'a [u8]>,
    /// A copy of the ACPI root pointer, the newer one if there are two. It is in the information, which nobody keeps: copy it.
    pub rsdp: Option<&'a [u8]>,
    /// Whether the firmware's boot services still run, for which this kernel has no use.
    pub boot_services: bool,
    /// Entries of the memory map past those that the page and its extension hold.
    pub dropped: usize,
    /// Modules after the initrd.
    pub modules: usize,
    /// What of the information is wrong; everything else of it was used.
    pub error: Option<Multiboot2Error>,
}

/// One tag.
#[derive(Clone, Copy)]
struct Tag<'a> {
    kind: u32,
    /// What follows the header.
    data: &'a [u8],
    /// Physical address of the data.
    phys: u64,
}

/// The tags of `info`, which lies at `phys`, up to the last or the first that cannot be.
fn tags<'a>(info: &'a [u8], phys: u64) -> impl Iterator<Item = Result<Tag<'a>, Multiboot2Error>> {
    const HEADER: usize = 8;
    let mut next = Some(HEADER);
    core::iter::from_fn(move || {
        let offset = next.take()?;
        let header = info
            .get(offset..)
            .and_then(|rest| Some((u32::read(rest)?, u32::read(rest.get(4..)?)?)));
        let Some((kind, size)) = header else {
            return Some(Err(Multiboot2Error::NoEnd));
        };
        if kind == tag::END {
            return None;
        }
        let data = (size as usize)
            .checked_sub(HEADER)
            .and_then(|length| info.get(offset + HEADER..)?.get(..length));
        let Some(data) = data else {
            return Some(Err(Multiboot2Error::BadTag { kind, size, offset }));
        };
        next = offset.checked_add((size as usize).next_multiple_of(ALIGN));
        Some(Ok(Tag {
            kind,
            data,
            phys: phys + (offset + HEADER) as u64,
        }))
    })
}

/// Fills `into` from the information at physical address `info`, as a loader of the Linux boot protocol would. `map(phys, len)` gives access to memory, or `None`
/// where there is none that may be read. Ranges past the page's 128 go to `extension`, which lies at physical address `extension_phys`.
///
/// The first module is the initrd. What is wrong is in [`Found::error`], and what is right is used all the same: without a memory map the kernel still knows its
/// command line, and with it where to complain.
pub fn to_boot_params<'a>(
    info: u64,
    mut map: impl FnMut(u64, usize) -> Option<&'a [u8]>,
    into: &mut BootParams,
    extension: &mut E820Extension,
    extension_phys: u64,
) -> Found<'a> {
    let mut found = Found::default();
    into.begin(UNASSIGNED_LOADER);
    let Some(bytes) = read(info, &mut map, &mut found) else {
        return found;
    };
    let mut memory_map = None;
    let mut efi_map = None;
    let mut framebuffer = None;
    let mut modules = 0_usize;
    for tag in tags(bytes, info) {
        let tag = match tag {
            Ok(tag) => tag,
            Err(error) => {
                found.error = Some(error);
                break;
            }
        };
        match tag.kind {
            tag::COMMAND_LINE if tag.data.contains(&0) => into.set_cmd_line_ptr(tag.phys),
            tag::BOOT_LOADER_NAME => found.loader = tag.data.split(|&byte| byte == 0).next(),
            tag::MODULE => {
                if modules == 0 {
                    initrd(tag.data, into);
                }
                modules += 1;
            }
            tag::BASIC_MEMORY => into.set_alt_mem_k(tag.data.get(4..).and_then(u32::read).unwrap_or(0)),
            tag::MEMORY_MAP => memory_map = Some(tag.data),
            tag::FRAMEBUFFER => framebuffer = read_framebuffer(tag.data),
            tag::EFI32_SYSTEM_TABLE => system_table(EfiInfo::EL32, u32::read(tag.data).map(u64::from), into),
            tag::EFI64_SYSTEM_TABLE => system_table(EfiInfo::EL64, u64::read(tag.data), into),
            tag::OLD_RSDP => found.rsdp = found.rsdp.or(Some(tag.data)),
            tag::NEW_RSDP => found.rsdp = Some(tag.data),
            tag::EFI_MEMORY_MAP => efi_map = efi_memory_map(&tag, into),
            tag::EFI_BOOT_SERVICES => found.boot_services = true,
            _ => {}
        }
    }
    found.modules = modules.saturating_sub(1);
    if found.loader.is_some_and(|name| name.starts_with(b"GRUB")) {
        let hdr = into.hdr();
        into.set_hdr(SetupHeader {
            type_of_loader: GRUB,
            ..hdr
        });
    }
    let efi = into.efi_info().loader_signature != 0;
    if let Some(screen) = framebuffer.and_then(|framebuffer| framebuffer.screen_info(efi)) {
        into.set_screen_info(screen);
    }

    let mut writer = MemoryMapWriter::new(into, extension);
    match (memory_map, efi_map) {
        (Some(data), _) => memory_map_entries(data).for_each(|entry| writer.push(entry)),
        (None, Some(map)) => map.e820().for_each(|entry| writer.push(entry)),
        (None, None) => found.error = found.error.or(Some(Multiboot2Error::NoMemoryMap)),
    }
    found.dropped = writer.finish(extension_phys);
    found
}

/// `type_of_loader` of a loader without a number, and of GRUB, as GRUB's own `linux` command sets it.
const UNASSIGNED_LOADER: u8 = 0xff;
const GRUB: u8 = 0x72;

/// The information's bytes, as many as it claims to have.
fn read<'a>(phys: u64, map: &mut impl FnMut(u64, usize) -> Option<&'a [u8]>, found: &mut Found<'a>) -> Option<&'a [u8]> {
    let size = map(phys, ALIGN).and_then(u32::read);
    let bytes = size.and_then(|size| map(phys, size as usize)?.get(..size as usize));
    if bytes.is_none() {
        found.error = Some(Multiboot2Error::Unmapped {
            phys,
            size: size.unwrap_or(ALIGN as u32),
        });
    }
    bytes
}

/// The module `data` as the initrd; one that ends before it starts is none.
fn initrd(data: &[u8], into: &mut BootParams) {
    let ends = u32::read(data).zip(data.get(4..).and_then(u32::read));
    if let Some((start, size)) = ends.and_then(|(start, end)| Some((start, end.checked_sub(start)?))) {
        into.set_ramdisk(start.into(), size.into());
    }
}

/// The framebuffer of a tag that may end where the colours of a text screen would be.
fn read_framebuffer(data: &[u8]) -> Option<Framebuffer> {
    const WITHOUT_COLOURS: usize = 0x18;
    let mut whole = [0; Framebuffer::SIZE];
    let length = data.len().min(whole.len());
    whole[..length].copy_from_slice(&data[..length]);
    (length >= WITHOUT_COLOURS).then(|| Framebuffer::read(&whole)).flatten()
}

fn system_table(signature: u32, phys: Option<u64>, into: &mut BootParams) {
    let Some(phys) = phys.filter(|&phys| phys != 0) else { return };
    into.set_efi_info(EfiInfo {
        loader_signature: signature,
        systab: phys as u32,
        systab_hi: (phys >> 32) as u32,
        ..into.efi_info()
    });
}

/// The firmware's own memory map, told to the page as well.
fn efi_memory_map<'a>(tag: &Tag<'a>, into: &mut BootParams) -> Option<efi::MemoryMap<'a>> {
    let (size, version) = (u32::read(tag.data)?, u32::read(tag.data.get(4..)?)?);
    let descriptors = tag.data.get(8..)?;
    let map = efi::MemoryMap::new(descriptors, size).ok()?;
    let phys = tag.phys + 8;
    into.set_efi_info(EfiInfo {
        memdesc_size: size,
        memdesc_version: version,
        memmap: phys as u32,
        memmap_hi: (phys >> 32) as u32,
        memmap_size: descriptors.len() as u32,
        ..into.efi_info()
    });
    Some(map)
}

/// The ranges of the memory map tag, whose entries may be longer than those that are known.
fn memory_map_entries(data: &[u8]) -> impl Iterator<Item = E820Entry> + '_ {
    let size = u32::read(data).map_or(0, |size| size as usize);
    let entries = data.get(8..).filter(|_| size >= MemoryMapEntry::SIZE).unwrap_or(&[]);
    entries
        .chunks_exact(size.max(1))
        .filter_map(MemoryMapEntry::read)
        .map(|entry| E820Entry {
            addr: entry.addr,
            size: entry.size,
            kind: e820_type(entry.kind),
        })
}

/// The types that the specification knows are e820's; all others are reserved, such as the 20 that GRUB calls EFI's run-time code.
const fn e820_type(kind: u32) -> E820Type {
    match E820Type(kind) {
        known @ (E820Type::RAM | E820Type::ACPI | E820Type::NVS | E820Type::UNUSABLE) => known,
        _ => E820Type::RESERVED,
    }
}

//! The files as the crate linux-loader reads them, with which virtual machine monitors boot.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use incipit_lib::bootparam::SetupHeader;
use incipit_lib::wire::Wire;
use incipit_tests::built::Build;
use incipit_tests::elf::Elf;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;
use linux_loader::loader::bootparam::setup_header;
use linux_loader::loader::elf::PvhBootCapability;
use linux_loader::loader::{BzImage, Elf as ElfLoader, KernelLoader, KernelLoaderResult};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

/// Memory that either file has room in, and where it begins to be free.
const MEMORY: usize = 64 << 20;
const HIGH: GuestAddress = GuestAddress(0x10_0000);

/// Where the header lies in a bzImage.
const HEADER: usize = 0x1f1;
const SECTOR: usize = 512;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("files::linux_loader_reads_the_header_that_we_wrote", header),
        trial("files::linux_loader_loads_the_bzimage_byte_for_byte", bzimage),
        trial("files::linux_loader_loads_the_elf_image_and_finds_its_pvh_entry", vmlinux),
    ]
}

/// What a loader puts into memory.
fn load<L: KernelLoader>(file: &Path) -> Result<(GuestMemoryMmap, KernelLoaderResult)> {
    let memory = GuestMemoryMmap::from_ranges(&[(GuestAddress(0), MEMORY)])?;
    let mut image = File::open(file).with_context(|| file.display().to_string())?;
    let result = L::load(&memory, None, &mut image, Some(HIGH))?;
    Ok((memory, result))
}

/// Everything that a monitor goes by.
fn header() -> Result<()> {
    let bytes = std::fs::read(Build::ours().bzimage())?;
    let ours = bytes.get(HEADER..).and_then(SetupHeader::read).context("the file has a header")?;
    let theirs: setup_header = load::<BzImage>(&Build::ours().bzimage())?
        .1
        .setup_header
        .context("it has found none")?;
    let read = [
        u64::from(theirs.header),
        u64::from(theirs.boot_flag),
        u64::from(theirs.version),
        u64::from(theirs.setup_sects),
        u64::from(theirs.syssize),
        u64::from(theirs.code32_start),
        u64::from(theirs.loadflags),
        u64::from(theirs.initrd_addr_max),
        u64::from(theirs.kernel_alignment),
        u64::from(theirs.relocatable_kernel),
        u64::from(theirs.xloadflags),
        u64::from(theirs.cmdline_size),
        theirs.pref_address,
        u64::from(theirs.init_size),
        u64::from(theirs.handover_offset),
        u64::from(theirs.kernel_info_offset),
    ];
    let written = [
        u64::from(ours.header),
        u64::from(ours.boot_flag),
        u64::from(ours.version),
        u64::from(ours.setup_sects),
        u64::from(ours.syssize),
        u64::from(ours.code32_start),
        u64::from(ours.loadflags),
        u64::from(ours.initrd_addr_max),
        u64::from(ours.kernel_alignment),
        u64::from(ours.relocatable_kernel),
        u64::from(ours.xloadflags),
        u64::from(ours.cmdline_size),
        ours.pref_address,
        u64::from(ours.init_size),
        u64::from(ours.handover_offset),
        u64::from(ours.kernel_info_offset),
    ];
    ensure!(ours.is_valid() && read == written, "it read {read:x?}, we wrote {written:x?}");
    Ok(())
}

fn bzimage() -> Result<()> {
    let bytes = std::fs::read(Build::ours().bzimage())?;
    let kernel = &bytes[(usize::from(bytes[HEADER]) + 1) * SECTOR..];
    let (memory, result) = load::<BzImage>(&Build::ours().bzimage())?;
    ensure!(
        result.kernel_end - result.kernel_load.0 == kernel.len() as u64,
        "it has loaded {result:x?}"
    );
    let mut loaded = vec![0; kernel.len()];
    memory.read_slice(&mut loaded, result.kernel_load)?;
    ensure!(loaded == kernel, "memory has other bytes than the file");
    Ok(())
}

fn vmlinux() -> Result<()> {
    let elf = Elf::with_object(&std::fs::read(Build::ours().vmlinux())?)?;
    let note = elf.notes.iter().find(|note| note.name.starts_with("Xen")).context("no PVH note")?;
    let entry = note.description.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
    let (_, result) = load::<ElfLoader>(&Build::ours().vmlinux())?;
    let expected = PvhBootCapability::PvhEntryPresent(GuestAddress(entry));
    ensure!(
        result.pvh_boot_cap == expected,
        "the note says {entry:#x}, it found {:?}",
        result.pvh_boot_cap
    );
    Ok(())
}

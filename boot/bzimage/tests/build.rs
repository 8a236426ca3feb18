//! Kernels good and bad, packed. The good file is read back field by field and by another project's loader.

mod kernel;

use std::io::Cursor;

use incipit_bzimage::{Error, build, checksum};
use kernel::{HEAD, Kernel, Segment, setup};
use linux_loader::loader::{KernelLoader, bzimage::BzImage};
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

fn u32_at(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
}

/// The protected-mode part of a bzImage, found as a boot loader does.
fn protected(file: &[u8]) -> &[u8] {
    &file[(usize::from(file[0x1f1]) + 1) * 512..]
}

#[test]
fn the_image_is_laid_out_by_physical_address_with_bss_as_zeros() {
    let file = build(&Kernel::new().file(), None).unwrap();
    let image = protected(&file);
    assert_eq!(image[..8], HEAD[..8]);
    assert_eq!(image[0x0c..0x14], *b"Incipit\0");
    assert!(image[0x14..0x1000].iter().all(|&byte| byte == 0));
    assert!(image[0x1000..0x1030].iter().all(|&byte| byte == 0xda));
    assert!(image[0x1030..0x4000].iter().all(|&byte| byte == 0));
    assert_eq!(image[0x4000..0x4008], *b"kallsyms");
}

#[test]
fn bss_behind_the_last_content_is_in_the_file_too() {
    let mut kernel = Kernel::new();
    kernel.segments[2].memsz = 0x5000;
    assert!(protected(&build(&kernel.file(), None).unwrap()).len() >= 0x9000);
}

#[test]
fn the_head_is_told_where_the_trailer_ends_the_image() {
    for size in 1..40 {
        let mut kernel = Kernel::new();
        kernel.segments[2] = Segment::new(0x10_4000, &vec![0xff; size]);
        let file = build(&kernel.file(), None).unwrap();
        let image = protected(&file);
        let trailer = u32_at(image, 8) as usize - 0x10_0000;
        assert_eq!(image[trailer..trailer + 16], *b"Incipit complete");
        assert_eq!(image.len(), trailer + 16 + 4, "only the checksum follows");
        assert_eq!(image[0x4000 + size - 1], 0xff);
    }
}

#[test]
fn the_header_tells_the_sizes_of_both_parts() {
    let file = build(&Kernel::new().file(), None).unwrap();
    let image = protected(&file);
    assert_eq!(u32_at(&file, 0x1f4) as usize * 16, image.len());
    assert_eq!(u32_at(&file, 0x260), 0x5000);
}

#[test]
fn short_set_up_code_is_filled_to_the_five_sectors_that_loaders_assume() {
    for (size, sectors) in [(0x26c, 5), (5 * 512, 5), (5 * 512 + 1, 6), (0x5800, 44)] {
        let kernel = Kernel {
            setup: Some(setup(size)),
            ..Kernel::new()
        };
        let file = build(&kernel.file(), None).unwrap();
        assert_eq!(usize::from(file[0x1f1]), sectors - 1);
        assert_eq!(file[sectors * 512..][..8], HEAD[..8]);
    }
}

#[test]
fn the_checksum_of_the_whole_file_is_zero() {
    assert_eq!(checksum(&build(&Kernel::new().file(), None).unwrap()), 0);
}

#[test]
fn the_checksum_is_the_one_that_other_tools_compute() {
    // The check value of CRC-32/JAMCRC in the catalogue of parametrised CRC algorithms.
    assert_eq!(checksum(b"123456789"), 0x340b_c6d9);
}

#[test]
fn another_loader_reads_the_file() {
    let file = build(&Kernel::new().file(), None).unwrap();
    let memory = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 4 << 20)]).unwrap();
    let result = BzImage::load(&memory, Some(GuestAddress(0x10_0000)), &mut Cursor::new(&file), None).unwrap();
    assert_eq!(result.kernel_load, GuestAddress(0x10_0000));
    assert_eq!(result.kernel_end, 0x10_0000 + protected(&file).len() as u64);
    let header = result.setup_header.unwrap();
    let (magic, version) = (header.header, header.version);
    assert_eq!((magic, version), (0x5372_6448, 0x020f));
    let mut loaded = [0; 8];
    memory.read_slice(&mut loaded, GuestAddress(0x10_4000)).unwrap();
    assert_eq!(loaded, *b"kallsyms");
}

#[test]
fn a_file_that_is_no_kernel_is_refused() {
    for (bytes, error) in [
        (b"".as_slice(), Error::NotElf),
        (b"#!/bin/sh\n", Error::NotElf),
        (&[0x7f; 4096], Error::NotElf),
    ] {
        assert_eq!(build(bytes, None), Err(error));
    }
    let mut narrow = Kernel::new().file();
    narrow[4] = 1;
    assert_eq!(build(&narrow, None), Err(Error::NotElf));
    assert_eq!(
        build(
            &Kernel {
                machine: 183,
                ..Kernel::new()
            }
            .file(),
            None
        ),
        Err(Error::NotExecutable)
    );
    assert_eq!(
        build(&Kernel { kind: 3, ..Kernel::new() }.file(), None),
        Err(Error::NotExecutable),
        "position independent"
    );
}

#[test]
fn a_kernel_that_is_cut_anywhere_is_refused() {
    let file = Kernel::new().file();
    for length in 0..file.len() {
        let error = build(&file[..length], None).unwrap_err();
        assert!(
            matches!(error, Error::NotElf | Error::Headers | Error::BadSegment(_)),
            "{length}: {error}"
        );
    }
}

#[test]
fn segments_that_no_loader_could_place_are_refused() {
    let refused = |change: fn(&mut Vec<Segment>)| {
        let mut kernel = Kernel::new();
        change(&mut kernel.segments);
        build(&kernel.file(), None).unwrap_err()
    };
    assert_eq!(refused(Vec::clear), Error::NoSegments);
    assert_eq!(refused(|segments| segments[0].paddr = 0x20_0000), Error::WrongAddress(0x10_1000));
    assert_eq!(refused(|segments| segments[2].paddr = 0), Error::WrongAddress(0));
    assert_eq!(refused(|segments| segments[2].memsz = 7), Error::BadSegment(0x10_4000));
    assert_eq!(
        refused(|segments| segments[2].paddr = 0x10_2fff),
        Error::Overlap(0x10_3000, 0x10_2fff)
    );
    assert_eq!(
        refused(|segments| segments[2].paddr = 0x10_1000),
        Error::Overlap(0x10_3000, 0x10_1000)
    );
    assert_eq!(refused(|segments| segments[1].memsz = 1 << 29), Error::TooLarge(0x2010_1000));
    assert_eq!(refused(|segments| segments[1].memsz = u64::MAX), Error::TooLarge(u64::MAX));
    assert_eq!(refused(|segments| segments[1].paddr = u64::MAX), Error::TooLarge(u64::MAX));
}

#[test]
fn segments_in_another_order_and_empty_ones_make_no_difference() {
    let mut kernel = Kernel::new();
    let straight = build(&kernel.file(), None).unwrap();
    kernel.segments.reverse();
    kernel.segments.push(Segment::new(0, b""));
    assert_eq!(build(&kernel.file(), None).unwrap(), straight);
}

#[test]
fn a_kernel_without_our_head_is_refused() {
    let mut kernel = Kernel::new();
    kernel.segments[0].bytes[0x0c] = b'i';
    assert_eq!(build(&kernel.file(), None), Err(Error::NotIncipit));
    kernel.segments = vec![Segment::new(0x10_0000, &HEAD[..1])];
    assert_eq!(build(&kernel.file(), None), Err(Error::NotIncipit));
}

#[test]
fn set_up_code_that_cannot_be_is_refused() {
    let refused = |setup| build(&Kernel { setup, ..Kernel::new() }.file(), None).unwrap_err();
    assert_eq!(refused(None), Error::NoSection(".setup16"));
    assert_eq!(refused(Some(setup(0x26b))), Error::SetupSize(0x26b));
    assert_eq!(refused(Some(setup(0x5801))), Error::SetupSize(0x5801));
    assert_eq!(refused(Some(vec![0; 0x6c0])), Error::NoSetupHeader);
}

#[test]
fn every_error_is_one_line() {
    let errors = [
        Error::NotElf,
        Error::NotExecutable,
        Error::Headers,
        Error::NoSegments,
        Error::WrongAddress(0x20_0000),
        Error::BadSegment(1),
        Error::Overlap(2, 1),
        Error::TooLarge(u64::MAX),
        Error::NotIncipit,
        Error::NoSection(".setup16"),
        Error::SetupSize(0),
        Error::NoSetupHeader,
    ];
    for error in errors {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text}");
    }
    assert_eq!(
        Error::WrongAddress(0x20_0000).to_string(),
        "its first segment is for physical address 0x200000 instead of 0x100000"
    );
}

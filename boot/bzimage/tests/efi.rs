//! Kernels packed with an EFI stub, read back by another project's reader of PE files; and stubs that cannot be used.

mod kernel;

use incipit_bzimage::{Error, build, checksum};
use kernel::{HEAD, Kernel, Segment, setup};
use object::read::pe::PeFile64;
use object::{LittleEndian as LE, Object, ObjectSection, pe};

const SETUP: usize = 0x1000;

/// A stub that can be packed with it: code, and data with an address that depends on where the stub is.
fn stub() -> Kernel {
    let mut code = Segment::new(0, &[0x90; 0x1234]);
    code.flags = 5;
    let mut data = Segment::new(0x2000, &[0; 0x20]).with_bss(0x28);
    data.flags = 6;
    Kernel {
        segments: vec![code, data],
        setup: None,
        machine: 62,
        kind: 3,
        entry: 0x1200,
        relocations: vec![(0x2008, 8, 0x1230)],
    }
}

fn packed() -> Vec<u8> {
    build(&Kernel::new().file(), Some(&stub().file())).unwrap()
}

fn u32_at(file: &[u8], at: usize) -> usize {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize
}

#[test]
fn the_file_is_an_efi_application_for_x86_64() {
    let file = packed();
    let pe_file = PeFile64::parse(&*file).unwrap();
    let header = pe_file.nt_headers().optional_header;
    assert_eq!(header.subsystem.get(LE), pe::IMAGE_SUBSYSTEM_EFI_APPLICATION);
    assert_eq!(pe_file.nt_headers().file_header.machine.get(LE), pe::IMAGE_FILE_MACHINE_AMD64);
    assert_eq!(header.major_image_version.get(LE), 1, "LoadFile2 gives the initrd");
    assert_eq!((header.section_alignment.get(LE), header.file_alignment.get(LE)), (0x1000, 0x200));
    assert_eq!(header.size_of_headers.get(LE) as usize, SETUP);
    let names: Vec<_> = pe_file.sections().map(|section| section.name().unwrap().to_owned()).collect();
    assert_eq!(names, [".kernel", ".text", ".data", ".reloc"]);
}

#[test]
fn it_is_a_bzimage_still() {
    let file = packed();
    assert_eq!(checksum(&file), 0);
    assert_eq!(
        (usize::from(file[0x1f1]) + 1) * 512,
        SETUP,
        "whole pages, or the sections would not be"
    );
    assert_eq!(u32_at(&file, 0x1f4) * 16, file.len() - SETUP);
    assert!(u32_at(&file, 0x260) >= file.len() - SETUP);
    assert_eq!(file[0x1fe..0x200], [0x55, 0xaa]);
    assert_eq!(file[SETUP..][..8], HEAD[..8]);
    let alone = build(&Kernel::new().file(), None).unwrap();
    let kernel = u32_at(&file, SETUP + 8) + 16 - 0x10_0000;
    assert_eq!(file[SETUP..][..kernel], alone[(usize::from(alone[0x1f1]) + 1) * 512..][..kernel]);
}

#[test]
fn sections_do_not_overlap_in_memory_or_in_the_file() {
    let file = packed();
    let pe_file = PeFile64::parse(&*file).unwrap();
    let mut memory = SETUP as u64;
    let mut stored = SETUP as u64;
    for section in pe_file.sections() {
        assert_eq!(section.address() % 0x1000, 0);
        assert!(section.address() >= memory);
        memory = section.address() + section.size();
        let (offset, size) = section.file_range().unwrap();
        assert!(offset >= stored && offset % 0x200 == 0);
        stored = offset + size;
        assert!(stored <= file.len() as u64);
    }
    assert!(u64::from(pe_file.nt_headers().optional_header.size_of_image.get(LE)) >= memory);
}

#[test]
fn addresses_in_the_stub_are_relocated_with_it() {
    let file = packed();
    let pe_file = PeFile64::parse(&*file).unwrap();
    let text = pe_file.section_by_name(".text").unwrap();
    let data = pe_file.section_by_name(".data").unwrap();
    assert_eq!(data.address(), text.address() + 0x2000);
    let entry = pe_file.nt_headers().optional_header.address_of_entry_point.get(LE);
    assert_eq!(u64::from(entry), text.address() + 0x1200);
    let word = data.data().unwrap()[8..16].try_into().unwrap();
    assert_eq!(u64::from_le_bytes(word), text.address() + 0x1230);
    let mut blocks = pe_file
        .data_directories()
        .relocation_blocks(&*file, &pe_file.section_table())
        .unwrap()
        .unwrap();
    let block = blocks.next().unwrap().unwrap();
    let places: Vec<_> = block
        .map(|relocation| (relocation.typ, u64::from(relocation.virtual_address)))
        .collect();
    assert_eq!(places[0], (pe::IMAGE_REL_BASED_DIR64, data.address() + 8));
    assert!(places[1..].iter().all(|place| place.0 == pe::IMAGE_REL_BASED_ABSOLUTE));
    assert!(blocks.next().unwrap().is_none());
}

#[test]
fn a_stub_without_relocations_has_an_idle_table() {
    let stub = Kernel {
        relocations: Vec::new(),
        ..self::stub()
    };
    let file = build(&Kernel::new().file(), Some(&stub.file())).unwrap();
    let pe_file = PeFile64::parse(&*file).unwrap();
    let mut blocks = pe_file
        .data_directories()
        .relocation_blocks(&*file, &pe_file.section_table())
        .unwrap()
        .unwrap();
    assert!(
        blocks
            .next()
            .unwrap()
            .unwrap()
            .all(|relocation| relocation.typ == pe::IMAGE_REL_BASED_ABSOLUTE)
    );
}

#[test]
fn without_a_stub_nothing_says_that_it_is_an_application() {
    let file = build(&Kernel::new().file(), None).unwrap();
    assert_ne!(file[..2], *b"MZ");
    assert_eq!(u32_at(&file, 0x3c), 0);
}

#[test]
fn set_up_code_of_any_size_leaves_the_kernel_on_a_page() {
    for size in [0x26c, 0x1000, 0x1001, 0x5001] {
        let kernel = Kernel {
            setup: Some(setup(size)),
            ..Kernel::new()
        };
        let file = build(&kernel.file(), Some(&stub().file())).unwrap();
        let start = size.next_multiple_of(0x1000);
        assert_eq!(file[start..][..8], HEAD[..8]);
        let pe_file = PeFile64::parse(&*file).unwrap();
        assert_eq!(pe_file.section_by_name(".kernel").unwrap().address(), start as u64);
    }
}

/// What a stub is changed by.
type Change = fn(&mut Kernel);

#[test]
fn a_stub_that_cannot_be_placed_anywhere_is_refused() {
    let refused = |change: Change| {
        let mut stub = self::stub();
        change(&mut stub);
        match build(&Kernel::new().file(), Some(&stub.file())) {
            Err(error @ Error::Stub(_)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let cases: [(Change, &str); 10] = [
        (|stub| stub.kind = 2, "not position-independent code"),
        (|stub| stub.machine = 183, "not position-independent code"),
        (|stub| stub.entry = u64::MAX, "its entry lies outside of its code"),
        (|stub| stub.entry = 0x2000, "its entry lies outside of its code"),
        (|stub| stub.segments.clear(), "it has no segments"),
        (|stub| stub.segments[1].paddr = 0x2010, "does not begin on a page"),
        (|stub| stub.segments[1].paddr = 0x1000, "some that overlap"),
        (|stub| stub.segments[1].memsz = u64::MAX, "too large"),
        (|stub| stub.relocations[0].0 = 0x201c, "a relocation lies outside"),
        (|stub| stub.relocations[0].1 = 1, "not relative to its own place"),
    ];
    for (change, text) in cases {
        let error = refused(change);
        assert!(error.starts_with("the EFI stub: ") && error.contains(text), "{error}");
    }
    let many = |stub: &mut Kernel| stub.segments.extend((4..8).map(|page| Segment::new(page << 12, &[1])));
    assert!(refused(many).contains("more parts than the boot sector has room"));
    assert_eq!(
        build(&Kernel::new().file(), Some(b"MZ")).unwrap_err().to_string(),
        "the EFI stub: not a 64-bit little-endian ELF file"
    );
}

#[test]
fn a_stub_that_is_cut_anywhere_is_refused() {
    let kernel = Kernel::new().file();
    let stub = self::stub().file();
    for length in 0..stub.len() {
        assert!(matches!(build(&kernel, Some(&stub[..length])), Err(Error::Stub(_))), "{length}");
    }
}

//! A kernel small enough to reason about: an ELF file with the segments and sections that a test wants.

/// What the head of every image begins with, up to and including its mark.
pub const HEAD: &[u8; 0x14] = b"\xe9\0\0\0\0\0\0\0\0\0\0\0Incipit\0";

/// One `PT_LOAD` header and its content.
#[derive(Clone)]
pub struct Segment {
    pub paddr: u64,
    pub bytes: Vec<u8>,
    pub memsz: u64,
    pub flags: u32,
}

impl Segment {
    /// A segment that is all in the file.
    pub fn new(paddr: u64, bytes: &[u8]) -> Self {
        Self {
            paddr,
            bytes: bytes.to_vec(),
            memsz: bytes.len() as u64,
            flags: 7,
        }
    }

    /// With zeros behind it up to `memsz` bytes.
    pub fn with_bss(mut self, memsz: u64) -> Self {
        self.memsz = memsz;
        self
    }
}

/// An ELF file to be written.
pub struct Kernel {
    pub segments: Vec<Segment>,
    pub setup: Option<Vec<u8>>,
    pub machine: u16,
    pub kind: u16,
    pub entry: u64,
    /// Place, type and value of each relocation that is left to whoever loads the file.
    pub relocations: Vec<(u64, u32, i64)>,
}

impl Kernel {
    /// A kernel that can be packed: a head, data with a bss, and a symbol table behind it.
    pub fn new() -> Self {
        let data = Segment::new(0x10_1000, &[0xda; 0x30]).with_bss(0x2000);
        let symbols = Segment::new(0x10_4000, b"kallsyms");
        Self {
            segments: vec![Segment::new(0x10_0000, HEAD), data, symbols],
            setup: Some(setup(0x6c0)),
            machine: 62,
            kind: 2,
            entry: 0x10_0000,
            relocations: Vec::new(),
        }
    }

    /// The file: header, program headers, contents, names, section headers.
    pub fn file(&self) -> Vec<u8> {
        let mut contents = Vec::new();
        let base = 64 + 56 * self.segments.len() as u64;
        let mut program_headers = Vec::new();
        for segment in &self.segments {
            let words = [
                base + contents.len() as u64,
                segment.paddr,
                segment.paddr,
                segment.bytes.len() as u64,
                segment.memsz,
                0x1000,
            ];
            program_headers.extend([1u32.to_le_bytes(), segment.flags.to_le_bytes()].concat());
            program_headers.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            contents.extend(&segment.bytes);
        }
        let names = b"\0.setup16\0.names\0.rela\0";
        let mut section_headers = section_header(0, 0, 0, 0);
        if !self.relocations.is_empty() {
            let offset = base + contents.len() as u64;
            for &(place, kind, value) in &self.relocations {
                contents.extend([place, kind.into(), value as u64].iter().flat_map(|word| word.to_le_bytes()));
            }
            let mut header = section_header(17, 4, offset, 24 * self.relocations.len() as u64);
            header[8] = 2;
            header[56] = 24;
            section_headers.extend(header);
        }
        if let Some(setup) = &self.setup {
            section_headers.extend(section_header(1, 1, base + contents.len() as u64, setup.len() as u64));
            contents.extend(setup);
        }
        section_headers.extend(section_header(10, 3, base + contents.len() as u64, names.len() as u64));
        contents.extend(names);

        let sections = section_headers.len() as u16 / 64;
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend([self.kind, self.machine, 1, 0].iter().flat_map(|half| half.to_le_bytes()));
        file.extend(
            [self.entry, 64, base + contents.len() as u64]
                .iter()
                .flat_map(|word: &u64| word.to_le_bytes()),
        );
        file.extend(
            [0, 0, 64, 56, self.segments.len() as u16, 64, sections, sections - 1]
                .iter()
                .flat_map(|half| half.to_le_bytes()),
        );
        [file, program_headers, contents, section_headers].concat()
    }
}

fn section_header(name: u32, kind: u32, offset: u64, size: u64) -> Vec<u8> {
    let words = [0, 0, offset, size, 0, 1, 0].map(u64::to_le_bytes);
    [name.to_le_bytes().as_slice(), &kind.to_le_bytes(), words.as_flattened()].concat()
}

/// Set-up code of `size` bytes: a setup header and nothing to run.
pub fn setup(size: usize) -> Vec<u8> {
    let mut code = vec![0; size];
    for (at, bytes) in [(0x1fe, b"\x55\xaa".as_slice()), (0x202, b"HdrS\x0f\x02"), (0x211, b"\x01")] {
        if let Some(field) = code.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    }
    code
}

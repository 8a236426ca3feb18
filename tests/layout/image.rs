//! The image, read once for all tests, and the values in its memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use incipit_linker::table::Table;
use incipit_linker::tables;
use incipit_tests::built::Build;
use incipit_tests::elf::Elf;

/// The image on which both readers agree.
pub static IMAGE: LazyLock<Image> = LazyLock::new(Image::load);

/// An image: its file, and what stands in it.
pub struct Image {
    pub bytes: Vec<u8>,
    pub elf: Elf,
    addresses: BTreeMap<String, u64>,
}

impl Image {
    fn load() -> Self {
        let path = Build::ours().vmlinux();
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: `make` builds it", path.display()));
        let elf = Elf::with_object(&bytes).expect("an ELF file, says `object`");
        assert!(
            elf == Elf::with_goblin(&bytes).expect("an ELF file, says `goblin`"),
            "the two readers do not agree"
        );
        let addresses = elf.addresses().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { bytes, elf, addresses }
    }

    /// The address of a symbol that must be there.
    pub fn symbol(&self, name: &str) -> u64 {
        self.find(name).unwrap_or_else(|| panic!("no symbol {name}"))
    }

    /// The address of a symbol.
    pub fn find(&self, name: &str) -> Option<u64> {
        self.addresses.get(name).copied()
    }

    /// The bytes at `range`.
    pub fn at(&self, range: Range<u64>) -> &[u8] {
        let offset = self
            .elf
            .offset_of(range.start)
            .unwrap_or_else(|| panic!("{:#x} is not in the file", range.start));
        &self.bytes[offset..][..(range.end - range.start) as usize]
    }

    /// The number at `address`.
    pub fn u64_at(&self, address: u64) -> u64 {
        u64::from_le_bytes(self.at(address..address + 8).try_into().expect("eight bytes"))
    }

    /// The number at `address`.
    pub fn i32_at(&self, address: u64) -> i32 {
        i32::from_le_bytes(self.at(address..address + 4).try_into().expect("four bytes"))
    }

    /// The text that a `&str` at `address` points to: its own address, and its length.
    pub fn str_at(&self, address: u64) -> String {
        let (start, length) = (self.u64_at(address), self.u64_at(address + 8));
        String::from_utf8(self.at(start..start + length).to_vec()).expect("UTF-8")
    }

    /// The text up to the NUL that a pointer at `address` points to.
    pub fn c_str_at(&self, address: u64) -> String {
        let offset = self.elf.offset_of(self.u64_at(address)).expect("a pointer into the file");
        let end = self.bytes[offset..].iter().position(|&byte| byte == 0).expect("a NUL");
        String::from_utf8(self.bytes[offset..offset + end].to_vec()).expect("UTF-8")
    }

    /// The tables that the image has: all but those that the configuration leaves out.
    pub fn tables(&self) -> impl Iterator<Item = &'static Table> {
        tables::ALL
            .iter()
            .copied()
            .filter(|table| table.config.is_none() || self.find(table.start()).is_some())
    }

    /// From the first to behind the last entry of a table.
    pub fn range(&self, table: &Table) -> Range<u64> {
        self.symbol(table.start())..self.symbol(table.end)
    }

    /// From the first to behind the last entry of the part of a table at `index`.
    pub fn part_range(&self, table: &Table, index: usize) -> Range<u64> {
        self.symbol(table.parts[index].start)..self.symbol(table.part_end(index))
    }

    /// The addresses of the entries of the part of a table at `index`.
    pub fn slots(&self, table: &Table, index: usize) -> Vec<u64> {
        self.part_range(table, index).step_by(table.entry_size as usize).collect()
    }
}

//! A kernel image in small: every section and symbol that the seal step asks for, with the tables filled by the test.

use std::collections::{BTreeMap, HashSet};

use object::elf::{STT_FUNC, STT_NOTYPE, STT_OBJECT};

use super::elf::Relocation;
use super::{Elf, record_bytes};
use crate::layout::{KERNEL_MAP, PAGE, PHYSICAL_START};
use crate::seal::image::Image;
use crate::table::{Access, Lifetime, Table};
use crate::tables;

const TEXT: u64 = KERNEL_MAP + PHYSICAL_START + PAGE;
const TEXT_SIZE: u64 = 0x4_0000;

/// The image to be; each test changes one thing.
#[derive(Debug, Clone, Default)]
pub struct Kernel {
    entries: BTreeMap<&'static str, Vec<Entry>>,
    records: Vec<u8>,
    hidden: HashSet<String>,
    moved: BTreeMap<String, u64>,
    extra_sections: Vec<(String, u64, u64, Vec<u8>)>,
    extra_symbols: Vec<(String, u64, u64, u8)>,
    relocations: Vec<Relocation>,
    undefined: Vec<(String, u8)>,
    flags: BTreeMap<String, u64>,
    no_kallsyms: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    bytes: Vec<u8>,
    symbol: Option<String>,
    slot: Option<usize>,
}

impl Kernel {
    pub fn new() -> Self {
        Self::default()
    }

    /// The address of the `n`th function of the text.
    pub fn function(n: u64) -> u64 {
        TEXT + n * 16
    }

    /// An entry with its record, called `name`, and its companion's slot if the table has a companion.
    pub fn entry(&mut self, part: &str, name: &str) {
        self.entry_with(part, name, &[]);
    }

    pub fn entry_with(&mut self, part: &str, name: &str, more: &[(&str, &str)]) {
        let (table, part) = tables::part_named(part).expect(part);
        let number = self.entries.values().map(Vec::len).sum::<usize>() as u64;
        let mut bytes = Self::function(number).to_le_bytes().to_vec();
        bytes.resize(table.entry_size as usize, number as u8);
        let symbol = Self::symbol_of(part.name, name);
        let slot = table.companion.map(|companion| self.slot(companion.table, name));
        self.records.extend(record_bytes(part.section, &symbol, name, more));
        self.entries.entry(part.name).or_default().push(Entry {
            bytes,
            symbol: Some(symbol),
            slot,
        });
    }

    /// The symbol of the entry that [`Self::entry`] makes.
    pub fn symbol_of(part: &str, name: &str) -> String {
        format!("__incipit.{part}.test.{}.1_1$", name.replace(['-', '.', '='], "_"))
    }

    /// A slot that holds its name, so that it can be told from the others wherever it goes. Slots are linked in the reverse order of their entries.
    fn slot(&mut self, companion: &str, name: &str) -> usize {
        let (table, part) = tables::part_named(companion).expect(companion);
        let mut bytes = name.as_bytes().to_vec();
        bytes.resize(table.entry_size as usize, 0);
        let slots = self.entries.entry(part.name).or_default();
        slots.push(Entry {
            bytes,
            symbol: Some(Self::symbol_of(part.name, name)),
            slot: None,
        });
        slots.len() - 1
    }

    /// An entry that nobody declared.
    pub fn raw_entry(&mut self, part: &str, bytes: &[u8]) {
        let (_, part) = tables::part_named(part).expect(part);
        self.entries.entry(part.name).or_default().push(Entry {
            bytes: bytes.to_vec(),
            symbol: None,
            slot: None,
        });
    }

    /// Exception table entries: (faulting address, fixup, data), absolute.
    pub fn exceptions(&mut self, entries: &[(u64, u64, u32)]) {
        self.exceptions_at(0, entries);
    }

    /// The same, behind `place` entries that are there.
    pub fn exceptions_at(&mut self, place: u64, entries: &[(u64, u64, u32)]) {
        let start = self.addresses()["__ex_table"] + place * 12;
        for (index, (instruction, fixup, data)) in entries.iter().enumerate() {
            let at = start + index as u64 * 12;
            let mut bytes = (instruction.wrapping_sub(at) as u32).to_le_bytes().to_vec();
            bytes.extend((fixup.wrapping_sub(at + 4) as u32).to_le_bytes());
            bytes.extend(data.to_le_bytes());
            self.raw_entry("ex_table", &bytes);
        }
    }

    pub fn record(&mut self, bytes: &[u8]) {
        self.records.extend(bytes);
    }

    pub fn without_symbol(&mut self, name: &str) {
        self.hidden.insert(name.into());
    }

    /// As `CONFIG_KALLSYMS=n` leaves it.
    pub fn without_kallsyms(&mut self) {
        self.no_kallsyms = true;
        self.without_symbol("__kallsyms_start");
    }

    pub fn move_symbol(&mut self, name: &str, value: u64) {
        self.moved.insert(name.into(), value);
    }

    pub fn add_symbol(&mut self, name: &str, value: u64, size: u64, kind: u8) {
        self.extra_symbols.push((name.into(), value, size, kind));
    }

    /// A field at `at`, in `section`, that a relocation of type `kind` fills with the address of `symbol` and `addend`.
    pub fn add_relocation(&mut self, section: &str, at: u64, kind: u32, symbol: &str, addend: i64) {
        self.relocations.push((section.into(), at, kind, symbol.into(), addend));
    }

    /// Where `section` begins.
    pub fn address(&self, section: &str) -> u64 {
        self.addresses()[section]
    }

    pub fn add_undefined(&mut self, name: &str, binding: u8) {
        self.undefined.push((name.into(), binding));
    }

    pub fn add_section(&mut self, name: &str, flags: u64, address: u64, contents: &[u8]) {
        self.extra_sections.push((name.into(), flags, address, contents.to_vec()));
    }

    /// Gives a section, and so its program header, other flags.
    pub fn set_flags(&mut self, section: &str, flags: u64) {
        self.flags.insert(section.into(), flags);
    }

    pub fn image(&self) -> Image {
        Image::parse(self.bytes()).expect("an image")
    }

    /// The sections before, between and behind the tables, with the tables among them, in the order of the linker script.
    fn layout(&self) -> Vec<(&'static str, u64, u64)> {
        let tables = |access, lifetime, flags| {
            let fits = move |table: &&&Table| table.access == access && table.lifetime == lifetime;
            tables::ALL
                .iter()
                .filter(fits)
                .map(move |table| (table.output_section, flags, self.size(table)))
                .collect::<Vec<_>>()
        };
        let mut layout = vec![
            (".head.text", Elf::RX, PAGE),
            (".text", Elf::RX, TEXT_SIZE),
            (".rodata", Elf::R, 64),
            (".notes", Elf::R, 36),
        ];
        layout.extend(tables(Access::ReadOnly, Lifetime::Kept, Elf::R));
        layout.push((".init.text", Elf::RX, 64));
        layout.extend(tables(Access::ReadOnly, Lifetime::Init, Elf::R));
        layout.push((".init.data", Elf::RW, 8));
        layout.extend(tables(Access::Writable, Lifetime::Init, Elf::RW));
        layout.extend([(".data..percpu", Elf::RW, 64), (".data", Elf::RW, 64)]);
        layout.extend(tables(Access::Writable, Lifetime::Kept, Elf::RW));
        layout.extend([
            (".trailer", Elf::RW, 16),
            (".bss", Elf::RW, PAGE),
            (".brk", Elf::RW, PAGE),
            (".kallsyms", Elf::R, 16),
        ]);
        layout
    }

    fn size(&self, table: &Table) -> u64 {
        table
            .parts
            .iter()
            .flat_map(|part| self.entries.get(part.name).into_iter().flatten())
            .map(|entry| entry.bytes.len() as u64)
            .sum()
    }

    /// Where each section is.
    fn addresses(&self) -> BTreeMap<&'static str, u64> {
        let mut next = KERNEL_MAP + PHYSICAL_START;
        let mut place = |(name, _, size): (&'static str, u64, u64)| {
            let at = next;
            next = (next + size.max(1)).next_multiple_of(PAGE);
            (name, at)
        };
        self.layout().into_iter().map(&mut place).collect()
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (mut elf, addresses) = (Elf::new(2), self.addresses());
        let mut symbols = Vec::new();
        for (name, flags, size) in self
            .layout()
            .into_iter()
            .filter(|section| !(self.no_kallsyms && section.0 == ".kallsyms"))
        {
            let (at, flags) = (addresses[name], self.flags.get(name).copied().unwrap_or(flags));
            match tables::ALL.iter().find(|table| table.output_section == name) {
                Some(table) => elf.section(name, flags, at, &self.table_bytes(table, at, &addresses, &mut symbols)),
                None if matches!(name, ".bss" | ".brk") => elf.nobits(name, flags, at, size),
                None if name == ".notes" => elf.section(name, flags, at, &build_id_note()),
                None => elf.section(name, flags, at, &vec![if name == ".data" { 1 } else { 0x90 }; size as usize]),
            }
        }
        for (name, flags, address, contents) in &self.extra_sections {
            elf.section(name, *flags, *address, contents);
        }
        elf.section(crate::record::SECTION, 0, 0, &self.records);
        symbols.extend(fixed_symbols(&addresses));
        symbols.extend(self.extra_symbols.iter().cloned());
        for (name, value, size, kind) in symbols.iter().filter(|symbol| !self.hidden.contains(&symbol.0)) {
            elf.symbol(name, self.moved.get(name).copied().unwrap_or(*value), *size, *kind);
        }
        for (name, binding) in &self.undefined {
            elf.undefined(name, *binding);
        }
        for relocation in &self.relocations {
            elf.relocation(relocation.clone());
        }
        elf.build()
    }

    fn table_bytes(
        &self,
        table: &Table,
        start: u64,
        addresses: &BTreeMap<&str, u64>,
        symbols: &mut Vec<(String, u64, u64, u8)>,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in table.parts {
            symbols.push((part.start.into(), start + bytes.len() as u64, 0, STT_NOTYPE.0));
            for entry in self.entries.get(part.name).into_iter().flatten() {
                if let Some(symbol) = &entry.symbol {
                    symbols.push((symbol.clone(), start + bytes.len() as u64, table.entry_size, STT_OBJECT.0));
                }
                let at = bytes.len();
                bytes.extend(&entry.bytes);
                if let (Some(slot), Some(link)) = (entry.slot, table.companion) {
                    let companion = tables::named(link.table).expect(link.table);
                    let target = addresses[companion.output_section] + slot as u64 * companion.entry_size;
                    bytes[at + link.pointer_offset as usize..][..8].copy_from_slice(&target.to_le_bytes());
                }
            }
        }
        symbols.push((table.end.into(), start + bytes.len() as u64, 0, STT_NOTYPE.0));
        bytes
    }
}

fn fixed_symbols(addresses: &BTreeMap<&str, u64>) -> Vec<(String, u64, u64, u8)> {
    let at = |section: &str| addresses[section];
    let end = |section: &str, size: u64| at(section) + size;
    let page_behind = |section: &str| (at(section) + 1).next_multiple_of(PAGE);
    let boundaries = [
        ("_text", at(".head.text")),
        ("_stext", at(".text")),
        ("_etext", end(".text", TEXT_SIZE)),
        ("__start_rodata", at(".rodata")),
        ("__end_rodata", at(".init.text")),
        ("__init_begin", at(".init.text")),
        ("_sinittext", at(".init.text")),
        ("_einittext", end(".init.text", 64)),
        ("__per_cpu_start", at(".data..percpu")),
        ("__per_cpu_end", end(".data..percpu", 64)),
        ("__init_end", page_behind(".data..percpu")),
        ("_sdata", at(".data")),
        ("_edata", end(".trailer", 16)),
        ("__image_trailer", at(".trailer")),
        ("__bss_start", at(".bss")),
        ("__bss_stop", end(".bss", PAGE)),
        ("__brk_base", at(".brk")),
        ("__brk_limit", end(".brk", PAGE)),
        ("_end", end(".brk", PAGE)),
        ("__kallsyms_start", at(".kallsyms")),
    ];
    let mut symbols: Vec<_> = boundaries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value, 0, STT_NOTYPE.0))
        .collect();
    for (name, value) in [("startup_32", at(".head.text")), ("startup_64", at(".head.text") + 0x200)] {
        symbols.push((name.to_owned(), value, 16, STT_FUNC.0));
    }
    symbols.push(("main_extable_sort_needed".into(), at(".data"), 4, STT_OBJECT.0));
    symbols
}

/// A `.note.gnu.build-id` of 20 bytes.
fn build_id_note() -> Vec<u8> {
    let mut note = Vec::new();
    for word in [4u32, 20, 3] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"GNU\0");
    note.extend(0..20u8);
    note
}

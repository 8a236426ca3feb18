//! Divides what is loaded into items: stretches that a symbol names, and the stretches between them.
//!
//! The linker leaves no borders between the constants without a name; one begins where something refers to.

use std::ops::Range;

use object::elf;

use super::name;
use super::references::Target;
use crate::layout::{REF_DATA, REF_TEXT};
use crate::seal::image::{Image, Section};
use crate::tables::{EX_TABLE, JUMP_TABLE};

/// How long an item lives, and what it may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Given back after the boot.
    Init,
    /// In the template of the per-CPU areas. Its address stands for the copies, which stay and begin with its value.
    PerCpu,
    /// Stays, and may refer to init memory: `#[init_ref]`.
    Excepted,
    /// Stays.
    Kept,
    /// Made by the compiler from other items: as good as init memory if nothing else refers to it.
    Derived,
    /// Holds addresses to compare, not to follow.
    Compared,
}

/// A stretch of memory that is one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it begins; it ends where the next one does.
    pub start: u64,
    /// The symbol that names it, as an index.
    pub symbol: Option<usize>,
    /// The section that it is in, as an index.
    pub section: usize,
    /// What kind it is of.
    pub class: Class,
}

/// The items of an image, by address.
#[derive(Debug)]
pub struct Items(Vec<Item>);

/// A place where an item may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cut {
    start: u64,
    symbol: Option<usize>,
}

impl Items {
    /// Divides `image`; `targets` are the addresses that something refers to, in any order.
    #[must_use]
    pub fn of(image: &Image, is_place: impl Fn(&str) -> bool, targets: impl IntoIterator<Item = u64>) -> Self {
        let mut cuts: Vec<Cut> = targets.into_iter().map(|start| Cut { start, symbol: None }).collect();
        for (index, symbol) in image.symbols().iter().enumerate() {
            let kind = [elf::STT_FUNC, elf::STT_OBJECT, elf::STT_NOTYPE]
                .iter()
                .any(|kind| kind.0 == symbol.kind);
            if kind && symbol.is_named_place() && !is_place(&symbol.name) {
                cuts.push(Cut {
                    start: symbol.value,
                    symbol: Some(index),
                });
            }
        }
        cuts.sort_unstable();
        let mut sections: Vec<_> = image
            .sections()
            .iter()
            .filter(|section| section.is_loaded() && section.size != 0)
            .collect();
        sections.sort_by_key(|section| section.address);
        let mut items = Vec::with_capacity(cuts.len());
        for section in sections {
            let first = cuts.partition_point(|cut| cut.start < section.address);
            let last = cuts.partition_point(|cut| cut.start < section.range().end);
            divide(image, section, &cuts[first..last], &mut items);
        }
        Self(items)
    }

    /// All of them, by address.
    #[must_use]
    pub fn all(&self) -> &[Item] {
        &self.0
    }

    /// The item that `target` is, as an index; none for the edge of a table.
    #[must_use]
    pub fn target(&self, target: Target) -> Option<usize> {
        match target {
            Target::Address(address) => self.at(address),
            Target::Table(_) => None,
        }
    }

    /// The item that `address` is in, as an index.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<usize> {
        self.0.partition_point(|item| item.start <= address).checked_sub(1)
    }
}

/// Appends the items of `section`, which `cuts` are in.
fn divide(image: &Image, section: &Section, cuts: &[Cut], items: &mut Vec<Item>) {
    let classes = Classes::of(image, section);
    let mut push = |start, symbol| {
        let class = classes.of_item(image, start, symbol);
        items.push(Item {
            start,
            symbol,
            section: section.index,
            class,
        });
    };
    if cuts.first().is_none_or(|cut| cut.start != section.address) {
        push(section.address, None);
    }
    // Where the symbol that came last ends, if it has a size.
    let mut end = None;
    for same in cuts.chunk_by(|one, next| one.start == next.start) {
        let start = same[0].start;
        match end {
            // Inside of what another symbol names: a label, or the tail that two strings share.
            Some(end) if start < end => continue,
            Some(end) if end < start => push(end, None),
            _ => {}
        }
        let symbols = same.iter().filter_map(|cut| cut.symbol);
        let symbol = symbols.max_by_key(|&symbol| name::weight(&image.symbols()[symbol]));
        push(start, symbol);
        let size = symbol.map_or(0, |symbol| image.symbols()[symbol].size);
        end = (size != 0).then(|| start + size);
    }
    if let Some(end) = end.filter(|end| *end < section.range().end) {
        push(end, None);
    }
}

/// What decides the class of the items of one section.
struct Classes {
    /// The class of all of them, if the section decides.
    all: Option<Class>,
    /// Where the exceptions are.
    excepted: Range<u64>,
    /// The class of what has no name.
    nameless: Class,
}

impl Classes {
    fn of(image: &Image, section: &Section) -> Self {
        let address = |symbol: &str| image.address_of(symbol).unwrap_or_default();
        let init = address("__init_begin")..address("__init_end");
        let all = match section.name.as_str() {
            ".data..percpu" => Some(Class::PerCpu),
            name if [EX_TABLE.output_section, JUMP_TABLE.output_section].contains(&name) => Some(Class::Compared),
            _ => init.contains(&section.address).then_some(Class::Init),
        };
        let (_, start, end) = if section.is_code() { REF_TEXT } else { REF_DATA };
        // What stands in a table or a slice without a symbol is an entry all the same, kept although nothing refers to it.
        let is_plain = [".text", ".rodata", ".data", ".bss"].contains(&section.name.as_str());
        Self {
            all,
            excepted: address(start)..address(end),
            nameless: if is_plain { Class::Derived } else { Class::Kept },
        }
    }

    fn of_item(&self, image: &Image, start: u64, symbol: Option<usize>) -> Class {
        match (self.all, symbol) {
            (Some(class), _) => class,
            _ if self.excepted.contains(&start) => Class::Excepted,
            (None, None) => self.nameless,
            (None, Some(symbol)) if name::is_item(&image.symbols()[symbol].name) => Class::Kept,
            (None, Some(_)) => Class::Derived,
        }
    }
}

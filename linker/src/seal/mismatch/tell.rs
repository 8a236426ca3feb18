//! Puts mismatches into words: both places, and what would mend it.

use std::collections::HashMap;

use super::items::{Class, Item, Items};
use super::name;
use super::place::Lines;
use super::reach::Mismatch;
use super::references::Target;
use crate::record::SYMBOL_PREFIX;
use crate::seal::image::{Image, Section};
use crate::seal::records::Record;

/// What is needed to tell of a mismatch.
pub struct Teller<'i> {
    image: &'i Image,
    items: &'i Items,
    lines: Lines<'i>,
    /// By the symbol of the entry, and by the path.
    records: HashMap<&'i str, &'i Record>,
}

impl<'i> Teller<'i> {
    /// Someone who tells of the mismatches in `image`, whose declarations are `records`.
    #[must_use]
    pub fn new(image: &'i Image, items: &'i Items, records: &'i [Record]) -> Self {
        let paths = records.iter().map(|record| (record.path.as_str(), record));
        let entries = records.iter().map(|record| (record.entry.as_str(), record));
        Self {
            image,
            items,
            lines: Lines::of(image),
            records: paths.chain(entries).collect(),
        }
    }

    /// A sentence on `mismatch`.
    #[must_use]
    pub fn tell(&self, mismatch: &Mismatch) -> String {
        let first = self.thing(mismatch.root, mismatch.at);
        let through = mismatch
            .derived
            .map_or_else(String::new, |(item, at)| format!(", through {},", self.thing(item, at).text()));
        let (target, second) = match mismatch.to {
            Target::Table(table) => (format!("the table {} ({})", table.name, table.output_section), None),
            Target::Address(address) => {
                let thing = self.items.at(address).map(|item| self.thing(item, self.items.all()[item].start));
                (thing.as_ref().map_or_else(String::new, Thing::text), thing)
            }
        };
        let advice = advice(&first, second.as_ref());
        format!(
            "{} stays after the boot and refers{through} to {target}, which does not: {advice}",
            first.text()
        )
    }

    /// The item with the index `item`; its place is that of the code at `address`, or of its declaration, or its section.
    fn thing(&self, item: usize, address: u64) -> Thing<'i> {
        let Item {
            symbol, section, class, ..
        } = self.items.all()[item];
        let section = &self.image.sections()[section];
        let Some(symbol) = symbol.map(|symbol| self.image.symbols()[symbol].name.as_str()) else {
            return Thing {
                name: "a constant without a name".to_owned(),
                place: section.name.clone(),
                attribute: None,
            };
        };
        let name = name::readable(symbol);
        let record = self.records.get(symbol).or_else(|| self.records.get(name.as_str()));
        let line = if section.is_code() { self.lines.place(address) } else { None };
        Thing {
            place: line
                .or_else(|| record.map(|record| record.place()))
                .unwrap_or_else(|| section.name.clone()),
            attribute: attribute(section).filter(|_| class != Class::Derived && !symbol.starts_with(SYMBOL_PREFIX)),
            name: record.map_or(name, |record| record.path.clone()),
        }
    }
}

/// The attribute that puts what is in `section` into init memory, or has put it there; none for a table.
fn attribute(section: &Section) -> Option<&'static str> {
    match section.name.as_str() {
        ".text" | ".init.text" => Some("#[init]"),
        ".rodata" | ".data" | ".bss" | ".init.rodata" | ".init.data" => Some("#[initdata]"),
        _ => None,
    }
}

/// An item as people know it.
struct Thing<'i> {
    name: String,
    place: String,
    /// The attribute that puts it into init memory, if the source has an item for one to stand on.
    attribute: Option<&'i str>,
}

impl Thing<'_> {
    fn text(&self) -> String {
        format!("{} ({})", self.name, self.place)
    }

    /// The last part of its path.
    fn short(&self) -> &str {
        self.name.rsplit("::").next().unwrap_or(&self.name)
    }
}

/// What would mend a reference of `first` to `second`, or to a table.
fn advice(first: &Thing<'_>, second: Option<&Thing<'_>>) -> String {
    let mut ways = Vec::new();
    if let Some(attribute) = first.attribute {
        ways.push(format!("put `{attribute}` on {}", first.short()));
    }
    if let Some((second, attribute)) = second.and_then(|second| Some((second, second.attribute?))) {
        ways.push(format!("take `{attribute}` from {}", second.short()));
    }
    if first.attribute.is_some() {
        ways.push("say why with `#[init_ref(\"reason\")]` there".to_owned());
    }
    match ways.as_slice() {
        [] => "it must do without".to_owned(),
        [way] => way.clone(),
        [ways @ .., last] => format!("{}, or {last}", ways.join(", ")),
    }
}

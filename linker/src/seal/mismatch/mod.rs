//! Holds what stays against what is given back after the boot: nothing that stays refers to init memory.
//!
//! The references are the relocations that the linker leaves in its output, so they are those of the image itself, after inlining and garbage collection. The image is
//! divided into [`items`]:
//!
//! - what lies in init memory may refer to anything;
//! - what the source names (a function, a method of a plain type, a static) and lies elsewhere stays, and must not refer to init memory;
//! - what the compiler derived (closures, generic code, glue, constants without a name) lies where the compiler puts it. It is as good as init memory as long as
//!   only init memory refers to it ([`reach`]).
//!
//! A bound of init memory, such as `__init_begin`, is a place and no thing; a bound of a table in it is the table. The address of a per-CPU variable stands for
//! its copies. `#[init_ref("reason")]` makes an exception, which `seal -v` lists.
//!
//! What init code writes at run time into what stays, no relocation tells.

mod items;
mod name;
mod place;
mod reach;
mod references;

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;

use super::image::Image;
use super::problem::Problems;
use super::records::Record;
use items::{Item, Items};
use place::Lines;
use reach::Mismatch;
use references::{Places, References, Target};

/// Subject of the problems.
const SUBJECT: &str = "section mismatch";

/// Notes every reference from what stays to init memory, once for each pair.
///
/// # Errors
///
/// If the relocations of `image` cannot be understood.
pub fn check(image: &Image, records: &[Record], problems: &mut Problems) -> Result<()> {
    let places = Places::new();
    let references = References::read(image, &places)?;
    let targets = references.plain.iter().filter_map(|reference| match reference.to {
        Target::Address(address) => Some(address),
        Target::Table(_) => None,
    });
    let items = Items::of(image, |symbol| places.contains(symbol), targets);
    let references = references.resolved(&items);
    let mismatches = reach::mismatches(&items, &references);
    if mismatches.is_empty() {
        return Ok(());
    }
    let teller = Teller::new(image, &items, records);
    let messages: BTreeSet<_> = mismatches.iter().map(|mismatch| teller.tell(mismatch)).collect();
    for message in messages {
        problems.add(SUBJECT, message);
    }
    Ok(())
}

/// Puts mismatches into words.
struct Teller<'i> {
    image: &'i Image,
    items: &'i Items,
    lines: Lines<'i>,
    records: HashMap<&'i str, &'i Record>,
}

impl<'i> Teller<'i> {
    fn new(image: &'i Image, items: &'i Items, records: &'i [Record]) -> Self {
        let named = records
            .iter()
            .flat_map(|record| [(record.entry.as_str(), record), (record.path.as_str(), record)]);
        Self {
            image,
            items,
            lines: Lines::of(image),
            records: named.collect(),
        }
    }

    fn tell(&self, mismatch: &Mismatch) -> String {
        let root = &self.items.all()[mismatch.root];
        let mut message = format!("{} stays and refers", self.describe(root, mismatch.at));
        if let Some((derived, at)) = mismatch.derived {
            message.push_str(&format!(", through {},", self.describe(&self.items.all()[derived], at)));
        }
        match mismatch.to {
            Target::Table(table) => message.push_str(&format!(" to the table {} ({})", table.name, table.output_section)),
            Target::Address(address) => {
                let target = self.items.at(address).map(|item| &self.items.all()[item]);
                message.push_str(&format!(
                    " to {}",
                    target.map_or_else(String::new, |target| self.describe(target, address))
                ));
            }
        }
        message
    }

    /// An item as people know it, with its place: that of the code at `address`, or of its declaration, or its section.
    fn describe(&self, item: &Item, address: u64) -> String {
        let section = &self.image.sections()[item.section];
        let Some(symbol) = item.symbol.map(|symbol| &self.image.symbols()[symbol].name) else {
            return format!("a constant without a name ({})", section.name);
        };
        let name = name::readable(symbol);
        if let Some(record) = self.records.get(symbol.as_str()).or_else(|| self.records.get(name.as_str())) {
            return format!("{} ({})", record.path, record.place());
        }
        let place = if section.is_code() { self.lines.place(address) } else { None };
        format!("{name} ({})", place.as_deref().unwrap_or(&section.name))
    }
}

//! What a description of a link-time table says.
//!
//! Plain data, so that a table can be a constant; the meaning of each field is fixed by who reads it (see the crate's page).

/// A link-time table: the entries that many objects place in one section, between two symbols.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// What people call it, and the name of its accessor's constant in lower case: `param` becomes `PARAM`.
    pub name: &'static str,
    /// The section in the image.
    pub output_section: &'static str,
    /// The parts in the order in which they are walked. Most tables have one; initcalls have one per level.
    pub parts: &'static [Part],
    /// The symbol behind the last entry.
    pub end: &'static str,
    /// Size of an entry in bytes.
    pub entry_size: u64,
    /// Alignment of the section in bytes, a power of two.
    pub entry_align: u64,
    /// The entry's type as the kernel spells it, from the root of the crate `incipit`.
    pub entry_type: &'static str,
    /// Whether each entry begins with the address of a function.
    pub begins_with_function: bool,
    /// How the post-link step leaves the entries of each part.
    pub sort: Sort,
    /// Whether the kernel may write to entries.
    pub access: Access,
    /// Until when the entries exist.
    pub lifetime: Lifetime,
    /// The table whose slots each entry points to, if it has one.
    pub companion: Option<Companion>,
    /// The symbol of the configuration without which the table is left out of the image, entries and all.
    pub config: Option<&'static str>,
    /// The attribute or macro that makes an entry, as a user writes it.
    pub declared_by: &'static str,
    /// Who walks the table, and when.
    pub walked_by: &'static str,
    /// One sentence on what an entry is.
    pub about: &'static str,
}

/// One input section of a table.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Short name, unique among all parts of all tables: the middle of the symbols `__incipit.<part>.…`.
    pub name: &'static str,
    /// The input section that attributes put entries into.
    pub section: &'static str,
    /// The symbol before the first entry.
    pub start: &'static str,
}

/// The key by which the post-link step sorts the entries of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Left as linked.
    None,
    /// By the rank that `after(…)` gives, then by name, then by path.
    RankName,
    /// By name, with `-` taken for `_`, then by path.
    FoldedName,
    /// By path: the entries of one module stand together.
    Path,
    /// By the address that may fault; the fields are relative to themselves and are re-biased when an entry moves.
    ExceptionTable,
    /// Left as linked: each entry begins with two addresses of code, 32 bits and relative to themselves.
    RelativeCode,
    /// In the order of the table that points to the entries.
    WithCompanion,
}

/// Whether the kernel may write to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// In read-only memory.
    ReadOnly,
    /// In writable memory.
    Writable,
}

/// Until when a table exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Inside `__init_begin`…`__init_end`, given back after the boot.
    Init,
    /// As long as the kernel.
    Kept,
}

/// That each entry of a table points to a slot of another one, its companion, which has a slot for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Companion {
    /// Name of the table that holds the slots.
    pub table: &'static str,
    /// Where in the entry the pointer is, in bytes.
    pub pointer_offset: u64,
}

impl Table {
    /// The symbol before the first entry.
    #[must_use]
    pub const fn start(&self) -> &'static str {
        self.parts[0].start
    }

    /// The part that is filled through `section`, if it is one of this table.
    #[must_use]
    pub fn part_of(&self, section: &str) -> Option<&'static Part> {
        self.parts.iter().find(|part| part.section == section)
    }

    /// The symbol behind the last entry of the part at `index`.
    #[must_use]
    pub fn part_end(&self, index: usize) -> &'static str {
        self.parts.get(index + 1).map_or(self.end, |next| next.start)
    }
}

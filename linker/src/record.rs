//! The declaration record: what a declared entry says of itself to the tools.
//!
//! Each attribute leaves one record, beside the entry itself, in the section [`SECTION`], which is in the file of the image but not in memory. A record is
//! text: [`BEGIN`], then `key=value` pairs with [`SEPARATOR`] between them, then [`END`].

/// The section that collects the records.
pub const SECTION: &str = ".incipit.declared";
/// First byte of a record.
pub const BEGIN: u8 = 0x1e;
/// Byte between two pairs.
pub const SEPARATOR: u8 = 0x1f;
/// Last byte of a record.
pub const END: u8 = 0;

/// Every symbol of an entry and of a record starts with this.
pub const SYMBOL_PREFIX: &str = "__incipit.";
/// Every symbol of an entry and of a record ends with this, so that it can be found where names stand without separators.
pub const SYMBOL_END: char = '$';
/// What follows [`SYMBOL_PREFIX`] in the symbol of a record.
pub const RECORD_PART: &str = "declared.";

/// The keys of a record.
pub mod key {
    /// Input section of the part that the entry is in.
    pub const TABLE: &str = "table";
    /// Symbol of the entry. The record of an exception from the rules of init memory has none.
    pub const ENTRY: &str = "entry";
    /// What users call it.
    pub const NAME: &str = "name";
    /// Path of the annotated item: module path, `::`, identifier.
    pub const PATH: &str = "path";
    /// Source file.
    pub const FILE: &str = "file";
    /// Line in the source file.
    pub const LINE: &str = "line";
    /// Type of a parameter, as Linux calls it; of an option's handler, `early`, `setup` or `obsolete`.
    pub const TYPE: &str = "type";
    /// What a parameter starts as, as its source says it.
    pub const DEFAULT: &str = "default";
    /// Permissions of a parameter, octal.
    pub const PERM: &str = "perm";
    /// Level before which a parameter is parsed; without the key, all levels.
    pub const LEVEL: &str = "level";
    /// Documentation of the annotated item, first paragraph.
    pub const DOC: &str = "doc";
    /// Why the item may refer to init memory although it stays.
    pub const REASON: &str = "reason";
    /// Paths of what the entry comes after, a comma behind each.
    pub const AFTER: &str = "after";
    /// Paths of what the entry comes before, a comma behind each.
    pub const BEFORE: &str = "before";
    /// Paths of the capabilities that the entry provides, a comma behind each.
    pub const PROVIDES: &str = "provides";
    /// Paths of the capabilities that the entry cannot do without, a comma behind each.
    pub const REQUIRES: &str = "requires";
    /// Paths of the capabilities that the entry comes after if they are there, a comma behind each.
    pub const WANTS: &str = "wants";
    /// What an error of the entry means: `ignore`, `warn` (also without the key), `skip_dependents` or `panic`.
    pub const ON_ERROR: &str = "on_error";
    /// `1` for the stage behind all others.
    pub const LAST: &str = "last";
    /// `1` for a capability that one entry may provide at most.
    pub const EXCLUSIVE: &str = "exclusive";
}

//! Writes the reference page of the tables, `docs/reference/tables.md`, from the descriptions.

use std::fmt::Write;

use crate::table::{Access, Lifetime, Sort};
use crate::tables;

/// The page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# The tables\n\nGenerated from the descriptions in `linker/src/tables.rs` (`make reference`); a test holds this page against them.\n",
    );
    for table in tables::ALL {
        let _ = writeln!(page, "\n## {}\n\n{}\n", table.name, table.about);
        let sorted = match table.sort {
            Sort::None | Sort::RelativeCode => "as linked",
            Sort::RankName => "by rank, then name, then path",
            Sort::FoldedName => "by name, `-` taken for `_`",
            Sort::Path => "by path",
            Sort::ExceptionTable => "by the address that may fault",
            Sort::WithCompanion => "as the table that points to it",
        };
        let rows = [
            ("declared by", format!("`{}`", table.declared_by)),
            ("walked by", table.walked_by.to_owned()),
            ("output section", format!("`{}`", table.output_section)),
            ("end symbol", format!("`{}`", table.end)),
            (
                "entry",
                format!(
                    "`incipit::{}`, {} bytes, aligned to {}",
                    table.entry_type, table.entry_size, table.entry_align
                ),
            ),
            ("order", sorted.to_owned()),
            (
                "access",
                if table.access == Access::ReadOnly {
                    "read-only"
                } else {
                    "writable"
                }
                .to_owned(),
            ),
            (
                "lifetime",
                if table.lifetime == Lifetime::Init {
                    "freed after the boot; walked with an `InitMemory`"
                } else {
                    "kept"
                }
                .to_owned(),
            ),
            (
                "configuration",
                table.config.map_or_else(|| "always".to_owned(), |symbol| format!("`{symbol}`")),
            ),
        ];
        page.push_str("| | |\n| --- | --- |\n");
        for (what, value) in rows {
            let _ = writeln!(page, "| {what} | {value} |");
        }
        page.push_str("\n| input section | start symbol |\n| --- | --- |\n");
        for part in table.parts {
            let _ = writeln!(page, "| `{}` | `{}` |", part.section, part.start);
        }
    }
    page
}

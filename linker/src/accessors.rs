//! Writes the kernel's typed accessors, the inside of its module `table`, from the descriptions.
//!
//! Each table becomes a constant of type `Table<Entry>`, or `InitTable<Entry>` if it goes after the boot, each initcall level's parts one more; sizes and alignments are asserted where the type is known.

use std::fmt::Write;

use crate::script::Options;
use crate::table::{Access, Lifetime, Sort, Table};
use crate::tables;

/// The Rust source of the accessors.
#[must_use]
pub fn generate(options: &Options) -> String {
    let mut out = String::from("// Generated from the table descriptions of incipit-linker.\n\n");
    let included: Vec<_> = tables::ALL.iter().copied().filter(|table| options.includes(table)).collect();
    for table in &included {
        accessor(&mut out, table);
    }
    let _ = writeln!(
        out,
        "/// What people are shown of each.\nconst DESCRIPTIONS: [Description; {}] = [",
        included.len()
    );
    for table in &included {
        let _ = writeln!(
            out,
            "    Description {{ name: {:?}, section: {:?}, start: {}.0.start, end: {}.0.end, entry_size: {}, sorted: {}, writable: {}, freed: {}, about: {:?} }},",
            table.name,
            table.output_section,
            constant(table),
            constant(table),
            table.entry_size,
            table.sort != Sort::None,
            table.access == Access::Writable,
            table.lifetime == Lifetime::Init,
            table.about
        );
    }
    out.push_str("];\n");
    out
}

fn constant(table: &Table) -> String {
    table.name.to_uppercase()
}

/// The type of the table's accessor, without the entry's.
fn kind(table: &Table) -> &'static str {
    match table.lifetime {
        Lifetime::Init => "InitTable",
        Lifetime::Kept => "Table",
    }
}

fn accessor(out: &mut String, table: &Table) {
    let (constant, kind) = (constant(table), kind(table));
    let entry = format!("crate::{}", table.entry_type);
    let _ = writeln!(
        out,
        "const _: () = assert!(size_of::<{entry}>() == {}, \"{}: the entry's size\");",
        table.entry_size, table.name
    );
    let _ = writeln!(
        out,
        "const _: () = assert!(align_of::<{entry}>() <= {}, \"{}: the entry's alignment\");",
        table.entry_align, table.name
    );
    let _ = writeln!(
        out,
        "// SAFETY: the linker script defines them; their type has no bytes.\nunsafe extern \"C\" {{"
    );
    for part in table.parts {
        let _ = writeln!(out, "    static {}: Boundary;", part.start);
    }
    let _ = writeln!(out, "    static {}: Boundary;\n}}", table.end);
    let one = |out: &mut String, doc: &str, name: &str, start: &str, end: &str| {
        let _ = writeln!(
            out,
            "/// {doc}\n// SAFETY: the linker script, made from the same description, puts nothing but entries of this type between the two symbols.\n\
             pub const {name}: {kind}<{entry}> = unsafe {{ {kind}::new(&raw const {start}, &raw const {end}) }};"
        );
    };
    one(
        out,
        &format!("{} Section `{}`; walked by {}.", table.about, table.output_section, table.walked_by),
        &constant,
        table.start(),
        table.end,
    );
    if table.parts.len() > 1 {
        for (index, part) in table.parts.iter().enumerate() {
            one(
                out,
                &format!("The part `{}` of [`{constant}`].", part.section),
                &part.name.to_uppercase(),
                part.start,
                table.part_end(index),
            );
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_an_accessor_between_its_two_symbols() {
        let source = generate(&Options {
            config: tables::ALL.iter().filter_map(|table| table.config).map(str::to_owned).collect(),
            slices: Vec::new(),
        });
        for table in tables::ALL {
            let kind = if table.lifetime == Lifetime::Init { "InitTable" } else { "Table" };
            let line = format!("pub const {}: {kind}<crate::{}>", table.name.to_uppercase(), table.entry_type);
            assert!(source.contains(&line), "{line}");
            assert!(source.contains(&format!("static {}: Boundary;", table.end)));
        }
    }
}

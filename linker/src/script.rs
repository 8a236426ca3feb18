//! Writes the linker script of the image, `vmlinux.lds`, from the descriptions.
//!
//! The script is strict: a section that nobody described fails the link (`--orphan-handling=error`), each table is an output section of its own that starts
//! at its start symbol, and each change of permissions starts a page and a program header with explicit flags.

use std::fmt::{self, Write};

use crate::layout::{CACHE_LINE, KERNEL_MAP, PAGE, PERCPU_PIECES, PHYSICAL_START, REF_DATA, TEXT_RANGES};
use crate::table::{Access, Lifetime, Table};
use crate::tables;

/// What the script depends on besides the descriptions.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// The symbols of the configuration that are on; a table whose symbol is not among them is discarded.
    pub config: Vec<String>,
    /// The `linkme` slices that the objects hold.
    pub slices: Vec<Slice>,
}

/// A `linkme` slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The `NAME` of its sections `linkme_NAME` and `linkm2_NAME`.
    pub name: String,
    /// Whether its elements may change: whether an object has it in a writable section.
    pub writable: bool,
}

impl Options {
    /// Whether the image has `table`.
    #[must_use]
    pub fn includes(&self, table: &Table) -> bool {
        table.config.is_none_or(|symbol| self.is_on(symbol))
    }

    /// With every symbol on that changes the script.
    #[must_use]
    pub fn everything() -> Self {
        let symbols = tables::ALL.iter().filter_map(|table| table.config).chain([KALLSYMS]);
        Self {
            config: symbols.map(str::to_owned).collect(),
            slices: Vec::new(),
        }
    }

    /// Whether the configuration has `symbol` on.
    fn is_on(&self, symbol: &str) -> bool {
        self.config.iter().any(|on| on == symbol)
    }
}

/// The symbol without which the image has no symbol table.
const KALLSYMS: &str = "CONFIG_KALLSYMS";

/// Output sections for debuggers, each beside its own name in the objects.
const DEBUG_SECTIONS: &[&str] = &[
    "abbrev",
    "addr",
    "aranges",
    "cu_index",
    "frame",
    "gdb_scripts",
    "info",
    "line",
    "line_str",
    "loc",
    "loclists",
    "macro",
    "macinfo",
    "names",
    "pubnames",
    "pubtypes",
    "ranges",
    "rnglists",
    "str",
    "str_offsets",
    "tu_index",
    "types",
];

/// Sections of a dynamic or unwinding program: an image that is linked at a fixed address must not have any.
const MUST_BE_EMPTY: &[(&str, &str, u64)] = &[
    (".got", "*(.got .igot.*)", 0),
    // GNU ld leaves the three reserved words as soon as anything mentions the table.
    (".got.plt", "*(.got.plt)", 24),
    (".plt", "*(.plt .plt.* .iplt)", 0),
    (".rela.dyn", "*(.rela.* .rela_*)", 0),
    (".rel.dyn", "*(.rel.* .rel_*)", 0),
];

/// The linker script.
#[must_use]
pub fn generate(options: &Options) -> String {
    let mut script = String::with_capacity(16 * 1024);
    write_script(&mut script, options).expect("writing to a string succeeds");
    script
}

/// The symbols that the script defines, whatever the configuration: places, without anything in them.
#[must_use]
pub fn symbols() -> Vec<String> {
    let script = generate(&Options::everything());
    let assigned = script.lines().filter_map(|line| line.trim().strip_suffix(" = .;"));
    assigned.map(str::to_owned).collect()
}

fn write_script(out: &mut String, options: &Options) -> fmt::Result {
    out.push_str(
        "/* Generated from the table descriptions of incipit-linker. */\n\nOUTPUT_FORMAT(elf64-x86-64)\nOUTPUT_ARCH(i386:x86-64)\nENTRY(startup_64)\n\n\
         PHDRS\n{\n    text PT_LOAD FLAGS(5);\n    rodata PT_LOAD FLAGS(4);\n    init_text PT_LOAD FLAGS(5);\n    init_rodata PT_LOAD FLAGS(4);\n    \
         init_data PT_LOAD FLAGS(6);\n    data PT_LOAD FLAGS(6);\n",
    );
    if options.is_on(KALLSYMS) {
        out.push_str("    symbols PT_LOAD FLAGS(4);\n");
    }
    out.push_str("    note PT_NOTE FLAGS(4);\n}\n\nSECTIONS\n{\n");
    writeln!(out, "    . = {:#x};\n    _text = .;", KERNEL_MAP + PHYSICAL_START)?;
    text(out)?;
    read_only(out, options)?;
    init(out, options)?;
    data(out, options)?;
    not_loaded(out, options)?;
    out.push_str("}\n\n");
    assertions(out, options)
}

/// Opens an output section whose load address is its physical one.
fn open(out: &mut String, section: &str, align: u64) -> fmt::Result {
    writeln!(
        out,
        "    {section} : AT(ADDR({section}) - {KERNEL_MAP:#x}) ALIGN({align:#x})\n    {{"
    )
}

fn close(out: &mut String, header: &str) {
    let _ = writeln!(out, "    }} :{header}");
}

fn text(out: &mut String) -> fmt::Result {
    open(out, ".head.text", PAGE)?;
    out.push_str("        KEEP(*(.head.text))\n        KEEP(*(.head.text.*))\n");
    close(out, "text");
    open(out, ".text", PAGE)?;
    out.push_str("        _stext = .;\n");
    for (section, start, end) in TEXT_RANGES {
        writeln!(
            out,
            "        . = ALIGN(16);\n        {start} = .;\n        *({section} {section}.*)\n        {end} = .;"
        )?;
    }
    out.push_str("        *(.text .text.*)\n        _etext = .;\n");
    close(out, "text");
    Ok(())
}

fn read_only(out: &mut String, options: &Options) -> fmt::Result {
    writeln!(out, "    . = ALIGN({PAGE:#x});\n    __start_rodata = .;")?;
    open(out, ".rodata", PAGE)?;
    out.push_str("        *(.rodata .rodata.* .data.rel.ro .data.rel.ro.*)\n");
    close(out, "rodata");
    open(out, ".notes", 4)?;
    out.push_str(
        "        __start_notes = .;\n        KEEP(*(.note.Xen))\n        KEEP(*(.note.gnu.build-id))\n        __stop_notes = .;\n",
    );
    let _ = writeln!(out, "    }} :rodata :note");
    tables_with(out, options, Access::ReadOnly, Lifetime::Kept, "rodata")?;
    slices_with(out, options, Access::ReadOnly, "rodata")?;
    writeln!(out, "    . = ALIGN({PAGE:#x});\n    __end_rodata = .;")
}

fn init(out: &mut String, options: &Options) -> fmt::Result {
    writeln!(out, "    __init_begin = .;")?;
    open(out, ".init.text", PAGE)?;
    out.push_str(
        "        _sinittext = .;\n        *(.init.text .init.text.*)\n        *(.altinstr_replacement)\n        _einittext = .;\n",
    );
    close(out, "init_text");
    writeln!(out, "    . = ALIGN({PAGE:#x});\n    __start_init_rodata = .;")?;
    open(out, ".init.rodata", PAGE)?;
    out.push_str("        *(.init.rodata .init.rodata.*)\n");
    close(out, "init_rodata");
    tables_with(out, options, Access::ReadOnly, Lifetime::Init, "init_rodata")?;
    writeln!(out, "    . = ALIGN({PAGE:#x});\n    __end_init_rodata = .;")?;
    open(out, ".init.data", PAGE)?;
    out.push_str("        *(.init.data .init.data.*)\n");
    close(out, "init_data");
    tables_with(out, options, Access::Writable, Lifetime::Init, "init_data")?;
    open(out, ".data..percpu", PAGE)?;
    out.push_str("        __per_cpu_load = .;\n        __per_cpu_start = .;\n");
    for (variant, section, align) in PERCPU_PIECES {
        // What is in the piece of pages is aligned to them by itself, and without it the piece costs nothing.
        if *variant != "page_aligned" {
            writeln!(out, "        . = ALIGN({align:#x});")?;
        }
        writeln!(out, "        *({section})")?;
    }
    out.push_str("        __per_cpu_end = .;\n");
    close(out, "init_data");
    writeln!(out, "    . = ALIGN({PAGE:#x});\n    __init_end = .;")
}

fn data(out: &mut String, options: &Options) -> fmt::Result {
    open(out, ".data", PAGE)?;
    out.push_str("        _sdata = .;\n        *(.data..page_aligned)\n        *(.data .data.[!.]*)\n");
    let (section, start, end) = REF_DATA;
    writeln!(
        out,
        "        . = ALIGN(16);\n        {start} = .;\n        *({section} {section}.*)\n        {end} = .;"
    )?;
    close(out, "data");
    tables_with(out, options, Access::Writable, Lifetime::Kept, "data")?;
    slices_with(out, options, Access::Writable, "data")?;
    for (section, inputs, _) in MUST_BE_EMPTY {
        open(out, section, 8)?;
        writeln!(out, "        {inputs}")?;
        close(out, "data");
    }
    open(out, ".trailer", 16)?;
    out.push_str("        __image_trailer = .;\n        QUAD(0)\n        QUAD(0)\n        _edata = .;\n");
    close(out, "data");
    open(out, ".bss", PAGE)?;
    writeln!(
        out,
        "        __bss_start = .;\n        *(.bss..page_aligned)\n        *(.bss .bss.[!.]* COMMON)\n        . = ALIGN({PAGE:#x});\n        __bss_stop = .;"
    )?;
    close(out, "data");
    open(out, ".brk", PAGE)?;
    writeln!(
        out,
        "        __brk_base = .;\n        KEEP(*(.bss..brk))\n        . = ALIGN({PAGE:#x});\n        __brk_limit = .;"
    )?;
    close(out, "data");
    writeln!(out, "    . = ALIGN({PAGE:#x});\n    _end = .;")?;
    if options.is_on(KALLSYMS) {
        open(out, ".kallsyms", PAGE)?;
        out.push_str("        __kallsyms_start = .;\n        QUAD(0)\n        QUAD(0)\n");
        close(out, "symbols");
    }
    Ok(())
}

/// The tables with this access and lifetime, an output section each.
fn tables_with(out: &mut String, options: &Options, access: Access, lifetime: Lifetime, header: &str) -> fmt::Result {
    for table in tables::ALL
        .iter()
        .filter(|table| options.includes(table) && table.access == access && table.lifetime == lifetime)
    {
        open(out, table.output_section, table.entry_align)?;
        for part in table.parts {
            writeln!(out, "        {} = .;", part.start)?;
            if table.output_section == ".init_array" {
                // Those with a priority run first, by priority; `.ctors` is the older spelling of the same thing.
                out.push_str(
                    "        KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_INIT_PRIORITY(.ctors.*)))\n        KEEP(*(.ctors))\n",
                );
            }
            writeln!(out, "        KEEP(*({}))", part.section)?;
        }
        writeln!(out, "        {} = .;", table.end)?;
        close(out, header);
    }
    Ok(())
}

/// The slices with this access, two output sections each between the symbols that `linkme` asks for.
fn slices_with(out: &mut String, options: &Options, access: Access, header: &str) -> fmt::Result {
    for slice in options.slices.iter().filter(|slice| slice.writable == (access == Access::Writable)) {
        for prefix in ["linkme", "linkm2"] {
            let section = format!("{prefix}_{}", slice.name);
            open(out, &section, CACHE_LINE)?;
            writeln!(
                out,
                "        __start_{section} = .;\n        KEEP(*({section}))\n        __stop_{section} = .;"
            )?;
            close(out, header);
        }
    }
    Ok(())
}

fn not_loaded(out: &mut String, options: &Options) -> fmt::Result {
    writeln!(out, "    {0} 0 (INFO) : {{ KEEP(*({0})) }} :NONE", crate::record::SECTION)?;
    out.push_str("    .setup16 0 (INFO) : { KEEP(*(.setup16)) }\n    .comment 0 : { *(.comment) }\n");
    for name in DEBUG_SECTIONS {
        writeln!(out, "    .debug_{name} 0 : {{ *(.debug_{name}) }}")?;
    }
    out.push_str("    .symtab 0 : { *(.symtab) }\n    .strtab 0 : { *(.strtab) }\n    .shstrtab 0 : { *(.shstrtab) }\n");
    out.push_str("    /DISCARD/ :\n    {\n        *(.eh_frame .eh_frame_hdr .gcc_except_table .gcc_except_table.*)\n");
    out.push_str("        *(.note.GNU-stack .note.gnu.property .llvm_addrsig .interp .dynamic .dynsym .dynstr .gnu.hash .hash)\n");
    for table in tables::ALL.iter().filter(|table| !options.includes(table)) {
        for part in table.parts {
            writeln!(out, "        *({})", part.section)?;
        }
    }
    out.push_str("    }\n");
    Ok(())
}

fn assertions(out: &mut String, options: &Options) -> fmt::Result {
    for table in tables::ALL.iter().filter(|table| options.includes(table)) {
        let (start, end, size) = (table.start(), table.end, table.entry_size);
        writeln!(
            out,
            "ASSERT(({end} - {start}) % {size} == 0, \"{}: not a whole number of entries of {size} bytes\")",
            table.output_section
        )?;
    }
    for (section, _, most) in MUST_BE_EMPTY {
        writeln!(
            out,
            "ASSERT(SIZEOF({section}) <= {most}, \"{section}: the image is linked at a fixed address and must not need it\")"
        )?;
    }
    writeln!(
        out,
        "ASSERT(startup_32 == {:#x}, \"startup_32: must be the first instruction of the image\")",
        KERNEL_MAP + PHYSICAL_START
    )?;
    writeln!(
        out,
        "ASSERT(startup_64 == {:#x}, \"startup_64: must be 0x200 behind startup_32\")",
        KERNEL_MAP + PHYSICAL_START + 0x200
    )?;
    writeln!(
        out,
        "ASSERT(_end - _text <= {:#x}, \"the image is larger than the 512 MiB that its mapping covers\")",
        512 << 20
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_every_table_is_kept_behind_its_start_symbol() {
        let script = generate(&Options {
            config: tables::ALL.iter().filter_map(|table| table.config).map(str::to_owned).collect(),
            slices: Vec::new(),
        });
        for table in tables::ALL {
            for part in table.parts {
                let symbol = script
                    .find(&format!("{} = .;", part.start))
                    .unwrap_or_else(|| panic!("{}", part.start));
                let keep = script
                    .find(&format!("KEEP(*({}))", part.section))
                    .unwrap_or_else(|| panic!("{}", part.section));
                assert!(symbol < keep, "{}", part.name);
            }
        }
    }

    #[test]
    fn a_table_without_its_configuration_is_discarded() {
        let script = generate(&Options::default());
        assert!(!script.contains("__kunit_suites_start"));
        let discard = script.find("/DISCARD/").expect("a discard list");
        assert!(script[discard..].contains("*(.kunit_test_suites)"));
    }

    #[test]
    fn a_slice_has_its_two_sections_and_their_symbols() {
        let script = generate(&Options {
            config: Vec::new(),
            slices: vec![Slice {
                name: "KDB_COMMANDS".into(),
                writable: false,
            }],
        });
        for line in [
            "__start_linkme_KDB_COMMANDS = .;",
            "KEEP(*(linkme_KDB_COMMANDS))",
            "__stop_linkm2_KDB_COMMANDS = .;",
        ] {
            assert!(script.contains(line), "{line}");
        }
    }
}

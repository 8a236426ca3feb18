//! The tables, one constant each.
//!
//! To add one: add its constant here and list it in [`ALL`]; the linker script, the accessor `incipit::table::NAME`, the layout tests and the reference
//! page follow. The names of sections and symbols are Linux's where Linux has the table.

use crate::table::{Access, Companion, Lifetime, Part, Sort, Table};

/// All tables, in the order in which they stand in the reference.
pub const ALL: &[&Table] = &[
    &STAGE,
    &SETUP,
    &PARAM,
    &INITCALL,
    &CON_INITCALL,
    &EARLYCON,
    &EX_TABLE,
    &CPU_STATE,
    &JUMP_TABLE,
    &ALTINSTRUCTIONS,
    &KTEST,
    &CTORS,
    &CAPABILITY,
    &STAGE_INFO,
    &INITCALL_INFO,
    &CON_INITCALL_INFO,
];

/// The steps of `start_kernel`.
pub const STAGE: Table = Table {
    name: "stage",
    output_section: ".stage.init",
    parts: &[Part {
        name: "stage",
        section: ".stage.init",
        start: "__stage_start",
    }],
    end: "__stage_end",
    entry_size: 16,
    entry_align: 8,
    entry_type: "init::stage::StageEntry",
    begins_with_function: true,
    sort: Sort::RankName,
    access: Access::ReadOnly,
    lifetime: Lifetime::Init,
    companion: Some(Companion {
        table: "stage_info",
        pointer_offset: 8,
    }),
    config: None,
    declared_by: "#[stage]",
    walked_by: "`start_kernel`, from the first instruction of Rust to `rest_init`",
    about: "A step of the boot before initcalls.",
};

/// Handlers of the command line: Linux's `early_param` and `__setup`.
pub const SETUP: Table = Table {
    name: "setup",
    output_section: ".init.setup",
    parts: &[Part {
        name: "setup",
        section: ".init.setup",
        start: "__setup_start",
    }],
    end: "__setup_end",
    entry_size: 32,
    entry_align: 16,
    entry_type: "init::setup::SetupEntry",
    begins_with_function: false,
    sort: Sort::FoldedName,
    access: Access::ReadOnly,
    lifetime: Lifetime::Init,
    companion: None,
    config: None,
    declared_by: "#[early_param(\"name\")], #[setup(\"name=\")], obsolete_setup!(\"name=\")",
    walked_by: "`parse_early_param`, and `parse_args` for names that are no parameter",
    about: "A function that takes an option of the command line.",
};

/// Typed parameters: Linux's `module_param` and `core_param`.
pub const PARAM: Table = Table {
    name: "param",
    output_section: "__param",
    parts: &[Part {
        name: "param",
        section: "__param",
        start: "__start___param",
    }],
    end: "__stop___param",
    entry_size: 40,
    entry_align: 8,
    entry_type: "init::param::KernelParam",
    begins_with_function: false,
    sort: Sort::FoldedName,
    access: Access::ReadOnly,
    lifetime: Lifetime::Kept,
    companion: None,
    config: None,
    declared_by: "#[param]",
    walked_by: "`parse_args`, at \"Booting kernel\" and before the initcall level that a parameter names",
    about: "A static that the command line can set.",
};

/// Initcalls by level.
pub const INITCALL: Table = Table {
    name: "initcall",
    output_section: ".initcall.init",
    parts: &[
        Part {
            name: "initcallearly",
            section: ".initcallearly.init",
            start: "__initcall_start",
        },
        Part {
            name: "initcall0",
            section: ".initcall0.init",
            start: "__initcall0_start",
        },
        Part {
            name: "initcall0s",
            section: ".initcall0s.init",
            start: "__initcall0s_start",
        },
        Part {
            name: "initcall1",
            section: ".initcall1.init",
            start: "__initcall1_start",
        },
        Part {
            name: "initcall1s",
            section: ".initcall1s.init",
            start: "__initcall1s_start",
        },
        Part {
            name: "initcall2",
            section: ".initcall2.init",
            start: "__initcall2_start",
        },
        Part {
            name: "initcall2s",
            section: ".initcall2s.init",
            start: "__initcall2s_start",
        },
        Part {
            name: "initcall3",
            section: ".initcall3.init",
            start: "__initcall3_start",
        },
        Part {
            name: "initcall3s",
            section: ".initcall3s.init",
            start: "__initcall3s_start",
        },
        Part {
            name: "initcall4",
            section: ".initcall4.init",
            start: "__initcall4_start",
        },
        Part {
            name: "initcall4s",
            section: ".initcall4s.init",
            start: "__initcall4s_start",
        },
        Part {
            name: "initcall5",
            section: ".initcall5.init",
            start: "__initcall5_start",
        },
        Part {
            name: "initcall5s",
            section: ".initcall5s.init",
            start: "__initcall5s_start",
        },
        Part {
            name: "initcallrootfs",
            section: ".initcallrootfs.init",
            start: "__initcallrootfs_start",
        },
        Part {
            name: "initcallrootfss",
            section: ".initcallrootfss.init",
            start: "__initcallrootfss_start",
        },
        Part {
            name: "initcall6",
            section: ".initcall6.init",
            start: "__initcall6_start",
        },
        Part {
            name: "initcall6s",
            section: ".initcall6s.init",
            start: "__initcall6s_start",
        },
        Part {
            name: "initcall7",
            section: ".initcall7.init",
            start: "__initcall7_start",
        },
        Part {
            name: "initcall7s",
            section: ".initcall7s.init",
            start: "__initcall7s_start",
        },
    ],
    end: "__initcall_end",
    entry_size: 16,
    entry_align: 8,
    entry_type: "init::initcall::InitcallEntry",
    begins_with_function: true,
    sort: Sort::RankName,
    access: Access::ReadOnly,
    lifetime: Lifetime::Init,
    companion: Some(Companion {
        table: "initcall_info",
        pointer_offset: 8,
    }),
    config: None,
    declared_by: "#[initcall(level)], #[initcall(level, sync)]",
    walked_by: "`do_initcalls`, level by level; the early level before it, by `do_pre_smp_initcalls`",
    about: "A function that brings a subsystem up.",
};

/// Initcalls that register consoles.
pub const CON_INITCALL: Table = Table {
    name: "con_initcall",
    output_section: ".con_initcall.init",
    parts: &[Part {
        name: "con_initcall",
        section: ".con_initcall.init",
        start: "__con_initcall_start",
    }],
    end: "__con_initcall_end",
    entry_size: 16,
    entry_align: 8,
    entry_type: "init::initcall::InitcallEntry",
    begins_with_function: true,
    sort: Sort::RankName,
    access: Access::ReadOnly,
    lifetime: Lifetime::Init,
    companion: Some(Companion {
        table: "con_initcall_info",
        pointer_offset: 8,
    }),
    config: None,
    declared_by: "#[initcall(console)]",
    walked_by: "the stage `console_init`",
    about: "A function that registers a console.",
};

/// Consoles that work before the drivers do.
pub const EARLYCON: Table = Table {
    name: "earlycon",
    output_section: "__earlycon_table",
    parts: &[Part {
        name: "earlycon",
        section: "__earlycon_table",
        start: "__earlycon_table_start",
    }],
    end: "__earlycon_table_end",
    entry_size: 24,
    entry_align: 8,
    entry_type: "console::EarlyconEntry",
    begins_with_function: false,
    sort: Sort::FoldedName,
    access: Access::ReadOnly,
    lifetime: Lifetime::Init,
    companion: None,
    config: None,
    declared_by: "#[earlycon(\"name\")]",
    walked_by: "the early parameters `earlycon=` and `earlyprintk=`",
    about: "A way to print before the drivers are up.",
};

/// Instructions that may fault, and where to go on if they do. Linux's entry, byte for byte.
pub const EX_TABLE: Table = Table {
    name: "ex_table",
    output_section: "__ex_table",
    parts: &[Part {
        name: "ex_table",
        section: "__ex_table",
        start: "__start___ex_table",
    }],
    end: "__stop___ex_table",
    entry_size: 12,
    entry_align: 4,
    entry_type: "arch::x86::extable::ExceptionTableEntry",
    begins_with_function: false,
    sort: Sort::ExceptionTable,
    access: Access::ReadOnly,
    lifetime: Lifetime::Kept,
    companion: None,
    config: None,
    declared_by: "#[exception_entry]",
    walked_by: "every fault in kernel mode, by binary search",
    about: "An instruction that may fault, and its fixup.",
};

/// What is done for each CPU that comes or goes.
pub const CPU_STATE: Table = Table {
    name: "cpu_state",
    output_section: "__cpu_state",
    parts: &[
        Part {
            name: "cpu_state_prepare",
            section: "__cpu_state_prepare",
            start: "__cpu_state_prepare_start",
        },
        Part {
            name: "cpu_state_starting",
            section: "__cpu_state_starting",
            start: "__cpu_state_starting_start",
        },
        Part {
            name: "cpu_state_online",
            section: "__cpu_state_online",
            start: "__cpu_state_online_start",
        },
    ],
    end: "__cpu_state_end",
    entry_size: 32,
    entry_align: 8,
    entry_type: "cpu::CpuState",
    begins_with_function: true,
    sort: Sort::RankName,
    access: Access::ReadOnly,
    lifetime: Lifetime::Kept,
    companion: None,
    config: Some("CONFIG_SMP"),
    declared_by: "#[cpu_state(section)]",
    walked_by: "`cpu_up` and `cpu_down`, section by section; the boot for all CPUs but its own",
    about: "Something that each CPU has of its own.",
};

/// Branches that are an instruction of the text: Linux's `struct jump_entry`, byte for byte.
pub const JUMP_TABLE: Table = Table {
    name: "jump_table",
    output_section: "__jump_table",
    parts: &[Part {
        name: "jump_table",
        section: "__jump_table",
        start: "__start___jump_table",
    }],
    end: "__stop___jump_table",
    entry_size: 16,
    entry_align: 8,
    entry_type: "jump_label::JumpEntry",
    begins_with_function: false,
    sort: Sort::RelativeCode,
    access: Access::ReadOnly,
    lifetime: Lifetime::Kept,
    companion: None,
    config: None,
    declared_by: "static_branch_likely!, static_branch_unlikely!",
    walked_by: "`jump_label_init`, and whoever turns a static key",
    about: "A branch that a static key turns by rewriting its instruction.",
};

/// Instructions that better processors have a better form of: Linux's `struct alt_instr`, byte for byte.
pub const ALTINSTRUCTIONS: Table = Table {
    name: "altinstructions",
    output_section: ".altinstructions",
    parts: &[Part {
        name: "altinstructions",
        section: ".altinstructions",
        start: "__alt_instructions",
    }],
    end: "__alt_instructions_end",
    entry_size: 12,
    entry_align: 1,
    entry_type: "arch::x86::alternative::AltInstr",
    begins_with_function: false,
    sort: Sort::RelativeCode,
    access: Access::ReadOnly,
    lifetime: Lifetime::Init,
    companion: None,
    config: None,
    declared_by: "alternative!",
    walked_by: "`check_bugs`, once",
    about: "Instructions to be replaced on processors with a feature.",
};

/// Tests that run in the kernel.
pub const KTEST: Table = Table {
    name: "ktest",
    output_section: ".kunit_test_suites",
    parts: &[Part {
        name: "ktest",
        section: ".kunit_test_suites",
        start: "__kunit_suites_start",
    }],
    end: "__kunit_suites_end",
    entry_size: 16,
    entry_align: 8,
    entry_type: "init::ktest::KtestEntry",
    begins_with_function: true,
    sort: Sort::Path,
    access: Access::ReadOnly,
    lifetime: Lifetime::Init,
    companion: None,
    config: Some("CONFIG_KUNIT"),
    declared_by: "#[ktest]",
    walked_by: "`kunit_run_all_tests`, behind the last initcall level, when `kunit.enable` says so",
    about: "A test of the running kernel.",
};

/// Constructors: what `.init_array` holds, `inventory`'s registrations among it.
pub const CTORS: Table = Table {
    name: "ctors",
    output_section: ".init_array",
    parts: &[Part {
        name: "ctors",
        section: ".init_array",
        start: "__ctors_start",
    }],
    end: "__ctors_end",
    entry_size: 8,
    entry_align: 8,
    entry_type: "init::ctors::Constructor",
    begins_with_function: true,
    sort: Sort::None,
    access: Access::Writable,
    lifetime: Lifetime::Init,
    companion: None,
    config: None,
    declared_by: "crates that register before `main`, such as `inventory`",
    walked_by: "`do_ctors`, before the initcall levels",
    about: "A constructor.",
};

/// Capabilities: what entries provide, require and want.
pub const CAPABILITY: Table = Table {
    name: "capability",
    output_section: ".capability",
    parts: &[Part {
        name: "capability",
        section: ".capability",
        start: "__capability_start",
    }],
    end: "__capability_end",
    entry_size: 8,
    entry_align: 8,
    entry_type: "init::capability::CapabilityEntry",
    begins_with_function: false,
    sort: Sort::Path,
    access: Access::ReadOnly,
    lifetime: Lifetime::Kept,
    companion: None,
    config: None,
    declared_by: "#[capability]",
    walked_by: "the monitor",
    about: "Something that stages and initcalls provide, require and want.",
};

/// What is known of each stage, kept after the stage itself is gone.
pub const STAGE_INFO: Table = Table {
    name: "stage_info",
    output_section: ".data..stage_info",
    parts: &[Part {
        name: "stage_info",
        section: ".data..stage_info",
        start: "__stage_info_start",
    }],
    end: "__stage_info_end",
    entry_size: 88,
    entry_align: 8,
    entry_type: "init::info::EntryInfo",
    begins_with_function: false,
    sort: Sort::WithCompanion,
    access: Access::Writable,
    lifetime: Lifetime::Kept,
    companion: None,
    config: None,
    declared_by: "#[stage]",
    walked_by: "the monitor's `stages`",
    about: "Name, source place, state and time of a stage.",
};

/// What is known of each initcall, kept after the initcall itself is gone.
pub const INITCALL_INFO: Table = Table {
    name: "initcall_info",
    output_section: ".data..initcall_info",
    parts: &[Part {
        name: "initcall_info",
        section: ".data..initcall_info",
        start: "__initcall_info_start",
    }],
    end: "__initcall_info_end",
    entry_type: "init::info::EntryInfo",
    declared_by: "#[initcall]",
    walked_by: "the monitor's `initcalls`",
    about: "Name, source place, state, result and time of an initcall.",
    ..STAGE_INFO
};

/// What is known of each console initcall.
pub const CON_INITCALL_INFO: Table = Table {
    name: "con_initcall_info",
    output_section: ".data..con_initcall_info",
    parts: &[Part {
        name: "con_initcall_info",
        section: ".data..con_initcall_info",
        start: "__con_initcall_info_start",
    }],
    end: "__con_initcall_info_end",
    declared_by: "#[initcall(console)]",
    about: "Name, source place, state, result and time of a console initcall.",
    ..INITCALL_INFO
};

/// Stretches of text that the profiler and the backtrace tell apart: input section, start symbol, end symbol.
pub const TEXT_RANGES: &[(&str, &str, &str)] = &[
    (".sched.text", "__sched_text_start", "__sched_text_end"),
    (".spinlock.text", "__lock_text_start", "__lock_text_end"),
    (".kprobes.text", "__kprobes_text_start", "__kprobes_text_end"),
    (".entry.text", "__entry_text_start", "__entry_text_end"),
    (".fixup", "__fixup_text_start", "__fixup_text_end"),
    REF_TEXT,
];

/// Functions that stay and may refer to init memory, `#[init_ref]`: input section, start symbol, end symbol.
pub const REF_TEXT: (&str, &str, &str) = (".ref.text", "__ref_text_start", "__ref_text_end");

/// Statics that stay and may refer to init memory, `#[init_ref]`: input section, start symbol, end symbol.
pub const REF_DATA: (&str, &str, &str) = (".ref.data", "__ref_data_start", "__ref_data_end");

/// The pieces of the per-CPU template in order: variant of `#[percpu]` (empty for the plain one), input section, alignment of the piece in bytes.
pub const PERCPU_PIECES: &[(&str, &str, u64)] = &[
    ("first", ".data..percpu..first", PAGE),
    ("page_aligned", ".data..percpu..page_aligned", PAGE),
    ("read_mostly", ".data..percpu..readmostly", CACHE_LINE),
    ("", ".data..percpu", CACHE_LINE),
    ("shared_aligned", ".data..percpu..shared_aligned", CACHE_LINE),
];

/// Bytes in a page.
pub const PAGE: u64 = 4096;
/// Bytes in a cache line.
pub const CACHE_LINE: u64 = 64;
/// What a virtual address of the image is above its physical one.
pub const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
/// Where the image starts in physical memory: where the Linux boot protocol loads a kernel.
pub const PHYSICAL_START: u64 = 0x10_0000;

/// The initcall levels as the attribute spells them, with the part that each fills; `sync` fills the part with an `s` behind it.
pub const INITCALL_LEVELS: &[(&str, &str)] = &[
    ("early", "initcallearly"),
    ("pure", "initcall0"),
    ("core", "initcall1"),
    ("postcore", "initcall2"),
    ("arch", "initcall3"),
    ("subsys", "initcall4"),
    ("fs", "initcall5"),
    ("rootfs", "initcallrootfs"),
    ("device", "initcall6"),
    ("late", "initcall7"),
];

/// The level that fills `part`, as the attribute spells it: `device`, `device, sync`, `console`, `stage`; the section of a state of CPUs: `prepare`. Parts that
/// no level fills go by their name.
#[must_use]
pub fn level_of(part: &Part) -> String {
    let level = |name: &str| INITCALL_LEVELS.iter().find(|(_, part)| *part == name).map(|(level, _)| *level);
    match (level(part.name), part.name.strip_suffix('s').and_then(level)) {
        (Some(level), _) => level.to_owned(),
        (None, Some(level)) => format!("{level}, sync"),
        _ if part.name == CON_INITCALL.parts[0].name => "console".to_owned(),
        _ => part.name.strip_prefix("cpu_state_").unwrap_or(part.name).to_owned(),
    }
}

/// The table and the part whose short name is `part`.
#[must_use]
pub fn part_named(part: &str) -> Option<(&'static Table, &'static Part)> {
    ALL.iter()
        .find_map(|table| Some((*table, table.parts.iter().find(|candidate| candidate.name == part)?)))
}

/// The table called `name`.
#[must_use]
pub fn named(name: &str) -> Option<&'static Table> {
    ALL.iter().find(|table| table.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_sections_and_symbols_are_unique() {
        let mut seen = HashSet::new();
        for table in ALL {
            assert!(seen.insert(format!("table {}", table.name)), "{}", table.name);
            assert!(seen.insert(format!("symbol {}", table.end)), "{}", table.end);
            for part in table.parts {
                for key in [
                    format!("part {}", part.name),
                    format!("section {}", part.section),
                    format!("symbol {}", part.start),
                ] {
                    assert!(seen.insert(key.clone()), "{key}");
                }
            }
        }
    }

    #[test]
    fn no_symbol_is_called_like_a_section() {
        // LLVM takes such a name for the section in the object that it writes, and so for the entries of that object alone.
        let sections: HashSet<_> = ALL.iter().flat_map(|table| table.parts).map(|part| part.section).collect();
        for table in ALL {
            for symbol in table.parts.iter().map(|part| part.start).chain([table.end]) {
                assert!(!sections.contains(symbol), "{symbol}");
            }
        }
    }

    #[test]
    fn every_companion_is_a_kept_writable_table_sorted_with_it() {
        for companion in ALL.iter().filter_map(|table| table.companion) {
            let table = named(companion.table).expect(companion.table);
            assert_eq!(
                (table.sort, table.access, table.lifetime),
                (Sort::WithCompanion, Access::Writable, Lifetime::Kept)
            );
        }
    }

    #[test]
    fn sizes_are_multiples_of_four_and_alignments_powers_of_two() {
        for table in ALL {
            assert!(
                table.entry_align.is_power_of_two() && table.entry_size % 4 == 0 && table.entry_size > 0,
                "{}",
                table.name
            );
        }
    }

    #[test]
    fn parts_have_the_names_of_their_levels() {
        for (part, level) in [
            ("initcallearly", "early"),
            ("initcall6", "device"),
            ("initcall6s", "device, sync"),
            ("initcallrootfss", "rootfs, sync"),
            ("con_initcall", "console"),
            ("stage", "stage"),
        ] {
            assert_eq!(level_of(part_named(part).expect(part).1), level);
        }
    }

    #[test]
    fn every_initcall_level_has_a_part() {
        for (level, part) in INITCALL_LEVELS {
            assert!(part_named(part).is_some(), "{level}");
            assert!(*level == "early" || part_named(&format!("{part}s")).is_some(), "{level}, sync");
        }
    }
}

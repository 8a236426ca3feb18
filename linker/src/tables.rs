//! The tables, one constant each.
//!
//! To add one: add its constant here and list it in [`ALL`]; the linker script, the accessor `incipit::table::NAME`, the layout tests and the reference
//! page follow. The names of sections and symbols are Linux's where Linux has the table.

#[cfg(test)]
mod tests;

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

const fn part(name: &'static str, section: &'static str, start: &'static str) -> Part {
    Part { name, section, start }
}

/// The steps of `start_kernel`.
pub const STAGE: Table = Table {
    name: "stage",
    output_section: ".stage.init",
    parts: &[part("stage", ".stage.init", "__stage_start")],
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
    parts: &[part("setup", ".init.setup", "__setup_start")],
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
    parts: &[part("param", "__param", "__start___param")],
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
        part("initcallearly", ".initcallearly.init", "__initcall_start"),
        part("initcall0", ".initcall0.init", "__initcall0_start"),
        part("initcall0s", ".initcall0s.init", "__initcall0s_start"),
        part("initcall1", ".initcall1.init", "__initcall1_start"),
        part("initcall1s", ".initcall1s.init", "__initcall1s_start"),
        part("initcall2", ".initcall2.init", "__initcall2_start"),
        part("initcall2s", ".initcall2s.init", "__initcall2s_start"),
        part("initcall3", ".initcall3.init", "__initcall3_start"),
        part("initcall3s", ".initcall3s.init", "__initcall3s_start"),
        part("initcall4", ".initcall4.init", "__initcall4_start"),
        part("initcall4s", ".initcall4s.init", "__initcall4s_start"),
        part("initcall5", ".initcall5.init", "__initcall5_start"),
        part("initcall5s", ".initcall5s.init", "__initcall5s_start"),
        part("initcallrootfs", ".initcallrootfs.init", "__initcallrootfs_start"),
        part("initcallrootfss", ".initcallrootfss.init", "__initcallrootfss_start"),
        part("initcall6", ".initcall6.init", "__initcall6_start"),
        part("initcall6s", ".initcall6s.init", "__initcall6s_start"),
        part("initcall7", ".initcall7.init", "__initcall7_start"),
        part("initcall7s", ".initcall7s.init", "__initcall7s_start"),
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
    parts: &[part("con_initcall", ".con_initcall.init", "__con_initcall_start")],
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
    parts: &[part("earlycon", "__earlycon_table", "__earlycon_table_start")],
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
    parts: &[part("ex_table", "__ex_table", "__start___ex_table")],
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
        part("cpu_state_prepare", "__cpu_state_prepare", "__cpu_state_prepare_start"),
        part("cpu_state_starting", "__cpu_state_starting", "__cpu_state_starting_start"),
        part("cpu_state_online", "__cpu_state_online", "__cpu_state_online_start"),
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
    parts: &[part("jump_table", "__jump_table", "__start___jump_table")],
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
    parts: &[part("altinstructions", ".altinstructions", "__alt_instructions")],
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
    parts: &[part("ktest", ".kunit_test_suites", "__kunit_suites_start")],
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
    parts: &[part("ctors", ".init_array", "__ctors_start")],
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
    parts: &[part("capability", ".capability", "__capability_start")],
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
    parts: &[part("stage_info", ".data..stage_info", "__stage_info_start")],
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
    parts: &[part("initcall_info", ".data..initcall_info", "__initcall_info_start")],
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
    parts: &[part("con_initcall_info", ".data..con_initcall_info", "__con_initcall_info_start")],
    end: "__con_initcall_info_end",
    declared_by: "#[initcall(console)]",
    about: "Name, source place, state, result and time of a console initcall.",
    ..INITCALL_INFO
};

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

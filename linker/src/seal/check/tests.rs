use object::elf::{STB_GLOBAL, STB_WEAK};

use super::*;
use crate::layout::KERNEL_MAP;
use crate::seal::placed;
use crate::seal::testing::{Elf, Kernel};

fn problems_of_image(image: &Image) -> Vec<String> {
    let mut problems = Problems::default();
    let placed = placed::find(image, &mut problems);
    check(image, &placed, &mut problems);
    problems.into_vec().iter().map(ToString::to_string).collect()
}

/// The one problem that `change` makes of an image with an entry in every kind of table.
fn only_problem(change: impl FnOnce(&mut Kernel)) -> String {
    let mut kernel = full();
    change(&mut kernel);
    let problems = problems_of_image(&kernel.image());
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.into_iter().next().unwrap_or_default()
}

fn full() -> Kernel {
    let mut kernel = Kernel::new();
    for part in ["stage", "initcall6", "con_initcall", "ktest", "param", "setup", "capability"] {
        kernel.entry(part, "a");
    }
    kernel.exceptions(&[
        (Kernel::function(1), Kernel::function(9), 0),
        (Kernel::function(2), Kernel::function(8), 0),
    ]);
    kernel
}

fn address_of(symbol: &str) -> u64 {
    full().image().address_of(symbol).unwrap()
}

#[test]
fn a_good_image_has_no_problem() {
    assert_eq!(problems_of_image(&full().image()), [] as [&str; 0]);
    assert_eq!(problems_of_image(&Kernel::new().image()), [] as [&str; 0]);
}

#[test]
fn a_segment_that_is_writable_and_executable_is_a_problem() {
    let problem = only_problem(|kernel| kernel.set_flags(".text", Elf::RX | Elf::RW));
    assert!(problem.contains("is writable and executable"), "{problem}");
}

#[test]
fn a_read_only_table_in_writable_memory_is_a_problem() {
    let problem = only_problem(|kernel| kernel.set_flags("__param", Elf::RW));
    assert_eq!(problem, "param: __param is in writable memory: it must be in a read-only PT_LOAD");
}

#[test]
fn a_writable_table_in_read_only_memory_is_a_problem() {
    let problem = only_problem(|kernel| kernel.set_flags(".data..stage_info", Elf::R));
    assert_eq!(
        problem,
        "stage_info: .data..stage_info is in read-only memory: it must be in a writable PT_LOAD"
    );
}

#[test]
fn an_init_table_that_is_kept_is_a_problem() {
    let problem = only_problem(|kernel| kernel.move_symbol("__init_begin", address_of("__stage_start") + 4096));
    assert!(
        problem.starts_with("stage: .stage.init is outside __init_begin..__init_end"),
        "{problem}"
    );
}

#[test]
fn a_kept_table_that_is_freed_is_a_problem() {
    let problem = only_problem(|kernel| kernel.move_symbol("__init_begin", address_of("__capability_start")));
    assert!(
        problem.starts_with("capability: .capability is inside __init_begin..__init_end"),
        "{problem}"
    );
}

#[test]
fn a_symbol_that_is_not_at_the_edge_of_its_section_is_a_problem() {
    let problem = only_problem(|kernel| kernel.move_symbol("__start___param", address_of("__start___param") + 40));
    assert!(problem.starts_with("param: __start___param..__stop___param is"), "{problem}");
}

#[test]
fn a_misaligned_table_is_a_problem() {
    let mut kernel = full();
    kernel.move_symbol("__earlycon_table_start", address_of("__earlycon_table_start") + 4);
    kernel.move_symbol("__earlycon_table_end", address_of("__earlycon_table_start") + 4);
    let problems = problems_of_image(&kernel.image());
    assert!(
        problems
            .iter()
            .any(|problem| problem.starts_with("earlycon: __earlycon_table_start is at") && problem.ends_with("a multiple of 8")),
        "{problems:?}"
    );
}

#[test]
fn a_function_that_is_no_code_is_a_problem() {
    for target in [0, address_of("_sdata"), address_of("_etext"), 1] {
        let mut image = full().image();
        image
            .patch(image.address_of("__initcall6_start").unwrap(), &u64::to_le_bytes(target))
            .unwrap();
        let problems = problems_of_image(&image);
        assert_eq!(problems.len(), 1, "{target:#x}");
        assert!(
            problems[0].ends_with(&format!("begins with {target:#x}: it must be the address of a function")),
            "{}",
            problems[0]
        );
    }
}

#[test]
fn an_exception_entry_outside_code_is_a_problem() {
    let data = address_of("_sdata");
    let problem = only_problem(|kernel| kernel.exceptions_at(2, &[(Kernel::function(3), data, 0)]));
    assert!(
        problem.starts_with("ex_table: the fixup of the entry at") && problem.ends_with("it must be code"),
        "{problem}"
    );
}

#[test]
fn exception_entries_for_one_instruction_and_out_of_order_are_problems() {
    let problem = only_problem(|kernel| kernel.exceptions_at(2, &[(Kernel::function(2), Kernel::function(7), 0)]));
    assert!(problem.contains("has two entries for the instruction"), "{problem}");
    let problem = only_problem(|kernel| kernel.exceptions_at(2, &[(Kernel::function(0), Kernel::function(7), 0)]));
    assert!(problem.contains("it must be sorted"), "{problem}");
}

#[test]
fn entry_points_that_are_not_in_their_places_are_problems() {
    let at = address_of("startup_32");
    let problem = only_problem(|kernel| kernel.move_symbol("startup_32", at + 4));
    assert_eq!(
        problem,
        format!("image: startup_32 is at {:#x}: it must be at {at:#x}, 0x0 behind the start", at + 4)
    );
    let problem = only_problem(|kernel| kernel.without_symbol("startup_64"));
    assert_eq!(
        problem,
        format!(
            "image: startup_64 is missing: it must be at {:#x}, 0x200 behind the start",
            at + 0x200
        )
    );
}

#[test]
fn an_image_that_its_mapping_does_not_cover_is_a_problem() {
    let problem = only_problem(|kernel| kernel.add_section(".rodata", Elf::R, KERNEL_MAP + (512 << 20), &[0]));
    assert!(problem.starts_with("image: the image takes 536870913 bytes"), "{problem}");
}

#[test]
fn a_large_percpu_template_is_a_problem() {
    let problem = only_problem(|kernel| kernel.move_symbol("__per_cpu_start", address_of("__per_cpu_end") - (1 << 20) - 1));
    assert!(problem.starts_with("image: the per-CPU template takes 1048577 bytes"), "{problem}");
}

#[test]
fn a_trailer_that_is_not_in_the_file_is_a_problem() {
    let problem = only_problem(|kernel| kernel.move_symbol("__image_trailer", address_of("__bss_start")));
    assert!(problem.contains("__image_trailer has no 16 bytes in the file"), "{problem}");
}

#[test]
fn what_a_dynamic_program_needs_is_a_problem() {
    for name in [".got", ".plt", ".rela.dyn", ".rela.text", ".dynamic"] {
        let problem = only_problem(|kernel| kernel.add_section(name, 0, 0, &[0; 8]));
        assert!(problem.starts_with(&format!("{name}: 8 bytes at")), "{problem}");
    }
    let problem = only_problem(|kernel| kernel.add_section(".got.plt", 0, 0, &[0; 32]));
    assert!(problem.starts_with(".got.plt: 32 bytes at"), "{problem}");
}

#[test]
fn the_words_that_gnu_ld_reserves_and_empty_sections_are_none() {
    let mut kernel = full();
    kernel.add_section(".got.plt", 0, 0, &[0; 24]);
    kernel.add_section(".got", 0, 0, &[]);
    kernel.add_section("linkme_COMMANDS", 0, 0, &[0; 8]);
    assert_eq!(problems_of_image(&kernel.image()), [] as [&str; 0]);
}

#[test]
fn a_section_that_nobody_described_is_a_problem() {
    let problem = only_problem(|kernel| kernel.add_section(".initcal6.init", 0, 0, &[0; 8]));
    assert!(
        problem.starts_with(".initcal6.init: is a section that nobody described"),
        "{problem}"
    );
}

#[test]
fn an_undefined_symbol_is_a_problem() {
    let problem = only_problem(|kernel| kernel.add_undefined("optional_hook", STB_WEAK.0));
    assert_eq!(
        problem,
        "image: optional_hook is weak and undefined, so it has the address 0: something must define it"
    );
    let problem = only_problem(|kernel| kernel.add_undefined("hook", STB_GLOBAL.0));
    assert_eq!(
        problem,
        "image: hook is undefined, so it has the address 0: something must define it"
    );
}

#[test]
fn overlapping_segments_are_a_problem() {
    let problem = only_problem(|kernel| kernel.add_section(".rodata", Elf::R, address_of("_sdata"), &[0; 8]));
    assert!(problem.contains("overlap"), "{problem}");
}

#[test]
fn a_missing_boundary_is_a_problem() {
    let problem = only_problem(|kernel| kernel.without_symbol("_sinittext"));
    assert_eq!(problem, "image: no symbol _sinittext: the linker script must define it");
}

#[test]
fn every_problem_is_reported() {
    let mut kernel = full();
    kernel.without_symbol("startup_64");
    kernel.set_flags("__param", Elf::RW);
    kernel.add_section(".got", 0, 0, &[0; 8]);
    assert_eq!(problems_of_image(&kernel.image()).len(), 3);
}

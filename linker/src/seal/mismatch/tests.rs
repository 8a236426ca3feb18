//! Images in which something that stays leads to init memory, by every kind of reference, and those in which nothing does.

use object::elf::{R_X86_64_32, R_X86_64_64, R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_TLSGD, STT_FUNC, STT_OBJECT, STT_SECTION};

use super::*;
use crate::layout::{KERNEL_MAP, REF_TEXT};
use crate::seal::problem::Problem;
use crate::seal::records;
use crate::seal::testing::{Elf, Kernel};

/// `k::kept`, `k::setup`, `k::other`: functions of the source.
const KEPT: &str = "_RNvC1k4kept";
const SETUP: &str = "_RNvC1k5setup";
const OTHER: &str = "_RNvC1k5other";
/// `k::kept::{closure#0}`, and `k::many::<u8>`.
const CLOSURE: &str = "_RNCNvC1k4kept0";
const MANY: &str = "_RINvC1k4manyhE";

/// An image with `k::kept` in the text and `k::setup` in the init text, and room for more behind both.
fn kernel() -> Kernel {
    let mut kernel = Kernel::new();
    code(&mut kernel, ".text", 0, KEPT);
    code(&mut kernel, ".init.text", 0, SETUP);
    kernel
}

/// A function of 16 bytes, the `n`th of its section.
fn code(kernel: &mut Kernel, section: &str, n: u64, name: &str) {
    kernel.add_symbol(name, kernel.address(section) + n * 16, 16, STT_FUNC.0);
}

/// A static of 8 bytes, the `n`th of its section.
fn data(kernel: &mut Kernel, section: &str, n: u64, name: &str) {
    kernel.add_symbol(name, kernel.address(section) + n * 8, 8, STT_OBJECT.0);
}

/// A call of `to` in the `n`th function of `section`.
fn call(kernel: &mut Kernel, section: &str, n: u64, to: &str) {
    kernel.add_relocation(section, kernel.address(section) + n * 16 + 4, R_X86_64_PLT32.0, to, -4);
}

/// A pointer to `to` in the `n`th word of `section`.
fn point(kernel: &mut Kernel, section: &str, n: u64, to: &str, addend: i64) {
    kernel.add_relocation(section, kernel.address(section) + n * 8, R_X86_64_64.0, to, addend);
}

/// The symbol of a section, to which relocations refer where there is no other.
fn section_symbol(kernel: &mut Kernel, section: &str) {
    kernel.add_symbol(section, kernel.address(section), 0, STT_SECTION.0);
}

fn problems_of(kernel: &Kernel) -> Vec<String> {
    let (image, mut problems) = (kernel.image(), Problems::default());
    check(&image, &records::read(&image).unwrap(), &mut problems).unwrap();
    problems.into_vec().iter().map(Problem::to_string).collect()
}

#[test]
fn what_stays_must_not_call_what_goes() {
    let mut kernel = kernel();
    call(&mut kernel, ".text", 0, SETUP);
    assert_eq!(
        problems_of(&kernel),
        [
            "section mismatch: k::kept (.text) stays after the boot and refers to k::setup (.init.text), which does not: \
             put `#[init]` on kept, take `#[init]` from setup, or say why with `#[init_ref(\"reason\")]` there"
        ]
    );
}

#[test]
fn every_other_direction_is_good() {
    let mut kernel = kernel();
    code(&mut kernel, ".init.text", 1, OTHER);
    call(&mut kernel, ".init.text", 0, KEPT);
    call(&mut kernel, ".init.text", 0, OTHER);
    call(&mut kernel, ".text", 0, KEPT);
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);
}

#[test]
fn a_static_that_stays_must_not_point_to_data_that_goes() {
    let mut kernel = kernel();
    data(&mut kernel, ".data", 2, OTHER);
    data(&mut kernel, ".init.data", 0, MANY);
    point(&mut kernel, ".data", 2, MANY, 0);
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("k::other (.data) stays"), "{problems:?}");
    assert!(problems[0].contains("refers to k::many::<u8> (.init.data)"), "{problems:?}");
    assert!(problems[0].contains("put `#[initdata]` on other"), "{problems:?}");
}

#[test]
fn a_pair_is_told_once_and_pairs_are_in_order() {
    let mut kernel = kernel();
    code(&mut kernel, ".init.text", 1, OTHER);
    for to in [SETUP, OTHER, SETUP] {
        call(&mut kernel, ".text", 0, to);
    }
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 2);
    assert!(
        problems[0].contains("to k::other") && problems[1].contains("to k::setup"),
        "{problems:?}"
    );
}

#[test]
fn what_the_compiler_derived_for_the_boot_may_call_what_goes() {
    for derived in [CLOSURE, MANY] {
        let mut kernel = kernel();
        code(&mut kernel, ".text", 1, derived);
        call(&mut kernel, ".init.text", 0, derived);
        call(&mut kernel, ".text", 1, SETUP);
        assert_eq!(problems_of(&kernel), [] as [&str; 0], "{derived}");
    }
}

#[test]
fn what_was_derived_for_both_stays_and_whoever_leads_there_is_named() {
    let mut kernel = kernel();
    code(&mut kernel, ".text", 1, CLOSURE);
    code(&mut kernel, ".text", 2, OTHER);
    call(&mut kernel, ".init.text", 0, CLOSURE);
    call(&mut kernel, ".text", 0, CLOSURE);
    call(&mut kernel, ".text", 2, CLOSURE);
    call(&mut kernel, ".text", 1, SETUP);
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 2);
    for (problem, root) in problems.iter().zip(["k::kept", "k::other"]) {
        let text = format!("{root} (.text) stays after the boot and refers, through k::kept::{{closure#0}} (.text), to k::setup");
        assert!(problem.contains(&text), "{problem}");
    }
}

#[test]
fn derived_code_that_leads_back_to_itself_stays_only_with_what_stays() {
    let mut circle = kernel();
    code(&mut circle, ".text", 1, CLOSURE);
    code(&mut circle, ".text", 2, MANY);
    call(&mut circle, ".text", 1, MANY);
    call(&mut circle, ".text", 2, CLOSURE);
    call(&mut circle, ".text", 2, SETUP);
    call(&mut circle, ".init.text", 0, CLOSURE);
    assert_eq!(problems_of(&circle), [] as [&str; 0]);
    call(&mut circle, ".text", 0, CLOSURE);
    assert_eq!(problems_of(&circle).len(), 1);
}

#[test]
fn what_nothing_refers_to_stays() {
    let mut kernel = kernel();
    code(&mut kernel, ".text", 1, CLOSURE);
    call(&mut kernel, ".text", 1, SETUP);
    call(&mut kernel, ".text", 1, CLOSURE);
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("k::kept::{closure#0} (.text) stays after the boot and refers to k::setup"));
}

#[test]
fn constants_without_a_name_begin_where_something_refers_to() {
    let mut kernel = kernel();
    section_symbol(&mut kernel, ".rodata");
    // Two constants side by side, the first for the boot, the second for good.
    point(&mut kernel, ".rodata", 2, SETUP, 0);
    point(&mut kernel, ".rodata", 3, KEPT, 0);
    kernel.add_relocation(".init.text", kernel.address(".init.text") + 4, R_X86_64_64.0, ".rodata", 16);
    kernel.add_relocation(".text", kernel.address(".text") + 4, R_X86_64_64.0, ".rodata", 24);
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);

    point(&mut kernel, ".rodata", 4, SETUP, 0);
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("k::kept (.text) stays after the boot and refers, through a constant without a name (.rodata), to k::setup"),
        "{problems:?}"
    );
}

#[test]
fn an_exception_may_refer_to_what_goes_and_so_may_what_is_derived_from_it() {
    let mut kernel = kernel();
    let (_, start, end) = REF_TEXT;
    code(&mut kernel, ".text", 1, OTHER);
    code(&mut kernel, ".text", 2, CLOSURE);
    call(&mut kernel, ".text", 1, SETUP);
    call(&mut kernel, ".text", 1, CLOSURE);
    call(&mut kernel, ".text", 2, SETUP);
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1, "one pair, by a straight way and by another");
    assert!(
        problems[0].contains("k::other (.text) stays after the boot and refers to k::setup"),
        "{problems:?}"
    );
    kernel.add_symbol(start, kernel.address(".text") + 16, 0, 0);
    kernel.add_symbol(end, kernel.address(".text") + 32, 0, 0);
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);
}

#[test]
fn a_bound_of_init_memory_is_a_place_but_a_bound_of_a_table_is_the_table() {
    let mut kernel = kernel();
    kernel.entry("stage", "a");
    for bound in [
        "__init_begin",
        "__init_end",
        "_sinittext",
        "_einittext",
        "__per_cpu_start",
        "__stage_info_start",
    ] {
        call(&mut kernel, ".text", 0, bound);
    }
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);
    call(&mut kernel, ".text", 0, "__stage_end");
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("refers to the table stage (.stage.init), which does not: put `#[init]` on kept"),
        "{problems:?}"
    );
}

#[test]
fn a_per_cpu_variable_may_be_referred_to_but_not_refer_to_what_goes() {
    let mut kernel = kernel();
    data(&mut kernel, ".data..percpu", 1, OTHER);
    call(&mut kernel, ".text", 0, OTHER);
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);
    point(&mut kernel, ".data..percpu", 1, SETUP, 0);
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("k::other (.data..percpu) stays"), "{problems:?}");
    assert!(problems[0].ends_with("which does not: take `#[init]` from setup"), "{problems:?}");
}

#[test]
fn the_exception_table_may_name_any_code() {
    let mut kernel = kernel();
    kernel.exceptions(&[(kernel.address(".init.text"), Kernel::function(0), 0)]);
    kernel.add_relocation("__ex_table", kernel.address("__ex_table"), R_X86_64_PC32.0, SETUP, 0);
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);
}

#[test]
fn an_entry_of_a_table_that_stays_is_told_by_its_declaration() {
    let mut kernel = kernel();
    kernel.entry("param", "baud");
    point(&mut kernel, "__param", 1, SETUP, 0);
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("test::baud (src/lib.rs:1) stays after the boot and refers to k::setup"),
        "{problems:?}"
    );
}

#[test]
fn an_operand_behind_the_address_is_taken_into_account() {
    // cmpb $0, x(%rip): the processor counts from behind the zero.
    let mut kernel = kernel();
    section_symbol(&mut kernel, ".rodata");
    data(&mut kernel, ".rodata", 1, OTHER);
    point(&mut kernel, ".rodata", 2, SETUP, 0);
    let field = kernel.address(".text") + 4;
    kernel.add_relocation(".text", field, R_X86_64_PC32.0, ".rodata", 16 - 5);
    let mut image = kernel.image();
    image.patch(field - 2, &[0x80, 0x3d]).unwrap();
    let mut problems = Problems::default();
    check(&image, &[], &mut problems).unwrap();
    let problems: Vec<_> = problems.into_vec().iter().map(Problem::to_string).collect();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("k::kept (.text) stays after the boot and refers, through a constant"),
        "{problems:?}"
    );
}

#[test]
fn an_entry_of_a_table_of_distances_counts_from_the_start_of_the_table() {
    let mut kernel = kernel();
    section_symbol(&mut kernel, ".rodata");
    section_symbol(&mut kernel, ".text");
    code(&mut kernel, ".text", 1, CLOSURE);
    code(&mut kernel, ".text", 2, MANY);
    call(&mut kernel, ".text", 2, SETUP);
    kernel.add_relocation(".text", kernel.address(".text") + 4, R_X86_64_64.0, ".rodata", 16);
    // The fourth entry leads to the last byte of the closure; without regard to where the table starts, to the function behind.
    kernel.add_relocation(".rodata", kernel.address(".rodata") + 16 + 12, R_X86_64_PC32.0, ".text", 31 + 12);
    call(&mut kernel, ".init.text", 0, MANY);
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);
    call(&mut kernel, ".text", 1, SETUP);
    assert!(problems_of(&kernel)[0].contains("through k::kept::{closure#0}"));
}

#[test]
fn a_physical_address_is_that_of_the_image() {
    let mut kernel = kernel();
    section_symbol(&mut kernel, ".init.text");
    kernel.add_relocation(
        ".head.text",
        kernel.address(".head.text") + 4,
        R_X86_64_32.0,
        ".init.text",
        KERNEL_MAP.wrapping_neg() as i64,
    );
    let problems = problems_of(&kernel);
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("startup_32 (.head.text) stays after the boot and refers to k::setup"),
        "{problems:?}"
    );
}

#[test]
fn what_is_not_defined_or_has_no_place_is_passed_over() {
    let mut kernel = kernel();
    kernel.add_undefined("nowhere", 2);
    kernel.add_symbol("an_absolute_value", 0x1000, 0, STT_OBJECT.0);
    call(&mut kernel, ".text", 0, "nowhere");
    call(&mut kernel, ".text", 0, "an_absolute_value");
    assert_eq!(problems_of(&kernel), [] as [&str; 0]);
}

#[test]
fn a_relocation_that_is_not_understood_is_refused() {
    let mut kernel = kernel();
    kernel.add_relocation(".text", kernel.address(".text") + 4, R_X86_64_TLSGD.0, SETUP, 0);
    let error = check(&kernel.image(), &[], &mut Problems::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("the relocation at {:#x} is of the unknown type 19", kernel.address(".text") + 4)
    );
}

#[test]
fn an_image_without_relocations_has_no_mismatch() {
    assert_eq!(problems_of(&kernel()), [] as [&str; 0]);
    let mut elf = Elf::new(2);
    elf.section(".text", Elf::RX, KERNEL_MAP, &[0x90; 16]);
    elf.symbol(KEPT, KERNEL_MAP, 16, STT_FUNC.0);
    let image = Image::parse(elf.build()).unwrap();
    check(&image, &[], &mut Problems::default()).unwrap();
}

#[test]
fn a_large_image_is_checked_in_well_under_a_second() {
    const FUNCTIONS: u64 = 10_000;
    let name = |n: u64| format!("_RINvC1k{}f{n}hE", n.to_string().len() + 1);
    let mut kernel = kernel();
    for n in 1..FUNCTIONS {
        code(&mut kernel, ".text", n, &name(n));
    }
    // Each derived function calls the next one; the first is called by the boot, the last calls it.
    call(&mut kernel, ".init.text", 0, &name(1));
    for n in 1..FUNCTIONS - 1 {
        call(&mut kernel, ".text", n, &name(n + 1));
    }
    call(&mut kernel, ".text", FUNCTIONS - 1, SETUP);
    let (image, start) = (kernel.image(), std::time::Instant::now());
    let mut problems = Problems::default();
    check(&image, &[], &mut problems).unwrap();
    assert!(problems.is_empty());
    assert!(start.elapsed().as_millis() < 900, "{:?}", start.elapsed());
}

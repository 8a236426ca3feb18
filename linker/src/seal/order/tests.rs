use super::*;
use crate::seal::placed;
use crate::seal::records;
use crate::seal::testing::{Kernel, record_bytes};

struct Sorted {
    image: Image,
    problems: Vec<String>,
}

fn sort(kernel: &Kernel) -> Sorted {
    let mut image = kernel.image();
    let mut problems = Problems::default();
    let records = records::read(&image).unwrap();
    let placed = placed::find(&image, &mut problems);
    let boot = Graph::resolve(&records).unwrap_or_default();
    let cpu_states = Graph::resolve_cpu_states(&records).unwrap_or_default();
    sort_all(&mut image, &placed, &records, &[&boot, &cpu_states], &mut problems).unwrap();
    // Through the file and back, as the next reader sees it.
    let image = Image::parse(image.into_bytes().unwrap()).unwrap();
    Sorted {
        image,
        problems: problems.into_vec().iter().map(ToString::to_string).collect(),
    }
}

impl Sorted {
    /// The names of a part's entries in the order of the image, by the symbols.
    fn names(&self, part: &str) -> Vec<String> {
        let prefix = format!("__incipit.{part}.test.");
        let mut found: Vec<_> = self
            .image
            .symbols()
            .iter()
            .filter(|symbol| symbol.name.starts_with(&prefix))
            .collect();
        found.sort_by_key(|symbol| symbol.value);
        found
            .iter()
            .map(|symbol| symbol.name[prefix.len()..].trim_end_matches(".1_1$").to_owned())
            .collect()
    }

    /// For each entry of a table, the function that it starts with.
    fn functions(&self, table: &str) -> Vec<u64> {
        let table = tables::named(table).unwrap();
        let (start, end) = (
            self.image.address_of(table.start()).unwrap(),
            self.image.address_of(table.end).unwrap(),
        );
        (start..end)
            .step_by(table.entry_size as usize)
            .map(|slot| self.image.u64_at(slot).unwrap())
            .collect()
    }
}

#[test]
fn entries_go_by_rank_then_name_then_path() {
    let mut kernel = Kernel::new();
    for (name, after) in [("zero", ""), ("late", "test::b,"), ("b", "test::zero,"), ("a", "test::zero,")] {
        kernel.entry_with("initcall6", name, &[("after", after)]);
    }
    let sorted = sort(&kernel);
    assert_eq!(sorted.problems, [] as [&str; 0]);
    assert_eq!(sorted.names("initcall6"), ["zero", "a", "b", "late"]);
}

#[test]
fn contents_move_with_their_symbols() {
    let mut kernel = Kernel::new();
    kernel.entry("ktest", "second");
    kernel.entry("ktest", "first");
    let sorted = sort(&kernel);
    assert_eq!(sorted.names("ktest"), ["first", "second"]);
    assert_eq!(sorted.functions("ktest"), [Kernel::function(1), Kernel::function(0)]);
}

#[test]
fn a_part_is_sorted_for_itself() {
    let mut kernel = Kernel::new();
    kernel.entry("initcall6", "a");
    kernel.entry("initcall1", "b");
    kernel.entry("initcall1", "a_first");
    let sorted = sort(&kernel);
    assert_eq!(
        (sorted.names("initcall1"), sorted.names("initcall6")),
        (vec!["a_first".to_owned(), "b".into()], vec!["a".to_owned()])
    );
    let start = |part: &str| sorted.image.address_of(part).unwrap();
    assert_eq!(
        start("__initcall2_start") - start("__initcall1_start"),
        32,
        "the symbols between the parts stay"
    );
}

#[test]
fn parameters_go_by_name_with_hyphens_folded() {
    let mut kernel = Kernel::new();
    for name in ["b-c", "b_b", "b-a", "a"] {
        kernel.entry("param", name);
    }
    assert_eq!(sort(&kernel).names("param"), ["a", "b_a", "b_b", "b_c"]);
}

#[test]
fn the_companion_follows_across_all_parts() {
    let mut kernel = Kernel::new();
    for (part, name) in [("initcall6", "d"), ("initcall1", "b"), ("initcall6", "c"), ("initcallearly", "a")] {
        kernel.entry(part, name);
    }
    let sorted = sort(&kernel);
    assert_eq!(sorted.problems, [] as [&str; 0]);
    assert_eq!(sorted.names("initcall_info"), ["a", "b", "c", "d"]);
    let info = sorted.image.address_of("__initcall_info_start").unwrap();
    for (index, name) in [b"a", b"b", b"c", b"d"].into_iter().enumerate() {
        let slot = info + index as u64 * tables::INITCALL_INFO.entry_size;
        assert_eq!(
            sorted.image.at(slot..slot + 1).unwrap(),
            name,
            "the slot holds what belongs to the entry"
        );
        let entry = sorted.image.address_of("__initcall_start").unwrap() + index as u64 * 16;
        assert_eq!(sorted.image.u64_at(entry + 8), Some(slot), "the entry points to it");
    }
}

#[test]
fn states_of_cpus_go_by_their_relations_within_a_section() {
    let mut kernel = Kernel::new();
    for (section, name, after) in [
        ("online", "a", ""),
        ("prepare", "a", "test::z,"),
        ("prepare", "z", ""),
        ("prepare", "b", ""),
    ] {
        kernel.entry_with(&format!("cpu_state_{section}"), name, &[("after", after)]);
    }
    let sorted = sort(&kernel);
    assert!(sorted.problems.is_empty(), "{:?}", sorted.problems);
    assert_eq!(sorted.names("cpu_state_prepare"), ["b", "z", "a"]);
    assert_eq!(sorted.names("cpu_state_online"), ["a"]);
}

#[test]
fn sorting_twice_changes_nothing() {
    let mut kernel = Kernel::new();
    for (name, after) in [("z", ""), ("y", "test::x,"), ("x", "")] {
        kernel.entry_with("stage", name, &[("after", after)]);
    }
    let once = sort(&kernel).image;
    let mut twice = once.clone();
    let mut problems = Problems::default();
    let placed = placed::find(&twice, &mut problems);
    let records = records::read(&once).unwrap();
    let graph = Graph::resolve(&records).unwrap();
    sort_all(&mut twice, &placed, &records, &[&graph], &mut problems).unwrap();
    assert_eq!(twice.into_bytes().unwrap(), once.into_bytes().unwrap());
}

#[test]
fn an_entry_without_a_record_is_named_by_its_address() {
    let mut kernel = Kernel::new();
    kernel.raw_entry("initcall6", &[0; 16]);
    let problems = sort(&kernel).problems;
    assert_eq!(problems.len(), 2, "the companion has no slot for it either: {problems:?}");
    assert!(
        problems[0].starts_with("initcall: .initcall6.init: the entry at 0xffffffff"),
        "{}",
        problems[0]
    );
}

#[test]
fn a_record_without_an_entry_is_named_with_its_place() {
    let mut kernel = Kernel::new();
    kernel.record(&record_bytes("__param", "__incipit.param.test.gone.1_1$", "gone", &[]));
    let problems = sort(&kernel).problems;
    assert_eq!(
        problems,
        ["param: gone (src/lib.rs:1) is declared, but its entry __incipit.param.test.gone.1_1$ is not in the image"]
    );
}

#[test]
fn two_records_of_one_entry_are_both_named() {
    let mut kernel = Kernel::new();
    kernel.entry("ktest", "one");
    kernel.record(&record_bytes(
        ".kunit_test_suites",
        &Kernel::symbol_of("ktest", "one"),
        "other",
        &[],
    ));
    let problems = sort(&kernel).problems;
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("one (src/lib.rs:1) and other (src/lib.rs:1)"),
        "{}",
        problems[0]
    );
}

#[test]
fn an_entry_in_another_part_than_its_record_says_is_a_problem() {
    let mut kernel = Kernel::new();
    kernel.entry("initcall6", "a");
    kernel.entry("initcall7", "b");
    kernel.move_symbol(
        &Kernel::symbol_of("initcall7", "b"),
        kernel.image().address_of("__initcall6_start").unwrap(),
    );
    let problems = sort(&kernel).problems;
    assert!(problems[0].contains("outside .initcall7.init"), "{}", problems[0]);
}

#[test]
fn a_record_of_an_unknown_section_is_a_problem() {
    let mut kernel = Kernel::new();
    kernel.record(&record_bytes(".initcal6.init", "__incipit.initcal6.test.a.1_1$", "a", &[]));
    assert_eq!(
        sort(&kernel).problems,
        [".initcal6.init: a (src/lib.rs:1) is declared in a section that is no part of a table"]
    );
}

#[test]
fn two_entries_with_one_slot_are_a_problem() {
    let mut kernel = Kernel::new();
    kernel.entry("stage", "a");
    kernel.entry("stage", "b");
    let mut image = kernel.image();
    let (start, info) = (
        image.address_of("__stage_start").unwrap(),
        image.address_of("__stage_info_start").unwrap(),
    );
    let mut check = |pointer: u64| {
        image.patch(start + 16 + 8, &pointer.to_le_bytes()).unwrap();
        let mut problems = Problems::default();
        let placed = placed::find(&image, &mut problems);
        let records = records::read(&image).unwrap();
        let graph = Graph::resolve(&records).unwrap();
        sort_all(&mut image.clone(), &placed, &records, &[&graph], &mut problems).unwrap();
        problems.into_vec().iter().map(ToString::to_string).collect::<String>()
    };
    assert!(check(info).contains("both point to"));
    assert!(check(info + 1).contains("which is no slot of stage_info"));
    assert!(check(info + 2 * tables::STAGE_INFO.entry_size).contains("which is no slot of stage_info"));
    assert_eq!(check(info + tables::STAGE_INFO.entry_size), "");
}

#[test]
fn exceptions_are_sorted_and_the_flag_is_cleared() {
    let at = Kernel::function;
    let mut kernel = Kernel::new();
    kernel.exceptions(&[(at(5), at(50), 7), (at(1), at(10), 0xffff_0003), (at(3), at(2), 0)]);
    let sorted = sort(&kernel);
    // Decoded here for itself, after Linux's description of the entry.
    let start = sorted.image.address_of("__start___ex_table").unwrap();
    let field = |entry: u64, n: u64| {
        let address = start + entry * 12 + n * 4;
        let value = i32::from_le_bytes(sorted.image.at(address..address + 4).unwrap().try_into().unwrap());
        (address, value)
    };
    for (entry, (instruction, fixup, data)) in [(at(1), at(10), 0xffff_0003), (at(3), at(2), 0), (at(5), at(50), 7u32)]
        .into_iter()
        .enumerate()
    {
        let target = |n| {
            field(entry as u64, n)
                .0
                .checked_add_signed(i64::from(field(entry as u64, n).1))
                .unwrap()
        };
        assert_eq!((target(0), target(1), field(entry as u64, 2).1 as u32), (instruction, fixup, data));
    }
    let flag = sorted.image.address_of("main_extable_sort_needed").unwrap();
    assert_eq!(sorted.image.at(flag..flag + 4).unwrap(), [0; 4]);
}

#[test]
fn a_kernel_without_the_sort_flag_is_a_problem() {
    let mut kernel = Kernel::new();
    kernel.without_symbol("main_extable_sort_needed");
    assert_eq!(
        sort(&kernel).problems,
        ["ex_table: no symbol main_extable_sort_needed: the kernel must define it, a u32 that is 1"]
    );
}

#[test]
fn ten_thousand_entries_are_sorted() {
    let mut kernel = Kernel::new();
    for number in 0..10_000u64 {
        kernel.entry("initcall6", &format!("call{:05}", (number * 7919) % 10_000));
    }
    let sorted = sort(&kernel);
    assert_eq!(sorted.problems, [] as [&str; 0]);
    let expected: Vec<_> = (0..10_000).map(|number| format!("call{number:05}")).collect();
    assert_eq!(sorted.names("initcall6"), expected);
}

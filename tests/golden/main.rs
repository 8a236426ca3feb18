//! The order of the boot, held against files that people review and against the order of Linux's `start_kernel`.

mod linux;

use incipit_tests::built::Build;
use incipit_tests::golden::{INITCALLS, STAGES, Sequence};

/// Shows the first difference; `make golden` takes the new order over.
fn compare(sequence: &Sequence) {
    let path = sequence.path();
    let file = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}: `make golden` writes it", path.display()));
    let image = sequence.generate(&Build::ours().vmlinux()).expect("an image");
    let difference = file.lines().zip(image.lines()).find(|(golden, actual)| golden != actual);
    assert!(
        file == image,
        "{} and the image differ, first in {difference:?}: if the new order is right, `make golden` takes it over",
        path.display()
    );
}

#[test]
fn the_stages_are_those_of_the_golden_file() {
    compare(&STAGES);
}

#[test]
fn the_initcalls_are_those_of_the_golden_file() {
    compare(&INITCALLS);
}

#[test]
fn the_stages_follow_the_order_of_start_kernel() {
    let rows = STAGES.rows(&Build::ours().vmlinux()).expect("an image");
    let mut position = 0;
    for row in &rows {
        let name = row.record.name.as_str();
        let caller = if linux::SETUP_ARCH.contains(&name) { "setup_arch" } else { name };
        let found = linux::START_KERNEL.iter().position(|other| *other == caller);
        let at = found.unwrap_or_else(|| panic!("{name} ({}) is no stage of start_kernel", row.record.place()));
        assert!(
            at >= position,
            "{name} ({}) runs behind {}, which start_kernel calls later",
            row.record.place(),
            linux::START_KERNEL[position]
        );
        position = at;
    }
    assert_eq!(rows.last().map(|row| row.record.name.as_str()), Some("rest_init"));
}

#[test]
fn every_initcall_of_a_file_is_of_a_level_in_order() {
    let levels: Vec<_> = ["con_initcall", "initcall"]
        .iter()
        .flat_map(|name| incipit_linker::tables::named(name).expect(name).parts)
        .map(|part| part.name)
        .collect();
    let rows = INITCALLS.rows(&Build::ours().vmlinux()).expect("an image");
    let places: Vec<_> = rows.iter().map(|row| levels.iter().position(|level| *level == row.part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}

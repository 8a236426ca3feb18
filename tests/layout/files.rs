//! The files beside the image: the list of symbols, the pages of the reference, and what the front page shows.

use std::process::Command;

use incipit_linker::reference;
use incipit_linker::seal::image::Image;
use incipit_tests::built::{Build, has_program, root};

use crate::image::IMAGE;

fn system_map() -> String {
    std::fs::read_to_string(Build::ours().system_map()).expect("out/System.map")
}

#[test]
fn system_map_is_what_nm_says() {
    if !has_program("nm") {
        eprintln!("skipped: this machine has no nm");
        return;
    }
    let output = Command::new("nm")
        .arg("-n")
        .arg(Build::ours().vmlinux())
        .env("LC_ALL", "C")
        .output()
        .expect("nm starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (map, nm) = (system_map(), String::from_utf8(output.stdout).expect("UTF-8"));
    let difference = map.lines().zip(nm.lines()).find(|(ours, theirs)| ours != theirs);
    assert_eq!(difference, None, "the first difference");
    assert_eq!(map.lines().count(), nm.lines().count());
}

#[test]
fn system_map_has_every_symbol_at_its_address() {
    let map = system_map();
    let lines: Vec<_> = map.lines().map(|line| line.split(' ').collect::<Vec<_>>()).collect();
    assert!(
        lines
            .iter()
            .all(|words| words.len() == 3 && words[0].len() == 16 && words[1].len() == 1),
        "three words a line"
    );
    assert!(lines.is_sorted_by_key(|words| words[0]));
    for (name, value) in [("_text", IMAGE.symbol("_text")), ("_end", IMAGE.symbol("_end"))] {
        assert!(
            lines.iter().any(|words| words[2] == name && words[0] == format!("{value:016x}")),
            "{name}"
        );
    }
}

#[test]
fn symbols_have_the_names_that_people_read() {
    for symbol in &IMAGE.elf.symbols {
        assert!(
            !symbol.name.starts_with("_R") && !symbol.name.starts_with("_ZN"),
            "{} is mangled",
            symbol.name
        );
        assert!(!symbol.name.contains(' '), "`{}` is two words to a tool", symbol.name);
        assert!(
            !symbol.name.contains('$') || symbol.name.starts_with("__incipit."),
            "{}",
            symbol.name
        );
    }
}

/// Fails unless the page `name` is `wanted`.
fn check_reference(name: &str, wanted: &str) {
    let path = root().join("docs/reference").join(name);
    let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}: `make reference` writes it", path.display()));
    let difference = page.lines().zip(wanted.lines()).find(|(line, wanted)| line != wanted);
    assert!(
        page == wanted,
        "{} is out of date, first in {difference:?}: `make reference` writes it",
        path.display()
    );
}

#[test]
fn the_reference_of_the_tables_is_their_descriptions() {
    check_reference("tables.md", &reference::tables::page());
}

#[test]
fn the_reference_of_the_parameters_is_what_the_image_declares() {
    let build = Build::ours();
    let image = Image::read(&build.vmlinux()).expect("an image");
    let switches = std::fs::read_to_string(build.folder().join("image/switches.list")).expect("the crates' switches");
    let page = reference::parameters::page_of(&image, &switches).unwrap_or_else(|problems| panic!("{problems}"));
    check_reference("kernel-parameters.md", &page);
}

#[test]
fn the_front_page_shows_the_example_as_it_is() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let example = read("examples/hello/src/lib.rs");
    assert!(
        read("README.md").contains(&format!("```rust\n{example}```\n")),
        "README.md has another hello than examples/hello"
    );
}

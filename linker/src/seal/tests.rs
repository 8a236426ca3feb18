use super::testing::{Elf, Kernel, archive};
use super::*;

/// A folder of a build: image, libraries, messages, list of crates.
struct Build {
    folder: PathBuf,
    options: Options,
}

impl Drop for Build {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Build {
    fn new(name: &str, kernel: &Kernel, library: &[u8]) -> Self {
        let folder = std::env::temp_dir().join(format!("incipit-seal-{name}-{}", std::process::id()));
        let archives = folder.join("x86_64-unknown-none");
        std::fs::create_dir_all(&archives).unwrap();
        let rlib = archives.join("libhello.rlib");
        std::fs::write(&rlib, library).unwrap();
        let message = serde_json::json!({ "reason": "compiler-artifact", "package_id": "path+file:///hello#0.1.0", "filenames": [rlib] });
        let file = |name: &str| folder.join(name);
        std::fs::write(file("cargo.json"), message.to_string()).unwrap();
        std::fs::write(file("crates.list"), "hello\n").unwrap();
        std::fs::write(file("linked"), kernel.bytes()).unwrap();
        let options = Options {
            image: file("linked"),
            artifacts: file("cargo.json"),
            crates: file("crates.list"),
            target: "x86_64-unknown-none".into(),
            output: file("vmlinux"),
            map: file("System.map"),
        };
        Self { folder, options }
    }

    fn refused(&self) -> Vec<String> {
        match seal(&self.options).unwrap() {
            Outcome::Refused(problems) => problems.iter().map(ToString::to_string).collect(),
            Outcome::Sealed(lines) => panic!("sealed: {lines:?}"),
        }
    }

    fn sealed(&self) -> Vec<String> {
        match seal(&self.options).unwrap() {
            Outcome::Sealed(lines) => lines,
            Outcome::Refused(problems) => panic!("refused: {problems:?}"),
        }
    }
}

fn kernel() -> Kernel {
    let mut kernel = Kernel::new();
    for (part, name) in [
        ("initcall6", "world"),
        ("initcall6", "hello_init"),
        ("stage", "first"),
        ("ktest", "t"),
    ] {
        kernel.entry(part, name);
    }
    kernel.exceptions(&[
        (Kernel::function(9), Kernel::function(1), 0),
        (Kernel::function(8), Kernel::function(2), 0),
    ]);
    kernel
}

/// A library with the entry `hello_init`.
fn library() -> Vec<u8> {
    let mut object = Elf::new(1);
    object.section(".initcall6.init", 3, 0, &[0; 16]);
    object.symbol(&Kernel::symbol_of("initcall6", "hello_init"), 0, 16, 1);
    archive(&[("hello.o", &object.build())])
}

#[test]
fn a_sealed_image_is_sorted_whole_and_executable() {
    use std::os::unix::fs::PermissionsExt;
    let build = Build::new("good", &kernel(), &library());
    let lines = build.sealed();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("initcall ") && line.contains(" 2 entries of 16 bytes")),
        "{lines:?}"
    );
    assert!(lines.contains(&"build id 000102030405060708090a0b0c0d0e0f10111213".to_owned()));
    let image = Image::read(&build.options.output).unwrap();
    let names: Vec<_> = list::rows(&image, Some("initcall"))
        .unwrap()
        .into_iter()
        .map(|row| row.record.name)
        .collect();
    assert_eq!(names, ["hello_init", "world"]);
    let trailer = image.address_of("__image_trailer").unwrap();
    assert_eq!(image.at(trailer..trailer + 16).unwrap(), trailer::COMPLETE);
    assert_eq!(
        std::fs::metadata(&build.options.output).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert!(std::fs::read_to_string(&build.options.map).unwrap().contains(" T startup_64\n"));
}

#[test]
fn sealing_a_sealed_image_changes_nothing() {
    let mut build = Build::new("twice", &kernel(), &library());
    build.sealed();
    build.options.image = build.options.output.clone();
    let once = std::fs::read(&build.options.output).unwrap();
    build.sealed();
    assert_eq!(std::fs::read(&build.options.output).unwrap(), once);
}

#[test]
fn an_image_with_problems_is_not_written_and_all_of_them_are_told() {
    let mut kernel = Kernel::new();
    kernel.without_symbol("startup_64");
    kernel.raw_entry("ktest", &[0; 16]);
    let build = Build::new("bad", &kernel, &library());
    let problems = build.refused();
    assert!(
        problems
            .iter()
            .any(|problem| problem.starts_with("crate hello: is enabled but not linked")),
        "{problems:?}"
    );
    assert!(
        problems
            .iter()
            .any(|problem| problem.starts_with("ktest: .kunit_test_suites: the entry at")),
        "{problems:?}"
    );
    assert!(
        problems.iter().any(|problem| problem.starts_with("image: startup_64 is missing")),
        "{problems:?}"
    );
    assert!(!build.options.output.exists() && !build.options.map.exists());
}

#[test]
fn an_input_that_is_missing_or_broken_is_named() {
    let build = Build::new("inputs", &kernel(), &library());
    for file in ["linked", "cargo.json", "crates.list", "x86_64-unknown-none/libhello.rlib"] {
        let path = build.folder.join(file);
        let good = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let error = format!("{:#}", seal(&build.options).unwrap_err());
        assert!(error.starts_with(&format!("reading {}", path.display())), "{error}");
        std::fs::write(&path, &good).unwrap();
    }
    std::fs::write(&build.options.image, &kernel().bytes()[..1000]).unwrap();
    assert!(format!("{:#}", seal(&build.options).unwrap_err()).contains("linked"));
}

#[test]
fn every_cut_of_an_image_is_refused_without_a_panic() {
    let bytes = kernel().bytes();
    for length in (0..bytes.len()).step_by(bytes.len() / 97).chain(0..70) {
        assert!(Image::parse(bytes[..length].to_vec()).is_err(), "{length}");
    }
}

#[test]
fn images_of_other_kinds_are_refused() {
    let bytes = kernel().bytes();
    let error_with = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        format!("{:#}", Image::parse(bytes).unwrap_err())
    };
    assert!(error_with(0, 0).contains("not an ELF file"));
    assert!(error_with(4, 1).contains("not an ELF file"), "32 bits");
    assert!(error_with(5, 2).contains("not a little-endian ELF file"));
    assert!(error_with(16, 3).contains("relocation-model=static"), "position-independent");
    assert!(error_with(18, 3).contains("not an image for x86-64"));
}

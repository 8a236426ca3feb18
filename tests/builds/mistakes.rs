//! Mistakes that only the whole image shows: each stops the build.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use incipit_linker::seal::{self, Options, Outcome};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::make::{Failure, extended, fixture, make};
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial(
            "mistakes::a_crate_that_is_enabled_and_not_linked_is_named_with_its_entries",
            not_linked,
        ),
        trial("mistakes::a_crate_that_is_enabled_and_not_built_is_named", not_built),
        trial("mistakes::two_parameters_of_one_name_are_named_with_both_places", one_name),
        trial("mistakes::a_folder_without_a_crate_is_named", || {
            let text = fails("no-crate", &["SUBSYS=docs"])?;
            ensure!(text.contains("docs/Cargo.toml"), "{text}");
            Ok(())
        }),
        trial("mistakes::a_folder_that_is_not_there_is_named", || {
            let text = fails("no-crate", &["SUBSYS=no/such/folder"])?;
            ensure!(text.contains("no/such/folder"), "{text}");
            Ok(())
        }),
        trial("mistakes::an_unknown_linker_is_refused", || {
            let text = fails("no-crate", &["LD=gold"])?;
            ensure!(text.contains("LD=gold: the linker is lld or gnu"), "{text}");
            Ok(())
        }),
        trial("mistakes::a_configuration_that_is_malformed_is_named_by_its_line", || {
            let folder = Folder::new()?;
            let config = folder.path().join("config");
            fs::write(&config, "CONFIG_KDB=y\nCONFIG_KUNIT=maybe\n")?;
            let text = fails("no-crate", &[&format!("KCONFIG_CONFIG={}", config.display())])?;
            ensure!(text.contains("line 2: `maybe`: the value of CONFIG_KUNIT must be"), "{text}");
            Ok(())
        }),
    ]
}

/// What make says when it fails, as it must.
pub fn fails(name: &str, words: &[&str]) -> Result<String> {
    let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
    match make(name, &words)? {
        Ok(_) => bail!("make {} succeeds", words.join(" ")),
        Err(Failure(text)) => Ok(text),
    }
}

fn one_name() -> Result<()> {
    let (first, second) = (fixture("first_of_name"), fixture("second_of_name"));
    let text = fails("clash", &[&format!("SUBSYS={} {}", first.display(), second.display())])?;
    let line = text.lines().find(|line| line.contains("is declared twice")).unwrap_or_default();
    for part in [
        "`shared.a",
        "tests/fixtures/first_of_name/src/lib.rs:10",
        "tests/fixtures/second_of_name/src/lib.rs:10",
    ] {
        ensure!(line.contains(part), "no {part} in `{line}` of:\n{text}");
    }
    Ok(())
}

/// What the seal says of our own image when it is told that the messages of cargo and the list of crates are `artifacts` and `crates`.
fn refused(artifacts: PathBuf, crates: PathBuf) -> Result<Vec<String>> {
    let folder = Folder::new()?;
    let (output, map) = (folder.path().join("vmlinux"), folder.path().join("System.map"));
    let options = Options {
        image: Build::ours().vmlinux(),
        artifacts,
        crates,
        target: "x86_64-unknown-none".into(),
        output: output.clone(),
        map,
    };
    match seal::seal(&options)? {
        Outcome::Sealed(_) => bail!("the image is sealed"),
        Outcome::Refused(problems) => {
            ensure!(!output.exists(), "an image is written all the same");
            Ok(problems.iter().map(ToString::to_string).collect())
        }
    }
}

/// The crates of the extended image, held against our own, in which they are not.
fn not_linked() -> Result<()> {
    let folder = extended()?.folder().to_owned();
    let problems = refused(folder.join("cargo.json"), folder.join("image/crates.list"))?;
    let hello = problems
        .iter()
        .find(|problem| problem.starts_with("crate hello: "))
        .cloned()
        .unwrap_or_default();
    for part in [
        "is enabled but not linked",
        "examples/hello/src/lib.rs:",
        "`extern crate hello as _;`",
    ] {
        ensure!(hello.contains(part), "no {part} in {problems:#?}");
    }
    for name in ["registries", "misbehaving", "parameters"] {
        ensure!(
            problems.iter().any(|problem| problem.starts_with(&format!("crate {name}: "))),
            "no {name} in {problems:#?}"
        );
    }
    Ok(())
}

fn not_built() -> Result<()> {
    let folder = Folder::new()?;
    let crates = folder.path().join("crates.list");
    fs::write(&crates, "incipit-serial\nnobody\n")?;
    let problems = refused(Build::ours().folder().join("cargo.json"), crates)?;
    ensure!(
        problems == ["crate nobody: is enabled but was not built: the image must depend on it"],
        "{problems:#?}"
    );
    Ok(())
}

//! The files as others read them before they boot them, and the page on the loaders.

use std::process::Command;

use anyhow::{Result, ensure};
use incipit_tests::built::{Build, has_program};
use incipit_tests::trial::trial;
use incipit_tests::ways::{page, with_table};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let has_grub = has_program("grub-file");
    if !has_grub {
        eprintln!("skipped: what GRUB says of the files needs grub-file, which is in grub-common");
    }
    vec![
        trial("files::the_page_on_loaders_has_the_table_of_the_tests", page_is_right),
        trial("files::grub_knows_the_bzimage", || {
            grub_says("--is-x86-linux", &Build::ours().bzimage())
        })
        .with_ignored_flag(!has_grub),
        trial("files::grub_knows_the_elf_image", || {
            grub_says("--is-x86-multiboot2", &Build::ours().vmlinux())
        })
        .with_ignored_flag(!has_grub),
    ]
}

fn page_is_right() -> Result<()> {
    let text = std::fs::read_to_string(page())?;
    ensure!(
        with_table(&text).as_ref() == Some(&text),
        "{} is out of date: `make reference` writes its table",
        page().display()
    );
    Ok(())
}

fn grub_says(kind: &str, file: &std::path::Path) -> Result<()> {
    let status = Command::new("grub-file").arg(kind).arg(file).status()?;
    ensure!(status.success(), "grub-file {kind} {} says no", file.display());
    Ok(())
}

//! The documentation of an image, as `make doc` builds it.

use std::fs;

use anyhow::{Context, Result, ensure};
use incipit_linker::record::key;
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list;
use incipit_tests::built::{Build, root};
use incipit_tests::make::typed;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![trial("documentation::every_entry_has_a_page_that_says_how_it_is_declared", pages)]
}

/// Rustdoc itself refuses links that lead nowhere, because `make doc` lets it.
fn pages() -> Result<()> {
    let output = typed("make doc O=out/documentation SUBSYS=examples/hello")?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "make doc fails:\n{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let index = root().join(told.lines().last().context("make doc does not say where the index is")?);
    let folder = index.parent().context("a folder")?;
    let page = fs::read_to_string(&index).with_context(|| index.display().to_string())?;
    let links: Vec<_> = page
        .split("<tr><td><a href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let build = Build::in_folder(root().join("out/documentation"));
    let rows = list::rows(&Image::read(&build.vmlinux())?, None)?;
    // An obsolete option is no item.
    let documented: Vec<_> = rows.iter().filter(|row| row.record.get(key::TYPE) != Some("obsolete")).collect();
    ensure!(
        links.len() == documented.len() && page.matches("<tr><td>").count() == rows.len(),
        "{} of {} entries have a link, {} should",
        links.len(),
        rows.len(),
        documented.len()
    );
    ensure!(links.contains(&"hello/fn.hello_init.html"), "hello_init is not there");
    for link in links {
        let path = folder.join(link);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let item = link.rsplit(['/', '.']).nth(1).unwrap_or_default();
        ensure!(text.contains(item), "{link} is not about {item}");
        // Public items without documentation of their own stay without; there are none.
        ensure!(
            text.contains("<strong>Declared</strong>: "),
            "{link} does not say how {item} is declared"
        );
    }
    Ok(())
}

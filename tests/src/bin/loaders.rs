//! Writes the table of `docs/loaders.md`: which ways to the kernel are tested, and by which test.

use std::fs;

use anyhow::{Context, Result};
use incipit_tests::ways::{page, with_table};

fn main() -> Result<()> {
    let page = page();
    let text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let text = with_table(&text).with_context(|| format!("{} has no place for the table", page.display()))?;
    fs::write(&page, text).with_context(|| page.display().to_string())
}

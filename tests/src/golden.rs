//! The golden sequences: what runs in which order, in files whose changes are reviewed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use incipit_linker::seal::image::Image;
use incipit_linker::seal::list::{self, Row};

use crate::built::root;

/// A sequence: the table's name, what its file is called, and what the file says of itself.
pub struct Sequence {
    /// The tables, in the order in which the kernel walks them.
    pub tables: &'static [&'static str],
    /// File name below `tests/golden`.
    pub file: &'static str,
    about: &'static str,
}

/// The steps of `start_kernel`.
pub const STAGES: Sequence = Sequence {
    tables: &["stage"],
    file: "stages.txt",
    about: "The stages of the default configuration, in the order in which they run.",
};

/// The initcalls; those of consoles run from a stage, before all others.
pub const INITCALLS: Sequence = Sequence {
    tables: &["con_initcall", "initcall"],
    file: "initcalls.txt",
    about: "The initcalls of the default configuration, in the order in which they run: part of the table, name, path.",
};

impl Sequence {
    /// The file of this sequence.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        root().join("tests/golden").join(self.file)
    }

    /// The rows of the image `vmlinux`, in the order of the image.
    ///
    /// # Errors
    ///
    /// If the image cannot be read.
    pub fn rows(&self, vmlinux: &Path) -> Result<Vec<Row>> {
        let image = Image::read(vmlinux)?;
        let mut rows = Vec::new();
        for table in self.tables {
            rows.extend(list::rows(&image, Some(table))?);
        }
        Ok(rows)
    }

    /// What the file should say of the image `vmlinux`.
    ///
    /// # Errors
    ///
    /// If the image cannot be read.
    pub fn generate(&self, vmlinux: &Path) -> Result<String> {
        let mut text = format!("# {} `make golden` writes this file.\n", self.about);
        for row in self.rows(vmlinux)? {
            text.push_str(&format!("{:<16} {:<32} {}\n", row.part, row.record.name, row.record.path));
        }
        Ok(text)
    }

    /// The names in the file, in order.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let path = self.path();
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        Ok(rows.filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect())
    }
}

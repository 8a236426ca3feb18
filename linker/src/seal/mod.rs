//! The post-link step: makes the linker's output the image that boots.
//!
//! Each step is a room of its own. Together they hold the build to its word: what was declared is linked ([`expected`]) and adds up
//! ([`crate::graph`]); every table is in its order ([`order`]), in its place and of its shape ([`check`]); the kernel knows its symbols
//! ([`kallsyms`], [`names`]); the file says that it is whole ([`trailer`]). A step that finds something wrong notes it ([`problem`]) and the next one goes
//! on; an image with a problem is not written.

pub mod artifacts;
pub mod check;
pub mod expected;
pub mod image;
pub mod kallsyms;
pub mod layout;
pub mod list;
pub mod mismatch;
pub mod names;
pub mod order;
pub mod placed;
pub mod problem;
pub mod records;
pub mod relocations;
pub mod report;
pub mod rlib;
pub mod system_map;
pub mod trailer;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::Result;

use image::Image;
use problem::{Problem, Problems};

use crate::graph::Graph;

/// What is sealed, and with what.
#[derive(Debug, Clone)]
pub struct Options {
    /// The linked image.
    pub image: PathBuf,
    /// Cargo's messages of the build that linked it.
    pub artifacts: PathBuf,
    /// The list of enabled crates.
    pub crates: PathBuf,
    /// The target that the image was compiled for.
    pub target: String,
    /// Where the sealed image goes.
    pub output: PathBuf,
    /// Where `System.map` goes.
    pub map: PathBuf,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// The image is written; the lines tell what is in it.
    Sealed(Vec<String>),
    /// Nothing is written, for these reasons.
    Refused(Vec<Problem>),
}

/// Seals an image.
///
/// # Errors
///
/// If a file cannot be read or written, or is not what it should be. What is wrong with a readable image is no error but [`Outcome::Refused`].
pub fn seal(options: &Options) -> Result<Outcome> {
    let mut problems = Problems::default();
    let mut image = Image::read(&options.image)?;
    let libraries = expected::read_libraries(&artifacts::read(&options.artifacts, &options.target)?)?;
    let enabled = expected::read_crates(&options.crates)?;
    expected::check(&image, &libraries, &enabled, &mut problems);
    let lines = seal_image(&mut image, &mut problems)?;
    if !problems.is_empty() {
        return Ok(Outcome::Refused(problems.into_vec()));
    }
    layout::write_whole(&options.map, system_map::generate(&image).as_bytes(), 0o644)?;
    image.write(&options.output)?;
    Ok(Outcome::Sealed(lines))
}

/// The steps that the image alone is needed for. Returns what there is to tell about it.
fn seal_image(image: &mut Image, problems: &mut Problems) -> Result<Vec<String>> {
    let records = records::read(image)?;
    expected::check_parameters(&records, problems);
    let [boot, cpu_states] = [Graph::resolve(&records), Graph::resolve_cpu_states(&records)].map(|resolved| {
        resolved.unwrap_or_else(|refused| {
            problems.extend(refused);
            Graph::default()
        })
    });
    mismatch::check(image, &records, problems)?;
    let placed = placed::find(image, problems);
    order::sort_all(image, &placed, &records, &[&boot, &cpu_states], problems)?;
    check::check(image, &placed, problems);
    let build_id = trailer::build_id(image, problems);
    if !problems.is_empty() {
        return Ok(Vec::new());
    }
    names::demangle_all(image);
    let symbols = kallsyms::write(image)?;
    trailer::write(image)?;

    let mut lines: Vec<_> = placed.iter().map(report::line).collect();
    lines.extend(records.iter().filter(|record| record.is_exception()).map(report::exception));
    lines.push(symbols.map_or_else(
        || "no symbol table (CONFIG_KALLSYMS)".to_owned(),
        |count| format!("{count} symbols for backtraces"),
    ));
    lines.extend(build_id.map(|id| format!("build id {id}")));
    Ok(lines)
}

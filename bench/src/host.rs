//! What the build itself takes on this machine: the least of some runs, in milliseconds.
//!
//! Times, not instructions: they are worth comparing with their aim, and with each other on one machine.

use std::fs::File;
use std::path::Path;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use incipit_linker::graph::Graph;
use incipit_linker::seal::image::Image;
use incipit_linker::seal::records;

use crate::image;

/// How often something is measured.
const RUNS: usize = 5;

/// A file of a crate that nothing depends on.
const LEAF: &str = "drivers/lkdtm/src/lib.rs";

/// What was measured, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Entries in the large graph.
    pub entries: usize,
    /// Relations in it.
    pub relations: usize,
    /// To resolve and order them.
    pub order: f64,
    /// `make` when one file of a leaf crate is newer than the image.
    pub relink: f64,
}

/// Measures, with `vmlinux` as the image of the large graph.
///
/// # Errors
///
/// If the image cannot be read or another one not built.
pub fn measure(root: &Path, vmlinux: &Path) -> Result<Times> {
    let records = records::read(&Image::read(vmlinux)?)?;
    let mut times = Times {
        order: f64::INFINITY,
        relink: f64::INFINITY,
        ..Times::default()
    };
    for _ in 0..RUNS {
        let start = Instant::now();
        let graph = Graph::resolve(&records);
        times.order = times.order.min(start.elapsed().as_secs_f64() * 1000.0);
        let graph = graph.map_err(|problems| anyhow::anyhow!("{}", problems[0]))?;
        (times.entries, times.relations) = (graph.entries.len(), graph.edges.len());
    }
    image::build(root, "leaf", &[])?;
    for _ in 0..RUNS {
        let leaf = root.join(LEAF);
        File::options()
            .append(true)
            .open(&leaf)
            .and_then(|file| file.set_modified(SystemTime::now()))
            .with_context(|| leaf.display().to_string())?;
        let start = Instant::now();
        let vmlinux = image::build(root, "leaf", &[])?;
        times.relink = times.relink.min(start.elapsed().as_secs_f64() * 1000.0);
        let age = SystemTime::now()
            .duration_since(std::fs::metadata(&vmlinux)?.modified()?)
            .unwrap_or_default();
        ensure!(age <= start.elapsed(), "a newer {LEAF} did not lead to a new image");
    }
    Ok(times)
}

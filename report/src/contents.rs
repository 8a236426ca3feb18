//! What is in an image: its sections as they lie in memory, and its tables with their entries.
//!
//! Reads nothing by itself: `incipit-linker` knows the file, the tables and the declarations. Here they are only put together for showing.

mod symbols;
mod tables;

use std::ops::Range;

use anyhow::{Result, bail};
use incipit_linker::graph::Graph;
use incipit_linker::record::key;
use incipit_linker::seal::image::{Image, Section, Segment};
use incipit_linker::seal::problem::Problems;
use incipit_linker::seal::records::{self, Record};
use incipit_linker::seal::{placed, trailer};

pub use tables::{Entries, Listed};

/// An image, taken apart.
#[derive(Debug)]
pub struct Contents {
    /// The identity that the linker gave it, in hexadecimal.
    pub build_id: String,
    /// Its sections by address.
    pub areas: Vec<Area>,
    /// Its tables in the order of their descriptions.
    pub tables: Vec<Listed>,
    /// Its stages and initcalls, and what relates them.
    pub graph: Graph,
    /// Its states of CPUs, and what relates them.
    pub cpu_states: Graph,
    /// What stays and may refer to init memory, each with its reason.
    pub exceptions: Vec<Record>,
}

/// A section in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The section's name.
    pub name: String,
    /// Its addresses.
    pub range: Range<u64>,
    /// What may be done with it.
    pub class: Class,
    /// Whether it is given back after the boot.
    pub freed: bool,
}

/// What may be done with a section's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Read and executed.
    Code,
    /// Read.
    ReadOnly,
    /// Read and written.
    Data,
    /// Read and written; zeros at first, and not in the file.
    Zeroed,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Code, Self::ReadOnly, Self::Data, Self::Zeroed];
}

impl Contents {
    /// Takes `image` apart.
    ///
    /// # Errors
    ///
    /// If it was not sealed, or its declarations do not add up.
    pub fn of(image: &Image) -> Result<Self> {
        let mut problems = Problems::default();
        let placed = placed::find(image, &mut problems);
        let build_id = trailer::build_id(image, &mut problems).unwrap_or_default();
        if let Some(problem) = problems.into_vec().first() {
            bail!("{problem}");
        }
        Ok(Self {
            build_id,
            areas: areas(image),
            tables: tables::listed(image, &placed)?,
            graph: Graph::of_image(image)?,
            cpu_states: Graph::cpu_states_of_image(image)?,
            exceptions: exceptions(image)?,
        })
    }

    /// From the first to behind the last byte in memory.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = self.areas.first().map_or(0, |area| area.range.start);
        start..self.areas.iter().map(|area| area.range.end).max().unwrap_or(start)
    }
}

/// The declarations that give a reason, by path.
fn exceptions(image: &Image) -> Result<Vec<Record>> {
    let mut found = records::read(image)?;
    found.retain(|record| record.get(key::REASON).is_some());
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// The sections that take memory, by address.
fn areas(image: &Image) -> Vec<Area> {
    let freed = image.address_of("__init_begin").unwrap_or_default()..image.address_of("__init_end").unwrap_or_default();
    let loaded = image.sections().iter().filter(|section| section.is_loaded() && section.size > 0);
    let mut areas: Vec<_> = loaded
        .map(|section| Area {
            name: section.name.clone(),
            range: section.range(),
            class: class(section, image.segments()),
            freed: freed.contains(&section.address),
        })
        .collect();
    areas.sort_by_key(|area| area.range.start);
    areas
}

/// The permissions are the segment's: a section's own flags say what it was compiled with, not how it is mapped.
fn class(section: &Section, segments: &[Segment]) -> Class {
    let holds = |segment: &&Segment| segment.is_loaded() && segment.range().contains(&section.address);
    match segments.iter().find(holds) {
        Some(segment) if segment.is_executable() => Class::Code,
        Some(segment) if segment.is_writable() && !section.has_bytes() => Class::Zeroed,
        Some(segment) if segment.is_writable() => Class::Data,
        _ => Class::ReadOnly,
    }
}

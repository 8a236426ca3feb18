//! The declared boot as a graph: what runs, in which order, and because of which declaration.
//!
//! Made from the declaration records of an image. The post-link step sorts the tables by it and refuses an image whose declarations do not add up; pictures
//! and reports are drawn from it. Knows records and tables, and nothing of files but [`Image`].

mod explain;
mod relations;
mod sort;

use anyhow::{Result, bail};

use crate::record::key;
use crate::seal::image::Image;
use crate::seal::problem::Problem;
use crate::seal::records::{self, Record};
use crate::table::{Part, Table};
use crate::tables::{CON_INITCALL, INITCALL, STAGE};

/// The tables whose entries can have relations, in the order in which they are walked: the stage `console_init` walks the console's, and the last stage leads
/// to the levels.
pub const WALKED: [&Table; 3] = [&STAGE, &CON_INITCALL, &INITCALL];

/// The stages and initcalls of an image, and what relates them.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The entries in the order in which the kernel runs them.
    pub entries: Vec<Node>,
    /// What puts one entry before another.
    pub edges: Vec<Edge>,
    /// The capabilities, by path.
    pub capabilities: Vec<Record>,
}

/// A stage or an initcall.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its declaration.
    pub record: Record,
    /// The part of the table that it is in.
    pub part: &'static Part,
    /// How many entries of its part must run before it, one behind the other.
    pub rank: u32,
    /// Whether it is the stage behind all others, which does not come back.
    pub last: bool,
    /// Place of its table in [`WALKED`], and of its part in the table.
    pub(crate) turn: (usize, usize),
}

/// That one entry runs before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// Index of the entry that runs first.
    pub first: usize,
    /// Index of the entry that runs behind it.
    pub then: usize,
    /// What says so.
    pub kind: Kind,
    /// Index of the capability that they have in common, if it is one.
    pub capability: Option<usize>,
}

/// What kind of declaration an edge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The later one says `after(path)`.
    After,
    /// The earlier one says `before(path)`.
    Before,
    /// The later one requires what the earlier one provides.
    Requires,
    /// The later one wants what the earlier one provides.
    Wants,
}

impl Edge {
    /// Index of the entry whose declaration makes the edge.
    #[must_use]
    pub const fn declared_by(&self) -> usize {
        match self.kind {
            Kind::Before => self.first,
            Kind::After | Kind::Requires | Kind::Wants => self.then,
        }
    }
}

impl Graph {
    /// The graph that `records` declare; records of other tables are passed over.
    ///
    /// # Errors
    ///
    /// Every declaration that cannot be kept, each with what would mend it: a relation to something that runs later, a requirement that nothing provides, a
    /// second provider of an exclusive capability, a cycle.
    pub fn resolve(records: &[Record]) -> std::result::Result<Self, Vec<Problem>> {
        let mut graph = Self::unrelated(records);
        let mut problems = relations::relate(&mut graph);
        sort::sort(&mut graph, &mut problems);
        let problems = problems.into_vec();
        if problems.is_empty() { Ok(graph) } else { Err(problems) }
    }

    /// The graph of `image`.
    ///
    /// # Errors
    ///
    /// If its records cannot be read, or do not add up: then it was never sealed.
    pub fn of_image(image: &Image) -> Result<Self> {
        match Self::resolve(&records::read(image)?) {
            Ok(graph) => Ok(graph),
            Err(problems) => bail!("{}", problems[0]),
        }
    }

    /// The entries and capabilities, without an edge, in an order that owes nothing to the link.
    fn unrelated(records: &[Record]) -> Self {
        let mut graph = Self::default();
        for record in records {
            if crate::tables::CAPABILITY.part_of(&record.table).is_some() {
                graph.capabilities.push(record.clone());
            } else if let Some((turn, part)) = turn_of(record) {
                graph.entries.push(Node {
                    record: record.clone(),
                    part,
                    rank: 0,
                    last: record.get(key::LAST).is_some(),
                    turn,
                });
            }
        }
        graph.capabilities.sort_by(|one, other| one.path.cmp(&other.path));
        graph.entries.sort_by(|one, other| one.key().cmp(&other.key()));
        graph
    }
}

impl Node {
    /// What decides which of two entries runs first. The symbol comes last: it is unique, so the order is total and owes nothing to the link.
    fn key(&self) -> impl Ord + use<'_> {
        let record = &self.record;
        (self.turn, self.last, self.rank, &record.name, &record.path, &record.entry)
    }
}

fn turn_of(record: &Record) -> Option<((usize, usize), &'static Part)> {
    WALKED.iter().enumerate().find_map(|(walk, table)| {
        let part = table.parts.iter().position(|part| part.section == record.table)?;
        Some(((walk, part), &table.parts[part]))
    })
}

#[cfg(test)]
mod tests;

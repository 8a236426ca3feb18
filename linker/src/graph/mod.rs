//! The declared boot as a graph: what runs, in which order, and because of which declaration. The states of CPUs are a second one.
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
use crate::tables::{CON_INITCALL, CPU_STATE, INITCALL, STAGE};

/// The tables of the boot whose entries can have relations, in the order in which they are walked: the stage `console_init` walks the console's, and the last
/// stage leads to the levels.
pub const WALKED: [&Table; 3] = [&STAGE, &CON_INITCALL, &INITCALL];

/// The tables that are walked for each CPU that comes or goes. Nothing orders their entries and those of the boot: a CPU comes at any time.
pub const WALKED_BY_CPUS: [&Table; 1] = [&CPU_STATE];

/// What is walked for one reason, and what relates its entries: the stages and initcalls of an image, or its states of CPUs.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The tables that it is made of, in the order in which they are walked.
    pub tables: &'static [&'static Table],
    /// The entries in the order in which the kernel runs them.
    pub entries: Vec<Node>,
    /// What puts one entry before another.
    pub edges: Vec<Edge>,
    /// The capabilities, by path.
    pub capabilities: Vec<Record>,
}

/// A stage, an initcall or a state of CPUs.
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
    /// Place of its table in [`Graph::tables`], and of its part in the table.
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
    /// The boot that `records` declare; records of other tables are passed over.
    ///
    /// # Errors
    ///
    /// Every declaration that cannot be kept, each with what would mend it: a relation to something that runs later, a requirement that nothing provides, a
    /// second provider of an exclusive capability, a relation to what is no part of the boot, a cycle.
    pub fn resolve(records: &[Record]) -> std::result::Result<Self, Vec<Problem>> {
        Self::resolve_tables(&WALKED, records)
    }

    /// The states of CPUs that `records` declare.
    ///
    /// # Errors
    ///
    /// As for [`Graph::resolve`].
    pub fn resolve_cpu_states(records: &[Record]) -> std::result::Result<Self, Vec<Problem>> {
        Self::resolve_tables(&WALKED_BY_CPUS, records)
    }

    fn resolve_tables(tables: &'static [&'static Table], records: &[Record]) -> std::result::Result<Self, Vec<Problem>> {
        let mut graph = Self::unrelated(tables, records);
        let mut problems = relations::relate(&mut graph, records);
        sort::sort(&mut graph, &mut problems);
        let problems = problems.into_vec();
        if problems.is_empty() { Ok(graph) } else { Err(problems) }
    }

    /// The boot of `image`.
    ///
    /// # Errors
    ///
    /// If its records cannot be read, or do not add up: then it was never sealed.
    pub fn of_image(image: &Image) -> Result<Self> {
        or_first_problem(Self::resolve(&records::read(image)?))
    }

    /// The states of CPUs of `image`.
    ///
    /// # Errors
    ///
    /// As for [`Graph::of_image`].
    pub fn cpu_states_of_image(image: &Image) -> Result<Self> {
        or_first_problem(Self::resolve_cpu_states(&records::read(image)?))
    }

    /// The entries and capabilities, without an edge, in an order that owes nothing to the link.
    fn unrelated(tables: &'static [&'static Table], records: &[Record]) -> Self {
        let mut graph = Self { tables, ..Self::default() };
        for record in records {
            if crate::tables::CAPABILITY.part_of(&record.table).is_some() {
                graph.capabilities.push(record.clone());
            } else if let Some((turn, part)) = turn_of(tables, record) {
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

fn or_first_problem(resolved: std::result::Result<Graph, Vec<Problem>>) -> Result<Graph> {
    match resolved {
        Ok(graph) => Ok(graph),
        Err(problems) => bail!("{}", problems[0]),
    }
}

/// The table whose entry `record` declares, if its entries can have relations.
fn related_table(record: &Record) -> Option<&'static Table> {
    let mut tables = WALKED.into_iter().chain(WALKED_BY_CPUS);
    tables.find(|table| table.part_of(&record.table).is_some())
}

fn turn_of(tables: &[&'static Table], record: &Record) -> Option<((usize, usize), &'static Part)> {
    tables.iter().enumerate().find_map(|(walk, table)| {
        let part = table.parts.iter().position(|part| part.section == record.table)?;
        Some(((walk, part), &table.parts[part]))
    })
}

#[cfg(test)]
mod tests;

//! Collections that grow with what is in them: arrays by number, numbers for things, intervals.
//!
//! The algorithms are [`incipit_lib`]'s; here they get their memory, a lock, and types. Each collection owns what is stored in it ([`Stored`]). Changing one takes
//! memory without waiting for any; who can wait calls [`xarray::preload`] before.

pub mod idr;
pub mod llist;
pub(crate) mod nodes;
pub mod prio_tree;
mod stored;
pub mod xarray;

pub use stored::{Stored, Value};

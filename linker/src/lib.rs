//! The link-time tables of the kernel, described once.
//!
//! [`tables`] holds one constant per table, and [`layout`] what else has its place in the image. Everything else is made from those: the linker script ([`script`]), the typed accessors of the kernel
//! ([`accessors`]), the reference page ([`mod@reference`]) and the post-link step (`seal`, with the feature `tool`). The attributes in `incipit-macros`
//! look their sections up here, too, so a table that is not described cannot be filled.
//!
//! This crate runs on the host. It knows sections and symbols, and nothing of what an entry means to the kernel.

pub mod accessors;
pub mod layout;
pub mod record;
pub mod reference;
pub mod script;
pub mod table;
pub mod tables;

#[cfg(feature = "tool")]
pub mod graph;
#[cfg(feature = "tool")]
pub mod ld;
#[cfg(feature = "tool")]
pub mod seal;

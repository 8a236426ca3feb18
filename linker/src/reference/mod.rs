//! Writes the pages of `docs/reference`, which `make reference` puts there and tests hold against what they describe.

#[cfg(feature = "tool")]
pub mod parameters;
pub mod tables;

//! Writes pages about the tables: those of `docs/reference`, which `make reference` puts there and tests hold against what they describe, and the front page of
//! the documentation that `make doc` builds. Makes text of descriptions and of what an image declares; the tool writes it to
//! files.

#[cfg(feature = "tool")]
pub mod index;
#[cfg(feature = "tool")]
pub mod parameters;
pub mod tables;

/// A piece of documentation without links to items, which lead nowhere outside the sources.
#[cfg(feature = "tool")]
fn without_links(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}

//! An exception from the rules of init memory says why it is one.

use incipit::prelude::*;

#[init_ref] //~ ERROR `#[init_ref]` takes the reason in quotes
fn without_a_reason() {}

#[init_ref("")] //~ ERROR `#[init_ref]` takes the reason in quotes
fn with_an_empty_one() {}

#[init_ref("  \n")] //~ ERROR `#[init_ref]` takes the reason in quotes
fn with_blanks() {}

#[init_ref(because)] //~ ERROR `#[init_ref]` takes the reason in quotes
fn without_quotes() {}

#[init_ref("one", "two")] //~ ERROR `#[init_ref]` takes the reason in quotes
fn with_two() {}

#[init_ref("one line,\nand another")] //~ ERROR the reason is one line of text: '\n' cannot stand in it
fn with_lines() {}

#[init_ref("is generic")]
fn generic<const N: usize>() {} //~ ERROR a generic function is compiled where it is used, so it cannot be put into `.ref.text`

#[init_ref("is a type")]
struct Nothing; //~ ERROR `#[init_ref]` stands on a function or a static

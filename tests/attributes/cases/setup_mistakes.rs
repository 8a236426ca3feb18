//! Options by prefix: a name, and a function from what follows it.

use incipit::prelude::*;

#[setup] //~ ERROR `#[setup]` takes one name in quotes: `#[setup("name")]`
fn without_name(_rest: &'static str) -> SetupResult {
    SetupResult::Consumed
}

#[setup("=")] //~ ERROR the name is empty
fn with_sign_alone(_rest: &'static str) -> SetupResult {
    SetupResult::Consumed
}

#[setup("say\"so=")] //~ ERROR '"' cannot stand in the name of an option
fn with_quote(_rest: &'static str) -> SetupResult {
    SetupResult::Consumed
}

#[setup("bell\u{7}=")] //~ ERROR '\u{7}' cannot stand in the name of an option
fn with_control_character(_rest: &'static str) -> SetupResult {
    SetupResult::Consumed
}

#[setup("x=")]
fn with_two_arguments(_name: &'static str, _rest: &'static str) -> SetupResult { //~ ERROR takes 2 arguments where one argument is right, and `InitMemory<'_>` may follow: `#[setup]` stands on a `fn(&'static str) -> SetupResult`
    SetupResult::Consumed
}

#[setup("x=")]
fn without_result(_rest: &'static str) {} //~ ERROR returns nothing

obsolete_setup!(name); //~ ERROR `obsolete_setup!` takes one name in quotes: `obsolete_setup!("name=")`

obsolete_setup!(""); //~ ERROR the name is empty

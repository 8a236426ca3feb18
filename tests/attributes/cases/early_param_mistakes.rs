//! Early options: a name without `=`, and a function from an optional text to a result.

use incipit::prelude::*;

#[early_param] //~ ERROR `#[early_param]` takes one name in quotes: `#[early_param("name")]`
fn without_name(_value: Option<&'static str>) -> Result<(), Errno> {
    Ok(())
}

#[early_param(name)] //~ ERROR `#[early_param]` takes one name in quotes
fn without_quotes(_value: Option<&'static str>) -> Result<(), Errno> {
    Ok(())
}

#[early_param("one", "two")] //~ ERROR `#[early_param]` takes one name in quotes
fn with_two_names(_value: Option<&'static str>) -> Result<(), Errno> {
    Ok(())
}

#[early_param("quiet=")] //~ ERROR an early option is named without `=`: its value is the argument
fn with_sign(_value: Option<&'static str>) -> Result<(), Errno> {
    Ok(())
}

#[early_param("")] //~ ERROR the name is empty
fn with_empty_name(_value: Option<&'static str>) -> Result<(), Errno> {
    Ok(())
}

#[early_param("two words")] //~ ERROR ' ' cannot stand in the name of an option
fn with_blank(_value: Option<&'static str>) -> Result<(), Errno> {
    Ok(())
}

#[early_param("x")]
fn without_argument() -> Result<(), Errno> { //~ ERROR takes no argument where one argument is right, and `InitMemory<'_>` may follow: `#[early_param]` stands on a `fn(Option<&'static str>) -> Result<(), Errno>`
    Ok(())
}

#[early_param("x")]
fn without_result(_value: Option<&'static str>) {} //~ ERROR returns nothing

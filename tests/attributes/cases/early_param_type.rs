//! An early option's function of another type.

use incipit::prelude::*;

#[early_param("x")]
fn plain_text(_value: &'static str) -> Result<(), Errno> { //~ ERROR mismatched types
    Ok(())
}

//! What runs behind the boot has no proof that init memory is there, and so cannot walk a table that goes with it.

use std::fmt::Write;

use incipit::kdb::{CommandError, Then};
use incipit::table;

fn monitor_command(_arguments: &[&str], _screen: &mut dyn Write) -> Result<Then, CommandError> {
    for _entry in table::SETUP.iter() {} //~ ERROR this method takes 1 argument but 0 arguments were supplied
    let _first = table::SETUP.get(0); //~ ERROR this method takes 2 arguments but 1 argument was supplied
    for _entry in &table::STAGE {} //~ ERROR `&InitTable<StageEntry>` is not an iterator
    Ok(Then::Stay)
}

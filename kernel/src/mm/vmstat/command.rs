//! The monitor's commands for the texts on memory that Linux has in `/proc`.

use core::fmt::{self, Write};

use linkme::distributed_slice;

use super::{buddyinfo, pagetypeinfo, zoneinfo};
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use crate::mm::meminfo::meminfo;
use crate::mm::slab::slabinfo;

fn show(text: fn(&mut dyn Write) -> fmt::Result, arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    text(screen)?;
    Ok(Then::Stay)
}

macro_rules! commands {
    ($($item:ident $name:ident $help:literal;)*) => {$(
        #[distributed_slice(KDB_COMMANDS)]
        static $item: Command = Command {
            name: stringify!($name),
            usage: "",
            help: $help,
            run: |arguments, screen| show($name, arguments, screen),
        };
    )*};
}

commands! {
    MEMINFO meminfo "Display how much memory there is, and how much is free";
    BUDDYINFO buddyinfo "Display free blocks of pages by zone and order";
    PAGETYPEINFO pagetypeinfo "Display free blocks of pages by zone, type and order";
    ZONEINFO zoneinfo "Display the numbers of each zone";
    SLABINFO slabinfo "Display the slab caches, their objects and slabs";
}

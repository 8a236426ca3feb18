//! The monitor's `debug_objects`: the figures of Linux's file of that name.

use core::fmt::{self, Write};
use core::sync::atomic::Ordering::Relaxed;

use linkme::distributed_slice;

use super::table::TABLE;
use super::{FIXUPS, WARNINGS};
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static DEBUG_OBJECTS: Command = Command {
    name: "debug_objects",
    usage: "",
    help: "Figures of the objects that are followed",
    run,
};

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    stats(screen)?;
    Ok(Then::Stay)
}

/// Writes the figures: Linux's `/sys/kernel/debug/debug_objects/stats`.
///
/// # Errors
///
/// That of `out`.
pub fn stats(out: &mut dyn Write) -> fmt::Result {
    let table = TABLE.lock();
    let (counts, chain) = (table.counts(), table.longest_chain());
    drop(table);
    for (name, figure) in [
        ("max_chain", chain),
        ("warnings", WARNINGS.load(Relaxed)),
        ("fixups", FIXUPS.load(Relaxed)),
        ("pool_free", counts.pool_free),
        ("pool_min_free", counts.pool_min_free),
        ("pool_used", counts.pool_used),
        ("pool_max_used", counts.pool_max_used),
        ("objs_allocated", counts.allocated),
    ] {
        writeln!(out, "{name:<14}:{figure}")?;
    }
    Ok(())
}

//! The monitor's `kmemleak`: what Linux has a file for.

use core::fmt::Write;
use core::sync::atomic::Ordering::Relaxed;

use linkme::distributed_slice;

use super::object::Flags;
use super::table::TABLE;
use super::{ENABLED, GRAY, is_enabled, report, scan};
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};

#[distributed_slice(KDB_COMMANDS)]
static KMEMLEAK: Command = Command {
    name: "kmemleak",
    usage: "[scan|clear|off|dump=address]",
    help: "Display memory leaks, or look for more",
    run,
};

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !is_enabled() {
        writeln!(screen, "kmemleak is off: say kmemleak=on on the command line")?;
        return Ok(Then::Stay);
    }
    match arguments {
        [] => report::leaks(screen)?,
        ["scan"] => {
            let new = scan();
            writeln!(screen, "{new} new suspected memory leaks, {} objects", TABLE.lock().objects())?;
        }
        ["clear"] => clear(),
        ["off"] => {
            ENABLED.store(false, Relaxed);
            TABLE.lock().clear();
        }
        [word] => {
            let digits = word.strip_prefix("dump=").ok_or(CommandError::ArgumentCount)?;
            let digits = digits.strip_prefix("0x").unwrap_or(digits);
            let address = usize::from_str_radix(digits, 16).map_err(|_| CommandError::BadNumber)?;
            report::dump(address, screen)?;
        }
        _ => return Err(CommandError::ArgumentCount),
    }
    Ok(Then::Stay)
}

/// What was reported is no leak from now on.
fn clear() {
    let table = TABLE.lock();
    for object in table.iter().filter(|object| object.has(Flags::REPORTED) && object.is_white()) {
        object.paint(GRAY);
    }
}

//! The kernel log.

use core::fmt::{self, Write};

use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::printk::{self, LINE_MAX};
use linkme::distributed_slice;

use super::{number, optional};

#[distributed_slice(KDB_COMMANDS)]
static DMESG: Command = Command {
    name: "dmesg",
    usage: "[lines]",
    help: "Display the log, or its last lines",
    run: dmesg,
};

fn dmesg(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let lines = optional(arguments)?.map_or(Ok(u64::MAX), number)?;
    let (mut reader, mut text) = (printk::first_record(), [0; LINE_MAX]);
    let end = printk::records_written();
    let skip_until = end.saturating_sub(lines);
    while reader.seq() < end {
        let shown = reader.seq() >= skip_until;
        let Some(found) = printk::read_record(&mut reader, &mut text) else {
            break;
        };
        if shown {
            print(found, &text, screen)?;
        }
    }
    Ok(Then::Stay)
}

fn print(found: printk::Found, text: &[u8; LINE_MAX], screen: &mut dyn Write) -> fmt::Result {
    let mut result = Ok(());
    printk::print_record(found.meta, &text[..found.len], printk::prefix(), &mut |piece| {
        // A piece may end inside a character, which the terminal puts together again; a screen takes text only.
        let lossy = piece.utf8_chunks();
        result = result.and_then(|()| lossy.into_iter().try_for_each(|chunk| screen.write_str(chunk.valid())));
    });
    result
}

//! Memory: what is in it, and who has it.

use core::fmt::Write;

use arrayvec::ArrayVec;
use incipit::arch::x86::maccess::get_kernel_nofault;
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use linkme::distributed_slice;

use super::number;

/// Lines that `md` shows if it is not told how many, as in Linux.
const MD_LINES: u64 = 8;
/// Words of eight bytes in a line of `md`.
const WORDS: usize = 2;

#[distributed_slice(KDB_COMMANDS)]
static MD: Command = Command {
    name: "md",
    usage: "address [lines]",
    help: "Display memory contents",
    run: md,
};

fn md(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    let (address, lines) = match arguments {
        [address] => (address, MD_LINES),
        [address, lines] => (address, number(lines)?),
        _ => return Err(CommandError::ArgumentCount),
    };
    let mut address = self::address(address)?;
    for _ in 0..lines {
        show_line(address, screen)?;
        let Some(next) = address.checked_add((WORDS * 8) as u64) else {
            break;
        };
        address = next;
    }
    Ok(Then::Stay)
}

/// An address: a number in hexadecimal, with or without `0x`, as kdb users type them.
fn address(text: &str) -> Result<u64, CommandError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let plain = digits.starts_with(|first: char| first.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16)
        .ok()
        .filter(|_| plain)
        .ok_or(CommandError::BadNumber)
}

fn show_line(address: u64, screen: &mut dyn Write) -> Result<(), CommandError> {
    let mut bytes = ArrayVec::<u8, { WORDS * 8 }>::new();
    write!(screen, "{address:#018x}")?;
    for index in 0..WORDS {
        let place = address.checked_add(index as u64 * 8).ok_or(CommandError::BadAddress(address))?;
        let Ok(word) = get_kernel_nofault(core::ptr::without_provenance::<u64>(place as usize)) else {
            writeln!(screen)?;
            return Err(CommandError::BadAddress(place));
        };
        write!(screen, " {word:016x}")?;
        bytes.extend(word.to_le_bytes());
    }
    write!(screen, "   ")?;
    for byte in bytes {
        screen.write_char(if byte.is_ascii_graphic() || byte == b' ' {
            char::from(byte)
        } else {
            '.'
        })?;
    }
    Ok(writeln!(screen)?)
}

//! Memory: what is in it, and who has it.

use core::fmt::{self, Write};

use arrayvec::ArrayVec;
use incipit::arch::x86::maccess::get_kernel_nofault;
use incipit::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use incipit::mm::memblock;
use incipit_lib::memblock::Region;
use linkme::distributed_slice;

use super::{none, number};

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

#[distributed_slice(KDB_COMMANDS)]
static MEM: Command = Command {
    name: "mem",
    usage: "",
    help: "Display memory, and what of it is taken",
    run: mem,
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
pub(super) fn address(text: &str) -> Result<u64, CommandError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let plain = digits.starts_with(|first: char| first.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16)
        .ok()
        .filter(|_| plain)
        .ok_or(CommandError::BadNumber)
}

fn show_line(address: u64, screen: &mut dyn Write) -> Result<(), CommandError> {
    let mut words = ArrayVec::<u64, WORDS>::new();
    let mut refused = None;
    for index in 0..WORDS as u64 {
        let place = address.wrapping_add(index * 8);
        match get_kernel_nofault(core::ptr::without_provenance::<u64>(place as usize)) {
            Ok(word) => words.push(word),
            Err(_) => {
                refused = Some(place);
                break;
            }
        }
    }
    if !words.is_empty() {
        write!(screen, "{address:#018x}")?;
        words.iter().try_for_each(|word| write!(screen, " {word:016x}"))?;
        let width = 3 + 17 * (WORDS - words.len());
        write!(screen, "{:width$}", "")?;
        for byte in words.iter().flat_map(|word| word.to_le_bytes()) {
            screen.write_char(if byte.is_ascii_graphic() || byte == b' ' {
                char::from(byte)
            } else {
                '.'
            })?;
        }
        writeln!(screen)?;
    }
    refused.map_or(Ok(()), |place| Err(CommandError::BadAddress(place)))
}

fn mem(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    none(arguments)?;
    let (memory, reserved) = memblock::totals();
    writeln!(screen, "memory {} KiB, of which reserved {} KiB", memory >> 10, reserved >> 10)?;
    list("memory", memblock::memory(), screen)?;
    list("reserved", memblock::reserved(), screen)?;
    Ok(Then::Stay)
}

fn list(kind: &str, regions: impl Iterator<Item = Region>, screen: &mut dyn Write) -> fmt::Result {
    for (index, region) in regions.enumerate() {
        let last = region.base + (region.size - 1);
        writeln!(
            screen,
            "{kind:<8} {index:>3}  [{:#018x}-{last:#018x}] {:>9} KiB",
            region.base,
            region.size.div_ceil(1024)
        )?;
    }
    Ok(())
}

//! Memory as the kernel found it: the firmware's map in the log, and what the monitor's `mem` tells of memblock.

use std::ops::Range;

use anyhow::{Context, Result, ensure};

/// A range of the firmware's map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// Physical addresses.
    pub range: Range<u64>,
    /// What the firmware says of it: `usable`, `reserved`, `ACPI data`, …
    pub kind: String,
}

/// Memory, and what of it is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The firmware's map, in the order of the log.
    pub firmware: Vec<Firmware>,
    /// Physical ranges that memblock has as memory.
    pub memory: Vec<Range<u64>>,
    /// Physical ranges that are taken.
    pub reserved: Vec<Range<u64>>,
}

/// What begins a line of the firmware's map.
const E820: &str = "BIOS-e820: ";

/// Reads the firmware's map from the kernel's `log`, and the rest from the answer to `mem`.
///
/// # Errors
///
/// If a line that should hold a range does not; the error shows it.
pub fn parse(log: &str, mem: &str) -> Result<Memory> {
    let mut found = Memory::default();
    for line in log.lines() {
        if let Some((_, entry)) = line.split_once(E820) {
            let (range, kind) = bracketed(entry, "[mem ")?;
            found.firmware.push(Firmware {
                range,
                kind: kind.trim().to_owned(),
            });
        }
    }
    for line in mem.lines() {
        let list = match line.split_whitespace().next() {
            Some("memory") if line.contains('[') => &mut found.memory,
            Some("reserved") => &mut found.reserved,
            _ => continue,
        };
        list.push(bracketed(line, "[")?.0);
    }
    ensure!(!found.memory.is_empty(), "the answer to `mem` tells of no memory");
    Ok(found)
}

/// The range `first-last`, in hexadecimal, between `open` and `]` in `line`, and what stands behind.
fn bracketed<'a>(line: &'a str, open: &str) -> Result<(Range<u64>, &'a str)> {
    let parse = || {
        let (inside, behind) = line.split_once(open)?.1.split_once(']')?;
        let (first, last) = inside.split_once('-')?;
        let [first, last] = [first, last].map(|text| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok());
        let (first, end) = (first?, last?.checked_add(1)?);
        (first < end).then_some((first..end, behind))
    };
    parse().with_context(|| format!("`{line}` holds no range of addresses"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "[    0.000000] Command line: kdb
[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
[    0.000000] BIOS-e820: [mem 0x0000000007fe0000-0x0000000007ffffff] ACPI data
";
    const MEM: &str = "memory 632 KiB, of which reserved 88 KiB
memory     0  [0x0000000000001000-0x000000000009efff]       632 KiB
reserved   0  [0x0000000000001000-0x0000000000016fff]        88 KiB
";

    #[test]
    fn ranges_end_behind_their_last_byte() {
        let memory = parse(LOG, MEM).unwrap();
        let kinds: Vec<_> = memory.firmware.iter().map(|entry| (entry.range.end, entry.kind.as_str())).collect();
        assert_eq!(kinds, [(0x9_fc00, "usable"), (0x800_0000, "ACPI data")]);
        assert_eq!((memory.memory.len(), memory.memory[0].clone()), (1, 0x1000..0x9_f000));
        assert_eq!((memory.reserved.len(), memory.reserved[0].clone()), (1, 0x1000..0x1_7000));
    }

    #[test]
    fn a_machine_whose_firmware_has_no_map_has_memory_all_the_same() {
        assert_eq!(parse("", MEM).unwrap().firmware, []);
    }

    #[test]
    fn garbage_is_refused_and_shown() {
        for range in [
            "",
            "[",
            "[0x1-",
            "[0x2-0x1]",
            "[1-2]",
            "[0x0-0xffffffffffffffff]",
            "[0x0-0x10000000000000000]",
        ] {
            let log = format!("BIOS-e820: {}", range.replace('[', "[mem "));
            let error = parse(&log, MEM).unwrap_err().to_string();
            assert!(error.contains("holds no range of addresses"), "{range}: {error}");
        }
        assert!(parse(LOG, "reserved 0 nothing").is_err());
        assert!(parse(LOG, "Unknown kdb command: 'mem'").is_err());
    }
}

//! What a guest wrote to its console, in lines.

use anyhow::{Result, bail};

/// How many of the last lines an error shows.
const SHOWN: usize = 60;

/// The console's text. Lines are compared without the time that `printk` puts before them.
#[derive(Debug, Clone, Default)]
pub struct Log {
    lines: Vec<String>,
}

impl Log {
    /// The log in `bytes`; what is no UTF-8 shows as replacement characters. What moves a terminal's cursor is no part of it: firmware clears the screen before
    /// the kernel's first line, GRUB writes carriage returns behind line feeds.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        Self {
            lines: text
                .lines()
                .map(|line| without_escapes(line).trim_matches('\r').to_owned())
                .collect(),
        }
    }

    /// The lines, without their time.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| without_time(line))
    }

    /// The lines that have a time, with that time in microseconds.
    pub fn timed(&self) -> impl Iterator<Item = (u64, &str)> {
        self.lines.iter().filter_map(|line| split_time(line))
    }

    /// Whether a line is `wanted`.
    #[must_use]
    pub fn has(&self, wanted: &str) -> bool {
        self.lines().any(|line| line == wanted)
    }

    /// Whether a line contains `part`.
    #[must_use]
    pub fn mentions(&self, part: &str) -> bool {
        self.lines().any(|line| line.contains(part))
    }

    /// How many lines are `wanted`.
    #[must_use]
    pub fn count(&self, wanted: &str) -> usize {
        self.lines().filter(|line| *line == wanted).count()
    }

    /// Fails unless each of `wanted` is a line, in this order.
    ///
    /// # Errors
    ///
    /// The first line that is missing behind the others, with the log.
    pub fn require(&self, wanted: &[&str]) -> Result<()> {
        let mut lines = self.lines();
        for line in wanted {
            if !lines.any(|other| other == *line) {
                let place = if self.has(line) {
                    "is not behind those before it"
                } else {
                    "is missing"
                };
                bail!("the line `{line}` {place}; the log ends:\n{}", self.tail());
            }
        }
        Ok(())
    }

    /// Fails unless some line contains `part`.
    ///
    /// # Errors
    ///
    /// That none does, with the log.
    pub fn require_mention(&self, part: &str) -> Result<()> {
        if self.mentions(part) {
            Ok(())
        } else {
            bail!("no line contains `{part}`; the log ends:\n{}", self.tail())
        }
    }

    /// Fails if some line contains `part`.
    ///
    /// # Errors
    ///
    /// That one does, with the log.
    pub fn refuse(&self, part: &str) -> Result<()> {
        match self.lines().find(|line| line.contains(part)) {
            Some(line) => bail!("`{part}` should not be there, but is in `{line}`; the log ends:\n{}", self.tail()),
            None => Ok(()),
        }
    }

    /// The functions that `initcall_debug` shows being called, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        let call = |line: &str| Some(line.strip_prefix("calling  ")?.split_once("+0x0/")?.0.to_owned());
        self.lines().filter_map(call).collect()
    }

    /// The last lines, for people.
    #[must_use]
    pub fn tail(&self) -> String {
        self.lines[self.lines.len().saturating_sub(SHOWN)..].join("\n")
    }

    /// From the first line that contains `part` on, for people.
    #[must_use]
    pub fn from(&self, part: &str) -> String {
        let start = self.lines.iter().position(|line| line.contains(part)).unwrap_or_default();
        self.lines[start..].join("\n")
    }
}

/// `line` without a terminal's control sequences: escape, bracket, parameters, a letter.
fn without_escapes(line: &str) -> String {
    let mut pieces = line.split("\x1b[");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece
            .find(|character: char| character.is_ascii_alphabetic())
            .map_or(piece.len(), |at| at + 1);
        text.push_str(&piece[end..]);
    }
    text
}

/// `line` without printk's `[    0.123456] `.
fn without_time(line: &str) -> &str {
    split_time(line).map_or(line, |(_, text)| text)
}

/// The time that printk puts before a line, by the format `[%5lu.%06lu] `, and the line behind it.
fn split_time(line: &str) -> Option<(u64, &str)> {
    let (inside, text) = line.strip_prefix('[')?.split_once("] ")?;
    let (seconds, fraction) = inside.split_once('.')?;
    let padded = seconds.len() == 5 || (seconds.len() > 5 && !seconds.starts_with(' '));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (seconds, whole) = (seconds.trim_start(), padded && fraction.len() == 6);
    if !(whole && digits(seconds) && digits(fraction)) {
        return None;
    }
    let (seconds, micros): (u64, u64) = (seconds.parse().ok()?, fraction.parse().ok()?);
    Some((seconds.checked_mul(1_000_000)? + micros, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_printk_is_no_part_of_a_line() {
        for (line, text) in [
            ("[    0.123456] Booting", "Booting"),
            ("[12345.000001] x", "x"),
            ("[123456.000001]     ok 1 a", "    ok 1 a"),
            ("[0.1] no time", "[0.1] no time"),
            ("[    0.12345x] no time", "[    0.12345x] no time"),
            ("[0]kdb> ", "[0]kdb> "),
            ("[   0.123456] no time", "[   0.123456] no time"),
            ("[    0.123456", "[    0.123456"),
            ("", ""),
        ] {
            assert_eq!(without_time(line), text);
        }
    }

    #[test]
    fn what_moves_the_cursor_is_no_part_of_a_line() {
        let log = Log::new(b"\x1b[2J\x1b[01;01H\x1b[=3h[    0.000000] first\r\n\r[    0.000001] second\n\x1b[\n\x1b[12");
        assert_eq!(log.lines().collect::<Vec<_>>(), ["first", "second", "", ""]);
    }

    #[test]
    fn times_are_read_in_microseconds() {
        let log = Log::new(b"[    0.000001] a\nno time\n[   12.345678] b\n[123456.000000] c\n");
        assert_eq!(
            log.timed().collect::<Vec<_>>(),
            [(1, "a"), (12_345_678, "b"), (123_456_000_000, "c")]
        );
    }

    #[test]
    fn lines_are_required_in_their_order() {
        let log = Log::new(b"[    0.000001] a\r\n[    0.000002] b\r\n[    0.000003] a\r\n");
        assert!(log.require(&["a", "b", "a"]).is_ok());
        assert!(
            log.require(&["b", "b"])
                .unwrap_err()
                .to_string()
                .starts_with("the line `b` is not behind")
        );
        assert!(log.require(&["c"]).unwrap_err().to_string().starts_with("the line `c` is missing"));
        assert_eq!((log.count("a"), log.mentions("c")), (2, false));
    }

    #[test]
    fn calls_are_read_from_the_lines_of_initcall_debug() {
        let log = Log::new(b"[    0.000001] calling  pci_init+0x0/0x10 @ 1\n[    0.000002] initcall pci_init+0x0/0x10 returned 0 after 9 usecs\ncalling  x\n");
        assert_eq!(log.calls(), ["pci_init"]);
    }
}

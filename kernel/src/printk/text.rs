//! How a record becomes lines on a screen: prefix, escapes, line breaks.
//!
//! Nothing here knows which console it writes for; bytes go to a function.

use core::fmt::{self, Write};

use arrayvec::{ArrayString, ArrayVec};

use incipit_lib::ring::Meta;

use super::log::{CALLER_CPU, LINE_MAX};

/// How many bytes are handed to a console at once, at most.
const PIECE: usize = 256;

/// Which prefixes each line gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// `[%5lu.%06lu] `, seconds and microseconds: `printk.time`.
    pub time: bool,
    /// `[%6s] `, the task (`T1`) or CPU (`C0`) that wrote it: Linux's `CONFIG_PRINTK_CALLER`.
    pub caller: bool,
}

/// Text of at most [`LINE_MAX`] bytes being formatted; what does not fit is cut at the border of a character.
#[derive(Default)]
pub struct LineBuffer {
    text: ArrayString<LINE_MAX>,
}

impl LineBuffer {
    /// `args` as text.
    #[must_use]
    pub fn format(args: fmt::Arguments<'_>) -> Self {
        let mut line = Self::default();
        // An error says that the text is cut, or that some `Display` gave up: what there is up to that point is worth logging.
        let _ = line.write_fmt(args);
        line
    }

    /// The text, without the newlines at its end: a record is a line already.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim_end_matches('\n')
    }

    /// Whether the text ends with a newline.
    #[must_use]
    pub fn ends_line(&self) -> bool {
        self.text.ends_with('\n')
    }
}

impl Write for LineBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(self.text.remaining_capacity());
        self.text.push_str(&text[..fits]);
        // Full: stop the formatting, which would run on for nothing.
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Collects what is written and hands it on in pieces, so that a device is asked once for many bytes.
struct Pieces<'a> {
    out: &'a mut dyn FnMut(&[u8]),
    piece: ArrayVec<u8, PIECE>,
}

impl<'a> Pieces<'a> {
    fn new(out: &'a mut dyn FnMut(&[u8])) -> Self {
        Self {
            out,
            piece: ArrayVec::new(),
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.piece.is_full() {
            self.hand_on();
        }
        self.piece.push(byte);
    }

    fn hand_on(&mut self) {
        (self.out)(&self.piece);
        self.piece.clear();
    }

    /// A byte that a terminal would obey becomes `\x1b`; line breaks are the caller's, tabs and UTF-8 stay.
    fn escaped(&mut self, byte: u8) {
        let _ = write!(self, "\\x{byte:02x}");
    }
}

impl Write for Pieces<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.byte(byte));
        Ok(())
    }
}

/// Writes a record as it looks on a screen: each line of its text behind the prefix, control characters escaped, a newline at the end.
pub fn print_record(meta: Meta, text: &[u8], prefix: Prefix, out: &mut dyn FnMut(&[u8])) {
    let mut pieces = Pieces::new(out);
    for line in text.split(|&byte| byte == b'\n') {
        print_prefix(meta, prefix, &mut pieces);
        print_escaped(line, &mut pieces);
        pieces.byte(b'\n');
    }
    pieces.hand_on();
}

fn print_prefix(meta: Meta, prefix: Prefix, pieces: &mut Pieces<'_>) {
    if prefix.time {
        let _ = write!(
            pieces,
            "[{:5}.{:06}]",
            meta.ts_ns / 1_000_000_000,
            meta.ts_ns % 1_000_000_000 / 1000
        );
    }
    if prefix.caller {
        let (kind, number) = if meta.caller & CALLER_CPU == 0 {
            ('T', meta.caller)
        } else {
            ('C', meta.caller & !CALLER_CPU)
        };
        let width = 5;
        let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
        let _ = write!(pieces, "[{:pad$}{kind}{number}]", "", pad = width - digits.min(width));
    }
    if prefix.time || prefix.caller {
        pieces.byte(b' ');
    }
}

fn print_escaped(line: &[u8], pieces: &mut Pieces<'_>) {
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\t' => pieces.byte(byte),
            0..0x20 | 0x7f => pieces.escaped(byte),
            // U+0080 to U+009F, the second set of control characters, as UTF-8 spells it.
            0xc2 if bytes.peek().is_some_and(|next| (0x80..0xa0).contains(next)) => {
                pieces.escaped(byte);
                bytes.next().into_iter().for_each(|next| pieces.escaped(next));
            }
            _ => pieces.byte(byte),
        }
    }
}

//! How a record becomes lines on a screen: prefix, escapes, line breaks.
//!
//! Nothing here knows which console it writes for; bytes go to a function.

use core::fmt::{self, Write};

use arrayvec::{ArrayString, ArrayVec};

use incipit_lib::ring::Meta;

use super::log::{CALLER_CPU, LINE_MAX};

/// How many bytes are handed to a console at once, at most.
const PIECE: usize = 256;

/// The longest time stamp: 2^64 ns are 11 digits of seconds.
const STAMP: usize = 20;

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

    fn bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.piece.is_full() {
                self.hand_on();
            }
            let (fits, rest) = bytes.split_at(bytes.len().min(self.piece.remaining_capacity()));
            self.piece.try_extend_from_slice(fits).expect("it fits");
            bytes = rest;
        }
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
        self.bytes(text.as_bytes());
        Ok(())
    }
}

/// Writes a record as it looks on a screen: each line of its text behind the prefix, control characters escaped, a newline at the end.
pub fn print_record(meta: Meta, text: &[u8], prefix: Prefix, out: &mut dyn FnMut(&[u8])) {
    let mut pieces = Pieces::new(out);
    print_prefix(meta, prefix, &mut pieces);
    let mut rest = text;
    loop {
        let plain = rest.iter().position(|&byte| IS_SPECIAL[usize::from(byte)]).unwrap_or(rest.len());
        pieces.bytes(&rest[..plain]);
        rest = match &rest[plain..] {
            [] => break,
            [b'\n', rest @ ..] => {
                pieces.bytes(b"\n");
                print_prefix(meta, prefix, &mut pieces);
                rest
            }
            // U+0080 to U+009F, the second set of control characters, as UTF-8 spells it.
            [0xc2, next @ 0x80..0xa0, rest @ ..] => {
                pieces.escaped(0xc2);
                pieces.escaped(*next);
                rest
            }
            [0xc2, rest @ ..] => {
                pieces.bytes(&[0xc2]);
                rest
            }
            [byte, rest @ ..] => {
                pieces.escaped(*byte);
                rest
            }
        };
    }
    pieces.bytes(b"\n");
    pieces.hand_on();
}

/// For each byte whether a terminal may do something else than show what begins with it; it may do as it likes with tabs.
static IS_SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        special[byte] = matches!(byte, 0..=0x08 | 0x0a..0x20 | 0x7f | 0xc2);
        byte += 1;
    }
    special
};

fn print_prefix(meta: Meta, prefix: Prefix, pieces: &mut Pieces<'_>) {
    if prefix.time {
        pieces.bytes(&time_stamp(meta.ts_ns));
    }
    if prefix.caller {
        let (kind, number) = if meta.caller & CALLER_CPU == 0 {
            ('T', meta.caller)
        } else {
            ('C', meta.caller & !CALLER_CPU)
        };
        let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
        let _ = write!(pieces, "[{:pad$}{kind}{number}]", "", pad = 5_usize.saturating_sub(digits));
    }
    if prefix.time || prefix.caller {
        pieces.bytes(b" ");
    }
}

/// `[%5lu.%06lu]`, seconds and microseconds. By hand, because every line of the log has one, and general formatting takes ten times as long.
fn time_stamp(ns: u64) -> ArrayVec<u8, STAMP> {
    let (mut seconds, mut micros) = (ns / 1_000_000_000, ns % 1_000_000_000 / 1000);
    let mut backwards = ArrayVec::new();
    backwards.push(b']');
    for _ in 0..6 {
        backwards.push(b'0' + (micros % 10) as u8);
        micros /= 10;
    }
    backwards.push(b'.');
    for place in 0.. {
        match (place, seconds) {
            (1..5, 0) => backwards.push(b' '),
            (5.., 0) => break,
            _ => backwards.push(b'0' + (seconds % 10) as u8),
        }
        seconds /= 10;
    }
    backwards.push(b'[');
    backwards.reverse();
    backwards
}

//! The tokeniser.
//!
//! A word ends at white space outside quotes. `"` toggles quoting wherever it stands and cannot be
//! escaped; an unterminated quote runs to the end of the line. The first `=` past index 0 splits
//! name and value. Quotes are taken off only around the whole word and around the value, and only
//! there: any other stays part of the text. The line ends at its first NUL.
//!
//! One deviation: Linux counts byte 0xa0 as white space, a Latin-1 habit that tears UTF-8
//! characters such as `à` (c3 a0) apart. Here only ASCII white space separates words.

use core::mem;
use core::ops::Range;

/// Whether the byte separates words: space, tab, newline, vertical tab, form feed, return.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Where one word lies in a line.
struct Span {
    param: Range<usize>,
    value: Option<Range<usize>>,
    /// First byte after the word.
    next: usize,
}

/// Finds the first word of `line`; `None` when there is only white space.
fn next_span(line: &[u8]) -> Option<Span> {
    let word = line.iter().position(|byte| !is_space(*byte))?;
    let whole_quoted = line[word] == b'"';
    let start = word + usize::from(whole_quoted);

    let mut in_quote = whole_quoted;
    let mut equals = None;
    let mut end = start;
    for (at, byte) in line.iter().enumerate().skip(start) {
        match byte {
            b'"' => in_quote = !in_quote,
            b'=' if equals.is_none() && at > start => equals = Some(at),
            byte if is_space(*byte) && !in_quote => break,
            _ => {}
        }
        end = at + 1;
    }
    let next = end;
    let ends_with_quote = end > start && line[end - 1] == b'"';

    let Some(equals) = equals else {
        let end = end - usize::from(whole_quoted && ends_with_quote);
        return Some(Span {
            param: start..end,
            value: None,
            next,
        });
    };
    let value_quoted = line.get(equals + 1).is_some_and(|byte| *byte == b'"');
    let value_start = equals + 1 + usize::from(value_quoted);
    // A quote that closes both the value and the word is one quote; the lone quote of `name="`
    // opens the value and closes nothing.
    let closed = (value_quoted || whole_quoted) && ends_with_quote && end > value_start;
    let value_end = end - usize::from(closed);
    Some(Span {
        param: start..equals,
        value: Some(value_start..value_end),
        next,
    })
}

/// The part of `line` before its first NUL.
fn until_nul(line: &[u8]) -> usize {
    line.iter().position(|byte| *byte == 0).unwrap_or(line.len())
}

/// One word of a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The name, or the whole word if it has no value; may be empty (`""`).
    pub param: &'a [u8],
    /// What follows the `=`; `Some` and empty for `name=`.
    pub value: Option<&'a [u8]>,
}

impl Token<'_> {
    /// Whether this is the bare `--` after which every word belongs to init.
    pub fn ends_kernel_part(&self) -> bool {
        self.value.is_none() && self.param == b"--"
    }
}

/// The words of a line that is only read.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    line: &'a [u8],
}

impl<'a> Tokens<'a> {
    /// Reads `line` up to its first NUL.
    pub fn new(line: &'a [u8]) -> Self {
        Self {
            line: &line[..until_nul(line)],
        }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.line
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let line = self.line;
        let Some(span) = next_span(line) else {
            self.line = &[];
            return None;
        };
        self.line = &line[span.next..];
        Some(Token {
            param: &line[span.param],
            value: span.value.map(|range| &line[range]),
        })
    }
}

/// One word of a command line as a single piece of text, its quotes taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg<'a> {
    text: &'a [u8],
    equals: Option<usize>,
}

impl<'a> Arg<'a> {
    /// `name=value`, or the bare word: what `.init.setup` handlers match by prefix and what init
    /// receives.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The name, or the whole word if it has no value; may be empty (`""`).
    pub fn param(&self) -> &'a [u8] {
        &self.text[..self.equals.unwrap_or(self.text.len())]
    }

    /// What follows the `=`; `Some` and empty for `name=`.
    pub fn value(&self) -> Option<&'a [u8]> {
        self.equals.map(|equals| &self.text[equals + 1..])
    }

    /// The two parts.
    pub fn token(&self) -> Token<'a> {
        Token {
            param: self.param(),
            value: self.value(),
        }
    }

    /// Whether this is the bare `--` after which every word belongs to init.
    pub fn ends_kernel_part(&self) -> bool {
        self.token().ends_kernel_part()
    }
}

/// The words of a line that may be edited: the opening quote of a value is squeezed out, so that
/// each word is one slice that lives as long as the line.
#[derive(Debug)]
pub struct Args<'a> {
    line: &'a mut [u8],
}

impl<'a> Args<'a> {
    /// Reads `line` up to its first NUL.
    pub fn new(line: &'a mut [u8]) -> Self {
        let end = until_nul(line);
        Self { line: &mut line[..end] }
    }

    /// Gives back what has not been read yet.
    pub fn into_rest(self) -> &'a mut [u8] {
        self.line
    }
}

impl<'a> Iterator for Args<'a> {
    type Item = Arg<'a>;

    fn next(&mut self) -> Option<Arg<'a>> {
        let line = mem::take(&mut self.line);
        let span = next_span(line)?;
        let (word, rest) = line.split_at_mut(span.next);
        self.line = rest;
        let Range { start, end: equals } = span.param;
        let Some(value) = span.value else {
            return Some(Arg {
                text: &word[start..equals],
                equals: None,
            });
        };
        let len = value.len();
        word.copy_within(value, equals + 1);
        let text = &word[start..equals + 1 + len];
        Some(Arg {
            text,
            equals: Some(equals - start),
        })
    }
}

#[cfg(test)]
mod tests;

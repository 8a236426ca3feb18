//! A line being typed: what each byte from the keyboard does to it.
//!
//! Pure: knows no console. What is to be shown in answer goes to a writer.

use core::fmt::{self, Write};

use arrayvec::ArrayString;

/// The longest line that is taken, in bytes.
pub const LINE_MAX: usize = 256;

const CTRL_C: u8 = 0x03;
const CTRL_U: u8 = 0x15;
const BACKSPACE: u8 = 0x08;
const ESCAPE: u8 = 0x1b;
const DELETE: u8 = 0x7f;

/// A line, and what was typed before it.
#[derive(Default)]
pub struct Editor {
    line: ArrayString<LINE_MAX>,
    /// Bytes typed beyond [`LINE_MAX`].
    surplus: usize,
    /// The line entered last, which the up arrow brings back.
    previous: ArrayString<LINE_MAX>,
    sequence: Sequence,
}

/// How far a control sequence has come in.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Sequence {
    #[default]
    None,
    /// A carriage return, whose line feed is not a line of its own.
    Return,
    /// An escape character.
    Escape,
    /// An escape character and a bracket.
    Bracket,
}

/// What a byte made of the line.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one exists at a time, and the monitor has no heap to put it on"
)]
pub enum Event {
    /// It is not finished.
    Typing,
    /// It is this.
    Entered(ArrayString<LINE_MAX>),
    /// It was given up.
    Abandoned,
    /// It was finished, but is too long: this many bytes.
    TooLong(usize),
}

impl Editor {
    /// Takes a byte; writes to `screen` what the user is to see.
    ///
    /// # Errors
    ///
    /// The screen's.
    pub fn take(&mut self, byte: u8, screen: &mut dyn Write) -> Result<Event, fmt::Error> {
        match (core::mem::take(&mut self.sequence), byte) {
            (Sequence::Return, b'\n') => Ok(Event::Typing),
            (Sequence::Escape, b'[') => {
                self.sequence = Sequence::Bracket;
                Ok(Event::Typing)
            }
            (Sequence::Escape, _) => Ok(Event::Typing),
            (Sequence::Bracket, _) => self.take_in_sequence(byte, screen),
            (Sequence::None | Sequence::Return, _) => self.take_plain(byte, screen),
        }
    }

    fn take_in_sequence(&mut self, byte: u8, screen: &mut dyn Write) -> Result<Event, fmt::Error> {
        match byte {
            b'A' => {
                self.erase(screen)?;
                self.line = self.previous;
                screen.write_str(&self.line)?;
            }
            // The sequence goes on until its final byte.
            0x20..=0x3f => self.sequence = Sequence::Bracket,
            _ => {}
        }
        Ok(Event::Typing)
    }

    fn take_plain(&mut self, byte: u8, screen: &mut dyn Write) -> Result<Event, fmt::Error> {
        match byte {
            b'\r' => {
                self.sequence = Sequence::Return;
                return self.enter(screen);
            }
            b'\n' => return self.enter(screen),
            CTRL_C => {
                screen.write_str("^C\n")?;
                (self.line, self.surplus) = (ArrayString::new(), 0);
                return Ok(Event::Abandoned);
            }
            CTRL_U => self.erase(screen)?,
            ESCAPE => self.sequence = Sequence::Escape,
            BACKSPACE | DELETE if self.surplus > 0 => self.surplus -= 1,
            BACKSPACE | DELETE => {
                if self.line.pop().is_some() {
                    screen.write_str("\x08 \x08")?;
                }
            }
            0x20..0x7f => self.insert(char::from(byte), screen)?,
            _ => {}
        }
        Ok(Event::Typing)
    }

    fn insert(&mut self, character: char, screen: &mut dyn Write) -> fmt::Result {
        if self.line.try_push(character).is_err() {
            self.surplus += 1;
            return Ok(());
        }
        screen.write_char(character)
    }

    fn erase(&mut self, screen: &mut dyn Write) -> fmt::Result {
        self.surplus = 0;
        while self.line.pop().is_some() {
            screen.write_str("\x08 \x08")?;
        }
        Ok(())
    }

    fn enter(&mut self, screen: &mut dyn Write) -> Result<Event, fmt::Error> {
        screen.write_str("\n")?;
        let surplus = core::mem::take(&mut self.surplus);
        let line = core::mem::take(&mut self.line);
        if surplus > 0 {
            return Ok(Event::TooLong(LINE_MAX + surplus));
        }
        if !line.trim().is_empty() {
            self.previous = line;
        }
        Ok(Event::Entered(line))
    }
}

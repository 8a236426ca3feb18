//! What a terminal sends for what is pressed.

use pc_keyboard::layouts::Us104Key;
use pc_keyboard::{DecodedKey, HandleControl, KeyCode, PS2Keyboard, ScancodeSet1};

/// Keys that have been pressed, and what is still to be handed on of the last one.
pub struct Keys {
    decoder: PS2Keyboard<Us104Key, ScancodeSet1>,
    /// Nobody is asked before the keyboard is there.
    begun: bool,
    rest: &'static [u8],
}

impl Keys {
    /// No keyboard yet.
    pub const fn new() -> Self {
        Self {
            decoder: PS2Keyboard::new(ScancodeSet1::new(), Us104Key, HandleControl::MapLettersToUnicode),
            begun: false,
            rest: &[],
        }
    }

    /// The keyboard is there.
    pub fn begin(&mut self) {
        self.begun = true;
    }

    /// The next byte that a terminal sends, where `read` gives the next one of the keyboard.
    pub fn next(&mut self, mut read: impl FnMut() -> Option<u8>) -> Option<u8> {
        if let Some((&first, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Some(first);
        }
        while self.begun {
            let event = match self.decoder.add_byte(read()?) {
                Ok(event) => event,
                Err(_) => {
                    // A code that is none, or half of one.
                    self.decoder.clear();
                    None
                }
            };
            if let Some(byte) = event
                .and_then(|event| self.decoder.process_keyevent(event))
                .and_then(|key| self.send(key))
            {
                return Some(byte);
            }
        }
        None
    }

    fn send(&mut self, key: DecodedKey) -> Option<u8> {
        let sequence: &'static [u8] = match key {
            DecodedKey::Unicode(character) => return u8::try_from(character).ok().filter(u8::is_ascii),
            DecodedKey::RawKey(code) => match code {
                KeyCode::ArrowUp => b"\x1b[A",
                KeyCode::ArrowDown => b"\x1b[B",
                KeyCode::ArrowRight => b"\x1b[C",
                KeyCode::ArrowLeft => b"\x1b[D",
                KeyCode::Home => b"\x1b[1~",
                KeyCode::End => b"\x1b[4~",
                KeyCode::PageUp => b"\x1b[5~",
                KeyCode::PageDown => b"\x1b[6~",
                _ => return None,
            },
        };
        let (first, rest) = sequence.split_first()?;
        self.rest = rest;
        Some(*first)
    }
}

//! Bytes into characters, controls and control sequences.

/// Most parameters of a sequence, as in Linux; those beyond are dropped.
const MAX_PARAMETERS: usize = 16;

const ESCAPE: u8 = 0x1b;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;
const BELL: u8 = 0x07;

/// A control sequence: `CSI ? 1 ; 2 h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Csi {
    /// The byte `<`, `=`, `>` or `?` behind the introducer, 0 if there is none.
    pub private: u8,
    /// The byte that says what to do.
    pub command: u8,
    parameters: [u16; MAX_PARAMETERS],
    count: usize,
    /// Something in it makes no sense.
    broken: bool,
}

impl Csi {
    const EMPTY: Self = Self {
        private: 0,
        command: 0,
        parameters: [0; MAX_PARAMETERS],
        count: 1,
        broken: false,
    };

    /// The parameters; one that is left out is 0. There is at least one.
    #[must_use]
    pub fn parameters(&self) -> &[u16] {
        &self.parameters[..self.count]
    }

    /// The parameter at `index`, where one that is left out or 0 means 1.
    #[must_use]
    pub fn number(&self, index: usize) -> usize {
        usize::from(self.parameters().get(index).copied().unwrap_or(0).max(1))
    }

    fn digit(&mut self, digit: u8) {
        let last = &mut self.parameters[self.count - 1];
        *last = last.saturating_mul(10).saturating_add(u16::from(digit));
    }

    fn next_parameter(&mut self) {
        if self.count < MAX_PARAMETERS {
            self.count += 1;
        } else {
            self.broken = true;
        }
    }
}

/// What bytes amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// A character to show.
    Print(char),
    /// A control character.
    Control(u8),
    /// `ESC`, perhaps a byte that says what kind of sequence it is (otherwise 0), and a final one.
    Escape(u8, u8),
    /// A control sequence.
    Csi(&'a Csi),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    /// Behind this byte of an escape sequence one more comes.
    Intermediate(u8),
    /// In a control sequence, before its first byte.
    CsiEntry,
    Csi,
    /// The name of a function key, `CSI [ A`: says nothing here.
    FunctionKey,
    /// Text for others: `ESC ] … BEL`, `ESC P … ESC \`.
    Text,
}

/// What has come in of a character or a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parser {
    state: State,
    csi: Csi,
    /// A character's first bytes.
    utf8: [u8; 4],
    utf8_length: usize,
}

impl Parser {
    /// Nothing has.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Ground,
            csi: Csi::EMPTY,
            utf8: [0; 4],
            utf8_length: 0,
        }
    }

    /// Takes a byte, and hands over what is complete with it. A byte that belongs to no character shows as U+FFFD, as Linux has it.
    pub fn take(&mut self, byte: u8, mut act: impl FnMut(Action<'_>)) {
        if self.utf8_length != 0 && !(0x80..0xc0).contains(&byte) {
            self.utf8_length = 0;
            act(Action::Print(char::REPLACEMENT_CHARACTER));
        }
        match byte {
            0x00..0x20 => self.control(byte, &mut act),
            0x7f => {}
            _ if self.state == State::Ground => self.character(byte, &mut act),
            _ => self.sequence(byte, &mut act),
        }
    }

    fn control(&mut self, byte: u8, act: &mut impl FnMut(Action<'_>)) {
        match byte {
            ESCAPE => self.state = State::Escape,
            CANCEL | SUBSTITUTE => self.state = State::Ground,
            // Text for others must not go on for ever, or a broken message takes all the others along.
            _ if self.state == State::Text => {
                self.state = State::Ground;
                if byte != BELL {
                    act(Action::Control(byte));
                }
            }
            _ => act(Action::Control(byte)),
        }
    }

    fn character(&mut self, byte: u8, act: &mut impl FnMut(Action<'_>)) {
        if byte < 0x80 {
            act(Action::Print(char::from(byte)));
            return;
        }
        self.utf8[self.utf8_length] = byte;
        self.utf8_length += 1;
        match str::from_utf8(&self.utf8[..self.utf8_length]) {
            Ok(text) => {
                text.chars().for_each(|character| act(Action::Print(character)));
                self.utf8_length = 0;
            }
            // No character begins like this.
            Err(error) if error.error_len().is_some() => {
                self.utf8_length = 0;
                act(Action::Print(char::REPLACEMENT_CHARACTER));
            }
            Err(_) => {}
        }
    }

    fn sequence(&mut self, byte: u8, act: &mut impl FnMut(Action<'_>)) {
        self.state = match (self.state, byte) {
            (State::Escape, b'[') => {
                self.csi = Csi::EMPTY;
                State::CsiEntry
            }
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::Text,
            (State::Escape, 0x20..0x30) => State::Intermediate(byte),
            (State::Escape, _) => {
                act(Action::Escape(0, byte));
                State::Ground
            }
            (State::Intermediate(kind), _) => {
                act(Action::Escape(kind, byte));
                State::Ground
            }
            (State::CsiEntry, b'[') => State::FunctionKey,
            (State::CsiEntry, b'<'..=b'?') => {
                self.csi.private = byte;
                State::Csi
            }
            (State::CsiEntry | State::Csi, _) => self.control_sequence(byte, act),
            (State::Text, _) => State::Text,
            (State::FunctionKey | State::Ground, _) => State::Ground,
        };
    }

    fn control_sequence(&mut self, byte: u8, act: &mut impl FnMut(Action<'_>)) -> State {
        match byte {
            b'0'..=b'9' => self.csi.digit(byte - b'0'),
            b';' => self.csi.next_parameter(),
            0x20..0x40 => self.csi.broken = true,
            _ => {
                self.csi.command = byte;
                if !self.csi.broken {
                    act(Action::Csi(&self.csi));
                }
                return State::Ground;
            }
        }
        State::Csi
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

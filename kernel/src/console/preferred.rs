//! Which consoles the command line wants: `console=name[number][,options]`, several times over.

use arrayvec::ArrayVec;

use super::earlycon;
use super::{Console, ConsoleName, IoAddress};
use crate::prelude::*;
use crate::printk::BustableLock;

/// How many `console=` options count, as in Linux.
const MAX_PREFERRED: usize = 8;

/// A console that the command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Preference {
    pub name: ConsoleName,
    pub options: Option<&'static str>,
    /// The device, and the options behind it, if it is named as early consoles name theirs (`uart8250,io,0x3f8,115200n8`).
    pub device: Option<(IoAddress, Option<&'static str>)>,
}

/// What a registering console is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Nothing was asked for: the first real console is taken.
    Default,
    /// Asked for with these options; `last` if no other was asked for after it, which makes it `/dev/console`.
    Wanted { options: Option<&'static str>, last: bool },
    /// Others were asked for.
    Unwanted,
}

/// The `console=` options, in their order, each console once.
#[derive(Default)]
pub(super) struct Preferences {
    wanted: ArrayVec<Preference, MAX_PREFERRED>,
    /// Index of the one named last.
    last: usize,
}

static PREFERENCES: BustableLock<Preferences> = BustableLock::new(Preferences::new());

impl Preferences {
    pub const fn new() -> Self {
        Self {
            wanted: ArrayVec::new_const(),
            last: 0,
        }
    }

    /// Adds a wish. A console that is there already keeps its options and becomes the last one. `false`: there are too many.
    pub fn add(&mut self, preference: Preference) -> bool {
        let known = self.wanted.iter().position(|known| known.name == preference.name);
        let Some(index) = known.or_else(|| self.wanted.try_push(preference).ok().map(|()| self.wanted.len() - 1)) else {
            return false;
        };
        self.last = index;
        true
    }

    /// What `console` is to be.
    pub fn choose(&self, console: &dyn Console) -> Choice {
        if self.wanted.is_empty() {
            return Choice::Default;
        }
        let matching = self
            .wanted
            .iter()
            .enumerate()
            .find_map(|(index, wanted)| Some((index, wanted.options_for(console)?)));
        matching.map_or(Choice::Unwanted, |(index, options)| Choice::Wanted {
            options,
            last: index == self.last,
        })
    }
}

impl Preference {
    /// Reads `name[number][,options]`. A bare number means that serial port; an empty value and `null` name a console that nobody registers.
    #[init]
    pub fn parse(value: &'static str) -> Self {
        let (name, options) = value.split_once(',').map_or((value, None), |(name, options)| (name, Some(options)));
        let digits = name.find(|character: char| character.is_ascii_digit()).unwrap_or(name.len());
        let base = match &name[..digits] {
            "" if !name.is_empty() => "ttyS",
            "" | "null" => "ttynull",
            base => base,
        };
        let number = &name[digits..];
        let end = number.find(|character: char| !character.is_ascii_digit()).unwrap_or(number.len());
        Self {
            name: ConsoleName {
                base,
                index: number[..end].parse().unwrap_or(0),
            },
            options,
            device: None,
        }
    }

    /// The options to set `console` up with, if this asks for it, by its name or its device.
    fn options_for(&self, console: &dyn Console) -> Option<Option<&'static str>> {
        match self.device {
            _ if console.name() == self.name => Some(self.options),
            Some((address, options)) if console.address() == Some(address) => Some(options),
            _ => None,
        }
    }
}

/// Whether the command line names `console`, or its device.
#[must_use]
pub fn is_asked_for(console: &dyn Console) -> bool {
    matches!(choose(console), Choice::Wanted { .. })
}

/// What the command line makes of `console`.
pub(super) fn choose(console: &dyn Console) -> Choice {
    PREFERENCES
        .lock()
        .map_or(Choice::Unwanted, |preferences| preferences.choose(console))
}

/// `console=name[number][,options]`: a console to show the log on; the last one is `/dev/console` too. An unknown name waits for a driver that has it.
#[init]
#[cfg_attr(CONFIG_PRINTK, setup("console="))]
fn console_setup(value: &'static str, init: InitMemory<'_>) -> SetupResult {
    let mut preference = Preference::parse(value);
    if earlycon::is_known(init, preference.name) {
        preference.device = preference.options.and_then(|options| earlycon::parse_address(options).ok());
    }
    if !PREFERENCES.lock().is_some_and(|mut preferences| preferences.add(preference)) {
        pr_warn!("printk: console={value} ignored: {MAX_PREFERRED} consoles are asked for already");
    }
    SetupResult::Consumed
}

//! What the user says about memory: `mem=` and `memmap=`.

use super::{E820Error, E820Table, E820Type};
use crate::param::{ParamError, memparse, parse_int};

/// One instruction of the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserRange {
    /// `mem=nn`, `memmap=nn`: no memory from this address on.
    Limit(u64),
    /// `memmap=exactmap`: forget the firmware's map.
    Exact,
    /// `memmap=nn@ss` (RAM), `nn#ss` (ACPI data), `nn$ss` (reserved), `nn!ss` (persistent),
    /// `nn%ss+type`: one more range.
    Add {
        /// Where.
        start: u64,
        /// How large.
        size: u64,
        /// What.
        kind: E820Type,
    },
    /// `memmap=nn%ss-old+new`: another type for what has the old one.
    Update {
        /// Where.
        start: u64,
        /// How large.
        size: u64,
        /// What is to change.
        old: E820Type,
        /// What it becomes.
        new: E820Type,
    },
    /// `memmap=nn%ss`, `memmap=nn%ss-old`: take the range out.
    Remove {
        /// Where.
        start: u64,
        /// How large.
        size: u64,
        /// Only what is of this type.
        old: Option<E820Type>,
    },
}

impl UserRange {
    /// Reads the value of `mem=`.
    ///
    /// # Errors
    ///
    /// [`ParamError::Invalid`] for anything but a size that is not 0; what
    /// [`memparse`] finds wrong.
    pub fn parse_mem(value: &[u8]) -> Result<Self, ParamError> {
        match memparse(value)? {
            (0, _) => Err(ParamError::Invalid),
            (size, []) => Ok(Self::Limit(size)),
            _ => Err(ParamError::Invalid),
        }
    }

    /// Reads the value of `memmap=`, a comma-separated list. The list ends at the first error.
    pub fn parse_memmap(value: &[u8]) -> impl Iterator<Item = Result<Self, ParamError>> + '_ {
        let mut failed = false;
        value.split(|byte| *byte == b',').map_while(move |element| {
            if failed {
                return None;
            }
            let range = Self::parse_memmap_one(element);
            failed = range.is_err();
            Some(range)
        })
    }

    fn parse_memmap_one(text: &[u8]) -> Result<Self, ParamError> {
        if text.starts_with(b"exactmap") {
            return Ok(Self::Exact);
        }
        let (size, rest) = memparse(text)?;
        let Some((operator, rest)) = rest.split_first() else {
            return Ok(Self::Limit(size));
        };
        let kind = match operator {
            b'@' => E820Type::RAM,
            b'#' => E820Type::ACPI,
            b'$' => E820Type::RESERVED,
            b'!' => E820Type::PRAM,
            b'%' => return Self::parse_typed(size, rest),
            _ => return Err(ParamError::Invalid),
        };
        match memparse(rest)? {
            (start, []) => Ok(Self::Add { start, size, kind }),
            _ => Err(ParamError::Invalid),
        }
    }

    /// Reads `ss[-old][+new]`. A type of 0 counts as not given.
    fn parse_typed(size: u64, text: &[u8]) -> Result<Self, ParamError> {
        let (start, rest) = memparse(text)?;
        let kind = |text: &[u8]| match text.first() {
            Some(digit) if digit.is_ascii_digit() => parse_int(text).map(|kind: u32| (kind != 0).then_some(E820Type(kind))),
            _ => Err(ParamError::Invalid),
        };
        let (old, new) = match rest {
            [] => (None, None),
            [b'+', new @ ..] => (None, kind(new)?),
            [b'-', types @ ..] => match types.iter().position(|byte| *byte == b'+') {
                Some(plus) => (kind(&types[..plus])?, kind(&types[plus + 1..])?),
                None => (kind(types)?, None),
            },
            _ => return Err(ParamError::Invalid),
        };
        Ok(match (old, new) {
            (Some(old), Some(new)) => Self::Update { start, size, old, new },
            (None, Some(kind)) => Self::Add { start, size, kind },
            (old, None) => Self::Remove { start, size, old },
        })
    }
}

impl E820Table {
    /// Does what the user says. The result is to be [sanitised](Self::sanitize).
    ///
    /// # Errors
    ///
    /// [`E820Error::Full`].
    pub fn apply(&mut self, range: UserRange) -> Result<(), E820Error> {
        match range {
            UserRange::Limit(size) => self.remove(size, u64::MAX - size, Some(E820Type::RAM)).map(drop),
            UserRange::Exact => {
                self.clear();
                Ok(())
            }
            UserRange::Add { start, size, kind } => self.add(start, size, kind),
            UserRange::Update { start, size, old, new } => self.update(start, size, old, new).map(drop),
            UserRange::Remove { start, size, old } => self.remove(start, size, old).map(drop),
        }
    }
}

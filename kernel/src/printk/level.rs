//! How urgent a message is.

/// The urgency of a record: Linux's `KERN_EMERG` to `KERN_DEBUG`, with the same numbers. Lower is more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The system is unusable.
    Emerg = 0,
    /// Action must be taken at once.
    Alert = 1,
    /// A critical condition.
    Crit = 2,
    /// An error.
    Err = 3,
    /// A warning; also what a message without a level gets.
    Warning = 4,
    /// Normal, but worth a note.
    Notice = 5,
    /// Information.
    Info = 6,
    /// For those who look for a fault.
    Debug = 7,
}

impl Level {
    /// All levels, most urgent first: the index is the level's number.
    pub const ALL: [Self; 8] = [
        Self::Emerg,
        Self::Alert,
        Self::Crit,
        Self::Err,
        Self::Warning,
        Self::Notice,
        Self::Info,
        Self::Debug,
    ];

    /// The level whose number is in the low three bits of `number`, as in syslog's priority.
    #[must_use]
    pub const fn from_bits(number: u8) -> Self {
        Self::ALL[(number & 7) as usize]
    }
}

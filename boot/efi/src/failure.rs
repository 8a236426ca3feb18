//! Why the kernel was not started, for whoever looks at the firmware's screen.

use core::fmt;

use incipit_lib::efi::MemoryDescriptor;
use uefi_raw::Status;

/// What went wrong. Each displays as one line.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// The firmware refused something.
    Firmware {
        /// What was asked of it.
        asked: &'static str,
        /// Its answer.
        status: Status,
    },
    /// The application is not at the end of a kernel.
    NoKernel,
    /// The kernel's place is taken for good.
    PlaceTaken {
        /// Its first address and the one behind its last.
        wanted: (u64, u64),
        /// Who has it; `None` where there is no memory at all.
        by: Option<MemoryDescriptor>,
    },
}

impl Failure {
    /// What the firmware is told.
    pub fn status(self) -> Status {
        match self {
            Self::Firmware { status, .. } => status,
            Self::NoKernel | Self::PlaceTaken { .. } => Status::LOAD_ERROR,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Firmware { asked, status } => write!(f, "the firmware cannot {asked} ({:#x})", status.0),
            Self::NoKernel => f.write_str("this file is not a whole bzImage"),
            Self::PlaceTaken { wanted, by } => {
                write!(f, "it needs the memory [{:#x}-{:#x}], ", wanted.0, wanted.1 - 1)?;
                match by {
                    Some(by) => write!(f, "where the firmware keeps {by}"),
                    None => f.write_str("and not all of that is memory"),
                }
            }
        }
    }
}

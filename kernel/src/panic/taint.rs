//! Taint: what has happened that makes later reports less trustworthy. Letters and order are Linux's.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::prelude::*;

/// Things that taint the kernel, by the number of their bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Taint {
    /// G or P: code with another licence.
    ProprietaryModule = 0,
    /// F: a module was loaded by force.
    ForcedModule = 1,
    /// S: a processor is used out of its specification.
    CpuOutOfSpec = 2,
    /// R: a module was unloaded by force.
    ForcedRmmod = 3,
    /// M: the hardware reported an error.
    MachineCheck = 4,
    /// B: a page was found in a bad state.
    BadPage = 5,
    /// U: the user asked for it, by a dangerous parameter for example.
    User = 6,
    /// D: there was an oops.
    Die = 7,
    /// A: the user replaced an ACPI table.
    OverriddenAcpiTable = 8,
    /// W: there was a warning.
    Warn = 9,
    /// C: a driver of low quality is in use.
    Crap = 10,
    /// I: a grave fault of the firmware is worked around.
    FirmwareWorkaround = 11,
    /// O: code from outside the tree.
    OutOfTreeModule = 12,
    /// E: unsigned code.
    UnsignedModule = 13,
    /// L: a CPU was stuck.
    Softlockup = 14,
    /// K: the kernel was patched while it ran.
    Livepatch = 15,
    /// X: what the distribution says.
    Aux = 16,
    /// T: structures are laid out at random.
    Randstruct = 17,
    /// N: in-kernel tests were run.
    Test = 18,
}

/// What a set bit shows as; what a clear one shows as is a blank, but for the first.
const LETTERS: &[u8; 19] = b"PFSRMBUDAWCIOELKXTN";
const FIRST_LETTER_CLEAR: char = 'G';

static TAINTED_MASK: AtomicU32 = AtomicU32::new(0);

/// Taints the kernel: Linux's `add_taint`.
pub fn add(taint: Taint) {
    TAINTED_MASK.fetch_or(1 << taint as u32, Relaxed);
}

/// Whether the kernel is tainted in this way.
#[must_use]
pub fn has(taint: Taint) -> bool {
    mask() & 1 << taint as u32 != 0
}

/// All taints, as `/proc/sys/kernel/tainted` shows them.
#[must_use]
pub fn mask() -> u32 {
    TAINTED_MASK.load(Relaxed)
}

/// A mask in words: Linux's `print_tainted`.
#[derive(Debug, Clone, Copy)]
pub struct Tainted(pub u32);

impl fmt::Display for Tainted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;

        if self.0 == 0 {
            return f.write_str("Not tainted");
        }
        f.write_str("Tainted: ")?;
        for (bit, &letter) in LETTERS.iter().enumerate() {
            let clear = if bit == 0 { FIRST_LETTER_CLEAR } else { ' ' };
            f.write_char(if self.0 & 1 << bit != 0 { letter.into() } else { clear })?;
        }
        Ok(())
    }
}

#[ktest]
fn the_letters_stand_in_linuxs_places() {
    use core::fmt::Write;

    for (mask, expected) in [
        (0, "Not tainted"),
        (1 << Taint::Warn as u32, "Tainted: G        W         "),
        (1 << Taint::Die as u32 | 1 << Taint::Warn as u32, "Tainted: G      D W         "),
        (1, "Tainted: P                  "),
        (1 << Taint::Test as u32, "Tainted: G                 N"),
    ] {
        let mut shown = super::Line::<40>::new();
        write!(shown, "{}", Tainted(mask)).expect("room for the letters");
        assert_eq!(shown.as_str(), expected);
    }
}

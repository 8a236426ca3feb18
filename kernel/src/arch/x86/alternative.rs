//! Instructions of which better processors have a better form: written once, when the processor is known.
//!
//! [`alternative!`](crate::alternative) puts the form that every processor has into the code and the better one into memory that goes with the boot;
//! `alternative_instructions` copies the better over the other where the boot CPU has the feature. Entries are laid out as Linux's `struct alt_instr`.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arrayvec::ArrayVec;

use super::cpu::features::{Feature, boot_cpu_has};
use super::text_poke::text_poke;
use crate::init::InitMemory;
use crate::prelude::*;
use crate::table::ALTINSTRUCTIONS;

/// An instruction that can be replaced. The first two fields are relative to themselves.
#[repr(C, packed)]
#[derive(Debug)]
pub struct AltInstr {
    instruction: i32,
    replacement: i32,
    /// The number of the feature.
    feature: u16,
    instruction_len: u8,
    replacement_len: u8,
}

/// Bytes that an entry can replace.
const MAX_PATCH_LEN: usize = u8::MAX as usize;

/// `nop`s of one to eight bytes (SDM 2, `NOP`): one long one costs less than several short ones.
const NOPS: [&[u8]; 8] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

impl AltInstr {
    fn instruction(&self) -> usize {
        (&raw const self.instruction).addr().wrapping_add_signed(self.instruction as isize)
    }

    fn replacement(&self) -> usize {
        (&raw const self.replacement).addr().wrapping_add_signed(self.replacement as isize)
    }

    /// Replaces the instruction if the CPU has the feature, and says whether it does.
    ///
    /// # Errors
    ///
    /// `ENOMEM`: there are no addresses to write through.
    ///
    /// # Safety
    ///
    /// No other CPU may run, and init memory must be there.
    #[init]
    unsafe fn apply(&self) -> Result<bool, Errno> {
        let (from, to) = (usize::from(self.replacement_len), usize::from(self.instruction_len));
        assert!(
            from <= to,
            "alternatives: {from} bytes do not fit into the {to} at {:#x}",
            self.instruction()
        );
        let has = Feature::by_number(self.feature.into()).is_some_and(boot_cpu_has);
        if !has {
            return Ok(false);
        }
        let mut bytes = ArrayVec::<u8, MAX_PATCH_LEN>::new();
        // SAFETY: the macro has put that many bytes there, and the caller says that they are there.
        bytes.extend(
            unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance::<u8>(self.replacement()), from) }
                .iter()
                .copied(),
        );
        while bytes.len() < to {
            bytes.extend(NOPS[(to - bytes.len()).min(NOPS.len()) - 1].iter().copied());
        }
        // SAFETY: whole instructions replace whole instructions; this CPU runs none of them now, and no other CPU runs.
        unsafe { text_poke(self.instruction(), &bytes)? };
        Ok(true)
    }
}

/// How many instructions were replaced.
static PATCHED: AtomicUsize = AtomicUsize::new(0);

/// Replaces all instructions of which this CPU has a better form: Linux's function of the same name.
///
/// # Panics
///
/// If there are no addresses to write to the text through.
///
/// # Safety
///
/// No other CPU may run.
#[init]
pub(super) unsafe fn alternative_instructions(init: InitMemory<'_>) {
    for entry in ALTINSTRUCTIONS.iter(init) {
        // SAFETY: passed on; the argument proves that init memory is there.
        match unsafe { entry.apply() } {
            Ok(replaced) => _ = PATCHED.fetch_add(usize::from(replaced), Relaxed),
            Err(error) => panic!("alternatives: cannot patch {:#x} ({error})", entry.instruction()),
        }
    }
}

/// How many instructions were replaced by better ones.
#[must_use]
pub fn patched() -> usize {
    PATCHED.load(Relaxed)
}

/// `asm!` of one piece of code in two forms: `alternative!("old", "new", FEATURE, operands…)`. The second is run, from `check_bugs` on, where the processor has
/// the feature; it must not be longer than 255 bytes, and refer to nothing by its distance. Both can name the operands, which may not be named `feature`.
///
/// It is `unsafe` as `asm!` is.
#[macro_export]
macro_rules! alternative {
    ($old:literal, $new:literal, $feature:expr $(, $($operands:tt)*)?) => {
        ::core::arch::asm!(
            "771:",
            $old,
            "772:",
            // Room for the longer of the two.
            ".skip -(((775f - 774f) - (772b - 771b)) > 0) * ((775f - 774f) - (772b - 771b)), 0x90",
            "773:",
            ".pushsection .altinstructions, \"a\", @progbits",
            ".long 771b - .",
            ".long 774f - .",
            ".2byte {feature}",
            ".byte 773b - 771b",
            ".byte 775f - 774f",
            ".popsection",
            ".pushsection .altinstr_replacement, \"ax\", @progbits",
            "774:",
            $new,
            "775:",
            ".popsection",
            feature = const $feature.index(),
            $($($operands)*)?
        )
    };
}

mod tests;

//! Static keys: switches that are turned rarely and asked often.
//!
//! A branch on a key is one instruction of the text, a `nop` or a jump; nobody reads the key. Each branch has an entry in the table `__jump_table`, laid out as
//! Linux's, and who turns a key rewrites the instructions of its entries while they may be running.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::arch::x86::text_poke::{PATCH_SIZE, Patch, text_poke_bp};
use crate::locking::SpinLock;
use crate::mm::sections;
use crate::prelude::*;
use crate::table::JUMP_TABLE;

/// A branch. Each field is relative to itself, so that the table needs no relocation.
#[repr(C)]
#[derive(Debug)]
pub struct JumpEntry {
    code: i32,
    target: i32,
    /// The key; its lowest bit says that the instruction is a jump while the key is off.
    key: i64,
}

/// In [`JumpEntry::key`]: the branch is likely, so the jump is the way of a key that is off.
const LIKELY: usize = 1;
/// Bits of [`JumpEntry::key`] that belong to no address.
const FLAGS: usize = 3;

impl JumpEntry {
    fn code(&self) -> usize {
        (&raw const self.code).addr().wrapping_add_signed(self.code as isize)
    }

    fn target(&self) -> usize {
        (&raw const self.target).addr().wrapping_add_signed(self.target as isize)
    }

    fn key(&self) -> usize {
        (&raw const self.key).addr().wrapping_add_signed(self.key as isize)
    }

    /// What the key says that the instruction must be.
    fn wanted(&self) -> Patch {
        let key: *const StaticKey = core::ptr::with_exposed_provenance(self.key() & !FLAGS);
        // SAFETY: the macros put the address of a static key there.
        let is_on = unsafe { (*key).enabled.load(Relaxed) };
        if is_on == (self.key() & LIKELY == 0) {
            Patch::Jump(self.target())
        } else {
            Patch::Nop
        }
    }

    /// What the instruction is.
    fn present(&self) -> Option<Patch> {
        let code: *const [u8; PATCH_SIZE] = core::ptr::with_exposed_provenance(self.code());
        // SAFETY: the text is there; entries of what has been freed are left out by the caller. Patches go through the lock of the keys, which the caller has.
        Patch::decode(unsafe { code.read() }, self.code())
    }

    /// Makes the instruction what the key says.
    fn update(&self) {
        let (present, wanted, code) = (self.present(), self.wanted(), self.code());
        if present == Some(wanted) {
            return;
        }
        // Another instruction would mean that the table or the text is damaged: neither may be run on.
        assert!(
            present.is_some(),
            "jump_label: unexpected instruction at {}",
            crate::panic::Symbol(code)
        );
        // SAFETY: the macros put an instruction of this size there, and both ways of the branch are code of the same function.
        if let Err(error) = unsafe { text_poke_bp(code, wanted) } {
            panic!("jump_label: cannot patch {} ({error})", crate::panic::Symbol(code));
        }
    }
}

/// What every kind of key is.
#[repr(C, align(4))]
pub struct StaticKey {
    enabled: AtomicBool,
}

/// Who turns keys, one at a time.
static JUMP_LABEL_MUTEX: SpinLock<()> = SpinLock::new(());

/// Whether the branches follow their keys.
static INITIALIZED: AtomicBool = AtomicBool::new(false);

impl StaticKey {
    /// Turns the key, and every branch on it.
    fn turn(&self, on: bool) {
        let _one_at_a_time = JUMP_LABEL_MUTEX.lock();
        if self.enabled.swap(on, Relaxed) == on || !INITIALIZED.load(Relaxed) {
            return;
        }
        let this = core::ptr::from_ref(self).addr();
        let mine = |entry: &&JumpEntry| entry.key() & !FLAGS == this && sections::is_text(entry.code());
        JUMP_TABLE.iter().filter(mine).for_each(JumpEntry::update);
    }
}

/// What the macros ask of a key: how it begins.
pub trait Initial {
    /// Whether it is on.
    const ON: bool;
}

/// What `key` begins with, 1 for on: known from its type, so that the instruction of a branch can be.
#[must_use]
pub const fn initial<K: Initial>(_key: fn() -> &'static K) -> u32 {
    K::ON as u32
}

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $on:literal;)*) => {$(
        $(#[$doc])*
        #[repr(transparent)]
        pub struct $name(StaticKey);

        impl Initial for $name {
            const ON: bool = $on;
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl $name {
            /// A key that nobody has turned. It must be a static: branches name it.
            #[must_use]
            pub const fn new() -> Self {
                Self(StaticKey { enabled: AtomicBool::new($on) })
            }

            /// Turns it on, and every branch on it, before this returns. Before `jump_label_init` the branches follow in that stage. Not for interrupt handlers,
            /// nor with interrupts off once other CPUs run: they are waited for.
            ///
            /// # Panics
            ///
            /// If there are no addresses to write to the text through.
            pub fn enable(&'static self) {
                self.0.turn(true);
            }

            /// Turns it off, as [`Self::enable`] turns it on.
            ///
            /// # Panics
            ///
            /// As for [`Self::enable`].
            pub fn disable(&'static self) {
                self.0.turn(false);
            }

            /// Whether it is on, by reading it: for code that is not worth a branch of its own.
            #[must_use]
            pub fn is_enabled(&self) -> bool {
                self.0.enabled.load(Relaxed)
            }
        }
    )*};
}

keys! {
    /// A key that is off until somebody turns it on.
    StaticKeyFalse = false;
    /// A key that is on until somebody turns it off.
    StaticKeyTrue = true;
}

/// Lets all branches follow their keys: Linux's stage of the same name. Keys may have been turned before, by options of the command line.
#[stage(after(crate::init::command_line::print_command_line))]
#[init]
pub fn jump_label_init() {
    let _one_at_a_time = JUMP_LABEL_MUTEX.lock();
    JUMP_TABLE.iter().for_each(JumpEntry::update);
    INITIALIZED.store(true, Relaxed);
}

/// Whether the static key is on, by a branch for which "no" costs one `nop`: `if static_branch_unlikely!(KEY) { … }`.
#[macro_export]
macro_rules! static_branch_unlikely {
    ($key:path) => {
        $crate::__static_branch!($key, 0, true)
    };
}

/// Whether the static key is on, by a branch for which "yes" costs one `nop`.
#[macro_export]
macro_rules! static_branch_likely {
    ($key:path) => {
        $crate::__static_branch!($key, 1, false)
    };
}

/// The branch: the instruction, its entry in the table, and `$taken` as the answer of who jumps.
#[doc(hidden)]
#[macro_export]
macro_rules! __static_branch {
    ($key:path, $likely:literal, $taken:literal) => {
        'branch: {
            // SAFETY: the instruction is a `nop` or a jump to the label, and is replaced by nothing else.
            unsafe {
                ::core::arch::asm!(
                    "661:",
                    ".if {initial} ^ {likely}",
                    ".byte 0xe9",
                    ".long {target} - . - 4",
                    ".else",
                    ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00",
                    ".endif",
                    ".pushsection __jump_table, \"a\", @progbits",
                    ".balign 8",
                    ".long 661b - .",
                    ".long {target} - .",
                    ".quad {key} + {likely} - .",
                    ".popsection",
                    initial = const $crate::jump_label::initial(|| &$key),
                    likely = const $likely,
                    key = sym $key,
                    target = label {
                        $crate::jump_label::seldom();
                        break 'branch $taken
                    },
                    options(nomem, nostack, preserves_flags),
                );
            }
            !$taken
        }
    };
}

/// Says to the compiler that who comes here comes seldom.
#[doc(hidden)]
#[cold]
#[inline(always)]
pub const fn seldom() {}

mod tests;

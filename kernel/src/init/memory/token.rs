//! Proof, by a type, that init memory is there: what may be used during the boot only asks for an [`InitMemory`], and who cannot have one does not compile.
//!
//! Only the walks of the boot's tables hand it out, each for the length of one call. Its lifetime is that call's and no other, so neither the proof nor what was
//! got by it can be kept.

use core::marker::PhantomData;

use crate::mm::sections;

/// Init memory is there for as long as `'boot` lasts.
///
/// A stage, an initcall, a handler of an option, a test: each may take one as its last argument, `init: InitMemory<'_>`. It costs nothing, may be copied, and is
/// what the tables that go after the boot want to see before they are walked: [`InitTable::iter`](crate::table::InitTable::iter).
#[derive(Debug, Clone, Copy)]
pub struct InitMemory<'boot> {
    /// Neither longer nor shorter lifetimes will do: the type stands on both sides of a function.
    boot: PhantomData<fn(&'boot ()) -> &'boot ()>,
}

/// Calls `run` with the proof. For the walks, and for what the attributes make of a function that takes it.
///
/// # Panics
///
/// If init memory is gone.
#[doc(hidden)]
#[inline(always)]
pub fn with_init_memory<R>(run: impl for<'boot> FnOnce(InitMemory<'boot>) -> R) -> R {
    if sections::init_is_freed() {
        refuse();
    }
    // Whoever gives init memory back does so when the walks are over: none of them is on its way here.
    run(InitMemory { boot: PhantomData })
}

#[cold]
#[inline(never)]
fn refuse() -> ! {
    panic!("a function of the boot was called when init memory was gone");
}

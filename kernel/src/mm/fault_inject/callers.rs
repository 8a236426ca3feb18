//! Who asked for an allocation.

use core::fmt;

use crate::arch::x86::stacktrace::save_stack_trace;
use crate::panic::ReturnAddress;

/// Callers that are kept.
const DEPTH: usize = 16;

/// Return addresses on the stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callers {
    addresses: [usize; DEPTH],
    depth: usize,
}

impl Callers {
    /// Those of the function that calls this one; `skip` leaves out as many of the innermost.
    #[inline(never)]
    pub(super) fn here(skip: usize) -> Callers {
        let mut addresses = [0; DEPTH];
        let depth = save_stack_trace(&mut addresses, skip + 1);
        Callers { addresses, depth }
    }

    /// The addresses, the innermost first.
    pub(super) fn addresses(&self) -> &[usize] {
        &self.addresses[..self.depth]
    }

    /// A number that callers of other functions, or at other places in them, hardly have.
    pub(super) fn hash(&self) -> u64 {
        self.addresses().iter().fold(0, |hash: u64, address| {
            (hash ^ *address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        })
    }
}

impl fmt::Display for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut addresses = self.addresses().iter();
        addresses.try_for_each(|address| write!(f, " <- {}", ReturnAddress(*address)))
    }
}

//! What one CPU lets others do: calls of functions, all of them held still, and showing where they are.
//!
//! A call is put into the queue of the CPU that it is for, a list without a lock, and who finds the queue empty sends the interrupt. Functions run with interrupts off, on one
//! CPU too, where everything here is a plain call. What may take long is work, which CPUs do that have nothing else to do.

mod backtrace;
mod call;
#[cfg(CONFIG_SMP)]
mod hold;
mod queue;
mod stop_machine;
#[cfg(CONFIG_KUNIT)]
mod tests;
mod work;

pub use backtrace::{trigger_all_cpu_backtrace, trigger_single_cpu_backtrace};
pub use call::{call_function_many, call_function_single, call_function_single_nowait, on_each_cpu};
#[cfg(CONFIG_SMP)]
use hold::is_stopped;
#[cfg(CONFIG_SMP)]
pub(crate) use hold::release;
#[cfg(CONFIG_SMP)]
pub use hold::{HeldCpus, are_others_held, hold_other_cpus, is_working_for_holder, with_other_cpus};
pub use queue::call_function_init;
pub use stop_machine::stop_machine;
pub use work::work_on_each_cpu;
#[cfg(CONFIG_SMP)]
pub(crate) use work::{has_work, run_work};

/// Calls `f`: there are no other CPUs that could be held.
#[cfg(not(CONFIG_SMP))]
pub fn with_other_cpus<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// There are no others that would have to be.
#[cfg(not(CONFIG_SMP))]
#[must_use]
pub fn are_others_held() -> bool {
    true
}

/// There is nobody who could hold this CPU.
#[cfg(not(CONFIG_SMP))]
#[must_use]
pub fn is_working_for_holder() -> bool {
    false
}

/// There is nobody who could stop this CPU.
#[cfg(not(CONFIG_SMP))]
fn is_stopped(_cpu: usize) -> bool {
    false
}

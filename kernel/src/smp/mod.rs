//! What one CPU lets others do: calls of functions, and all of them held still.
//!
//! A call is put into the queue of the CPU that it is for, a list without a lock, and who finds the queue empty sends the interrupt. Functions run with interrupts off, on one
//! CPU too, where everything here is a plain call. What may take long is work, which CPUs do that have nothing else to do.

mod call;
mod queue;
mod stop_machine;
#[cfg(CONFIG_KUNIT)]
mod tests;
mod work;

pub use call::{call_function_many, call_function_single, call_function_single_nowait, on_each_cpu};
pub use queue::call_function_init;
pub use stop_machine::stop_machine;
pub use work::work_on_each_cpu;
#[cfg(CONFIG_SMP)]
pub(crate) use work::{has_work, run_work};

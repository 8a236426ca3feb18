//! CPUs that come and go: which there are, how one is brought up and taken down, and what it does while there is nothing to do.
//!
//! Whoever has something of its own on each CPU declares a state ([`macro@crate::prelude::cpu_state`]); nothing here names a subsystem. How a CPU is started and stopped is the processor's business
//! ([`crate::arch::x86::smpboot`]).

#[cfg(all(CONFIG_SMP, CONFIG_KDB))]
mod command;
#[cfg(CONFIG_SMP)]
pub mod hotplug;
#[cfg(CONFIG_SMP)]
mod idle;
#[cfg(CONFIG_SMP)]
mod smp_init;
mod state;

pub use crate::arch::x86::cpu::masks::{self, ACTIVE, CpuMask, NR_CPUS, ONLINE, POSSIBLE, PRESENT};

#[cfg(CONFIG_SMP)]
pub use hotplug::{cpu_down, cpu_up};
#[cfg(CONFIG_SMP)]
pub(crate) use smp_init::smp_init;
pub use state::CpuState;

#[cfg(all(CONFIG_SMP, CONFIG_KUNIT))]
mod replug;
#[cfg(CONFIG_SMP)]
mod tests;

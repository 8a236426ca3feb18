//! The local APIC of each CPU (SDM 3, chapter 11): which interrupts it takes, how it says that one is done, and how it sends them to others.
//!
//! `access` reads and writes its registers, by memory or, in x2APIC mode, by model-specific registers; `local` makes it ready on each CPU; `ipi` sends; [`timer`] is the device of time that each has, `deadline` the better half of it. What arrives is
//! handled by [`crate::arch::x86::irq`], and which CPUs there are is known by [`crate::arch::x86::smpboot`].

mod access;
pub(super) mod deadline;
mod errors;
pub mod io_apic;
mod ipi;
mod local;
pub mod msi;
mod options;
pub mod timer;

pub use access::{Register, is_present, is_x2apic, read, write};
pub use deadline::interrupt as interrupt_timer;
pub use ipi::{WakeError, send_ipi, send_ipi_allbutself, send_ipi_mask, send_ipi_self, send_nmi, wake_secondary};
#[cfg(CONFIG_SMP)]
pub(super) use local::APIC_IDS;
pub use local::{apic_id, cpu_to_apicid, eoi, init_apic_mappings, is_in_service, is_requested, max_lvt, setup_local_apic};

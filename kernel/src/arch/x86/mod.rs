//! x86-64: everything that knows the processor.
//!
//! Descriptor tables, traps and their fixups, page tables, model-specific registers, the time-stamp counter, the machine's reset and the stages of
//! `setup_arch`. It may touch every register and port; it knows no subsystem above it except the log, the memory map and the panic report. The names are the
//! Intel manual's for hardware ("SDM" with volume and section) and Linux 6.1's for everything that Linux has.

#[cfg(CONFIG_ACPI)]
mod acpi_pm;
#[macro_use]
pub mod alternative;
pub mod apic;
#[cfg(CONFIG_X86_CHECK_BIOS_CORRUPTION)]
mod check;
pub mod cpu;
pub mod dumpstack;
#[cfg(CONFIG_EDD)]
mod edd;
pub mod extable;
pub mod fpu;
pub mod global_timer;
#[cfg(CONFIG_ACPI)]
pub mod hpet;
pub mod hw_breakpoint;
pub mod i8253;
pub mod i8259;
pub mod idt;
pub mod insn;
pub mod io_delay;
pub mod irq;
pub mod irqflags;
#[cfg(CONFIG_ISCSI_IBFT_FIND)]
pub mod iscsi_ibft_find;
#[cfg(CONFIG_KVM_GUEST)]
pub(crate) mod kvmclock;
pub mod last_words;
pub mod maccess;
pub mod mm;
#[cfg(CONFIG_X86_MPPARSE)]
pub mod mpparse;
pub mod msr;
pub mod nmi;
#[cfg(CONFIG_PCI)]
pub mod pci;
#[cfg(CONFIG_X86_PROBE_ROMS)]
mod probe_roms;
pub mod process;
pub mod ptregs;
pub mod reboot;
pub mod registers;
pub mod rtc;
pub mod segment;
pub mod setup;
pub mod smpboot;
pub mod stacktrace;
pub mod text_poke;
pub mod traps;
pub mod tsc;

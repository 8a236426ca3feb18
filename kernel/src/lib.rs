//! Incipit: an x86-64 kernel whose boot is declared, not called.
//!
//! A function says what it is (`#[initcall(device)]`, `#[early_param("x")]`, `#[exception_entry]`); a link section collects it; the build proves that the
//! whole adds up; a small core, [`init`], walks the tables. Subsystems are rooms of this crate or crates of their own, which use what is public here; the
//! core never names one of them.
//!
//! | room | what it is for |
//! | --- | --- |
//! | [`init`] | walks the tables: stages, command line, parameters, initcalls, tests |
//! | [`table`] | the tables themselves, as iterators |
//! | `acpi`, `dmi` | the tables of the firmware, kept and taken apart |
//! | `efi` | the memory map and the tables of EFI firmware, kept |
//! | [`arch`] | everything that knows the processor |
//! | [`mm`] | addresses, memblock, the boot-time allocator |
//! | [`fs`], [`pid`] | the tables in which names, inodes and processes are found |
//! | [`cpu`] | other CPUs coming and going, and what one does that has nothing to do |
//! | [`percpu`], [`irq`], [`preempt`] | what each CPU has for itself; interrupts and preemption off and on |
//! | [`softirq`], [`irq_work`] | what interrupts leave to be done when they are over, and what NMIs leave to interrupts |
//! | [`smp`] | what one CPU lets others do |
//! | [`jump_label`] | switches that cost one `nop` where they are off |
//! | [`locking`] | locks, and data that are read without one |
//! | [`mod@printk`], [`console`] | the kernel log, and where it is shown |
//! | `debugobjects` | objects that are used against their rules |
//! | `kmemleak` | memory that nobody can give back any more |
//! | [`collections`] | arrays by number, numbers for things, intervals |
//! | [`time`] | the clock of the log |
//! | [`mod@panic`] | the end: reports of faults, warnings, panics |
//! | `profile` | where the kernel spends its time |
//! | `stackdepot` | stack traces, each kept once |
//! | [`resource`] | who has which addresses and ports |
//! | `watchdog` | CPUs that are stuck |
//! | [`kdb`] | the hook of the monitor |
#![no_std]
// What only the log needs is left over in a kernel without one.
#![cfg_attr(not(CONFIG_PRINTK), allow(dead_code))]

extern crate alloc;
// The attributes name this crate by its name, here as anywhere.
extern crate self as incipit;

#[cfg(CONFIG_ACPI)]
pub mod acpi;
pub mod arch;
pub mod collections;
pub mod console;
pub mod cpu;
#[cfg(CONFIG_DEBUG_OBJECTS)]
pub mod debugobjects;
#[cfg(CONFIG_DMI)]
pub mod dmi;
#[cfg(CONFIG_EFI)]
pub mod efi;
pub mod fs;
pub mod init;
pub mod irq;
pub mod irq_work;
pub mod jump_label;
pub mod kdb;
#[cfg(CONFIG_DEBUG_KMEMLEAK)]
pub mod kmemleak;
pub mod locking;
pub mod mm;
pub mod panic;
pub mod percpu;
pub mod pid;
pub mod preempt;
pub mod prelude;
pub mod printk;
#[cfg(CONFIG_PROFILING)]
pub mod profile;
pub mod resource;
pub mod smp;
pub mod softirq;
#[cfg(CONFIG_STACKDEPOT)]
pub mod stackdepot;
pub mod table;
pub mod time;
#[cfg(CONFIG_LOCKUP_DETECTOR)]
pub mod watchdog;

/// Constants of the configuration.
pub mod config {
    include!(concat!(env!("OUT_DIR"), "/config.rs"));
}

#[doc(hidden)]
pub mod __private;

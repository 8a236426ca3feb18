//! The first line of the log.

use crate::prelude::*;

/// The kernel's name and version: `Incipit version 0.1.0`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The toolchain that compiled the kernel.
pub const COMPILER: &str = env!("INCIPIT_RUSTC");

/// Says who speaks.
#[init]
#[stage(after(crate::arch::x86::cpu::boot_cpu_init))]
pub(crate) fn linux_banner() {
    pr_notice!("Incipit version {VERSION} ({COMPILER})");
}

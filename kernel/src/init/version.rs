//! The first line of the log.

use crate::prelude::*;

/// The kernel's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The toolchain that compiled the kernel.
pub const COMPILER: &str = env!("INCIPIT_RUSTC");

// SAFETY: the generated `main.rs` defines it, once, with this type.
unsafe extern "Rust" {
    /// Number and date of the sources' state; the generated `main.rs` of the image has it.
    static incipit_build: &'static str;
}

/// Number and date of the sources' state that the image was built from.
#[must_use]
pub fn build() -> &'static str {
    // SAFETY: the image's `main.rs` defines it with this type, and nobody writes to it.
    unsafe { incipit_build }
}

/// Says who speaks.
#[init]
#[stage(after(crate::arch::x86::cpu::boot_cpu_init))]
pub(crate) fn linux_banner() {
    pr_notice!("Incipit version {VERSION} ({COMPILER}) {}", build());
}

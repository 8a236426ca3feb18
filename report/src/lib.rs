//! Pictures of a boot, for people who did not write it.
//!
//! [`graph`] draws what the image declares: who runs before whom, and why. [`page`] shows what one boot did with it: a timeline, the memory, the image, its
//! tables and parameters. The image is read through `incipit-linker` ([`contents`]), the boot through the kernel's own monitor ([`boot`], [`qemu`]). Nothing
//! here depends on the machine that it runs on, on the time, or on the network, and neither do the files that it writes.

pub mod boot;
pub mod contents;
pub mod figures;
pub mod graph;
pub mod page;
pub mod qemu;

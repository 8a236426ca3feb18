//! Page tables: the final mapping of memory, changes of protection, and what a report says about an address (SDM 3, 4.5).
//!
//! Four levels. All RAM is in the direct map, not executable, and writable but for what of the image is read only, when the boot is done; the image is mapped
//! page by page with the permissions of its sections, without init memory when the boot is done; nothing is mapped in the lower half.

pub mod builder;
pub mod checkwx;
pub mod dump;
pub mod fixmap;
pub mod init;
pub mod ioremap;
pub mod kernel_map;
pub mod leaves;
#[cfg(CONFIG_NUMA)]
mod numa;
pub mod pat;
pub mod pgt_buf;
pub mod pgtable;
pub mod set_memory;
mod split;
mod test_window;
pub mod tlb;

//! PVH: the hypervisor made an `hvm_start_info`, which says the same things in other words.

use incipit::prelude::*;
use incipit_lib::bootparam::{BootParams, E820Extension, pvh};

use crate::{extension_phys, physical};

/// Fills `into` from the start information at physical address `start_info`. What cannot be used is reported.
pub fn fill(start_info: u64, into: &mut BootParams, extension: &mut E820Extension) {
    let extension_phys = extension_phys(extension);
    match pvh::to_boot_params(start_info, physical::bytes, into, extension, extension_phys) {
        Ok(dropped) => {
            if dropped.memmap_entries > 0 {
                pr_warn!(
                    "PVH: the last {} memory ranges are ignored: there is no room for so many",
                    dropped.memmap_entries
                );
            }
            if dropped.modules > 0 {
                pr_warn!(
                    "PVH: only the first module is used, as the initrd; {} more are ignored",
                    dropped.modules
                );
            }
        }
        Err(error) => pr_err!("{error}"),
    }
}

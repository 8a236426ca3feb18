//! PVH: the hypervisor made an `hvm_start_info`, which says the same things in other words.

use incipit::prelude::*;
use incipit_lib::bootparam::{BootParams, pvh};

use crate::physical;

/// Fills `into` from the start information at physical address `start_info`. What cannot be used is reported.
pub fn fill(start_info: u64, into: &mut BootParams) {
    match pvh::to_boot_params(start_info, physical::bytes, into) {
        Ok(dropped) => {
            if dropped.memmap_entries > 0 {
                pr_warn!(
                    "PVH: the last {} memory ranges are ignored, as boot_params holds {}",
                    dropped.memmap_entries,
                    BootParams::E820_MAX
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

//! The Linux boot protocol: the loader already made `boot_params`, and may have been careless.

use incipit::prelude::*;
use incipit_lib::bootparam::{BootParams, SetupHeader};

use crate::physical;

/// Copies the page at physical address `boot_params` to `into`, which is all zero, without what a careless loader left in it (Linux's
/// `sanitize_boot_params`). A pointer to something else is reported and ignored.
pub fn fill(boot_params: u64, into: &mut BootParams) {
    let Some(page) = physical::bytes(boot_params, BootParams::SIZE) else {
        pr_err!("boot_params at {boot_params:#x} is out of reach; there is no memory map and no command line");
        return;
    };
    into.as_bytes_mut().copy_from_slice(page);
    // Its other signature, boot_flag, is no help: GRUB clears it.
    let magic = into.hdr().header;
    if magic != SetupHeader::MAGIC {
        pr_err!("boot_params at {boot_params:#x} has no setup header (magic {magic:#010x}); there is no memory map and no command line");
        into.as_bytes_mut().fill(0);
        return;
    }
    into.sanitize();
}

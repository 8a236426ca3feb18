//! The two interrupt controllers of the PC (Intel 8259A), kept quiet until somebody sets them up.
//!
//! Firmware leaves them sending the timer's interrupt to vector 8, where the processor has the double fault.

use crate::arch::x86::io_delay::outb_p;
use crate::prelude::*;

const MASTER_DATA: u16 = 0x21;
const SLAVE_DATA: u16 = 0xa1;

/// Masks every line of both controllers. Without the controllers the writes go nowhere.
#[init]
pub fn mask_all() {
    // SAFETY: masking stops interrupts that nobody handles; the mask is the only register at these ports while no initialisation is under way.
    unsafe {
        outb_p(SLAVE_DATA, 0xff);
        outb_p(MASTER_DATA, 0xff);
    }
}

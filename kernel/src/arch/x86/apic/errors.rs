//! What the local APIC reports about itself: errors, and interrupts that were none.

use linkme::distributed_slice;

use super::access::{self, Register, read, write};
use crate::arch::x86::irq::{ERROR_APIC_VECTOR, SPURIOUS_APIC_VECTOR, SYSVECS, SysVec};
use crate::arch::x86::ptregs::PtRegs;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

#[distributed_slice(SYSVECS)]
static ERROR: SysVec = SysVec {
    vector: ERROR_APIC_VECTOR,
    mnemonic: "ERR",
    description: "APIC errors",
    handler: error_interrupt,
};

#[distributed_slice(SYSVECS)]
static SPURIOUS: SysVec = SysVec {
    vector: SPURIOUS_APIC_VECTOR,
    mnemonic: "SPU",
    description: "Spurious interrupts",
    handler: |_| (),
};

/// What the bits of the error status mean, in Linux's words (SDM 3, figure 11-9).
const REASONS: [&str; 8] = [
    "Send CS error",
    "Receive CS error",
    "Send accept error",
    "Receive accept error",
    "Redirectable IPI",
    "Send illegal vector",
    "Received illegal vector",
    "Illegal register address",
];

fn error_interrupt(_: &mut PtRegs) {
    if !access::is_x2apic() {
        // SAFETY: latches what has happened since the last time.
        unsafe { write(Register::ErrorStatus, 0) };
    }
    let status = read(Register::ErrorStatus);
    // SAFETY: clears it.
    unsafe { write(Register::ErrorStatus, 0) };
    pr_debug!("APIC error on CPU{}: {status:02x}", smp_processor_id());
    for (_, reason) in REASONS.iter().enumerate().filter(|&(bit, _)| status & 1 << bit != 0) {
        pr_debug!("APIC error: {reason}");
    }
}

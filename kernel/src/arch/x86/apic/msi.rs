//! Interrupts that a device sends as a write to memory (SDM 3, 11.11): what it is to write, and where.

use super::cpu_to_apicid;
use crate::prelude::*;

/// What the device writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Where to.
    pub address: u64,
    /// What.
    pub data: u32,
}

/// Where messages go; bits 12–19 say to which APIC.
const BASE: u64 = 0xfee0_0000;

/// The message by which a device sends `vector` to `cpu`: delivered as it is, once, to that CPU alone. `None` for a CPU that messages cannot name, and for a vector of an exception.
#[must_use]
pub fn compose(cpu: usize, vector: u8) -> Option<Message> {
    message(cpu_to_apicid(cpu)?, vector)
}

fn message(apic_id: u32, vector: u8) -> Option<Message> {
    (apic_id < 0xff && vector >= 0x10).then_some(Message {
        address: BASE | u64::from(apic_id) << 12,
        data: u32::from(vector),
    })
}

#[ktest]
fn a_message_names_its_cpu_and_its_vector() {
    let expected = Message {
        address: 0xfee0_3000,
        data: 0x41,
    };
    assert_eq!(message(3, 0x41), Some(expected));
    assert_eq!(message(0xfe, 0xeb).map(|message| message.address), Some(0xfeef_e000));
    for (id, vector) in [(0xff, 0x41), (0x100, 0x41), (u32::MAX, 0x41), (0, 0x0f)] {
        assert_eq!(message(id, vector), None);
    }
}

//! Interrupts that one CPU sends to others (SDM 3, 11.6), and the signals that start one.

use super::access::{self, Register, read, write, write_command};
use super::local::{apic_id, cpu_to_apicid};
use crate::arch::x86::cpu::masks::{CpuMask, ONLINE};
use crate::irq::IrqGuard;
use crate::percpu::smp_processor_id;
use crate::prelude::*;
use crate::time::udelay;

/// The command has not been taken yet.
const BUSY: u32 = 1 << 12;
const DELIVER_NMI: u32 = 4 << 8;
const DELIVER_INIT: u32 = 5 << 8;
const DELIVER_STARTUP: u32 = 6 << 8;
const ASSERT: u32 = 1 << 14;
const LEVEL: u32 = 1 << 15;
const TO_SELF: u32 = 1 << 18;
const TO_ALL_BUT_SELF: u32 = 3 << 18;

/// Readings until a command that is not taken is given up: far beyond what the bus needs.
const BUSY_READS: u32 = 1 << 20;

/// Waits until the last command has been taken; `false` if it never is. In x2APIC mode the processor sees to it.
#[inline]
fn wait_idle() -> bool {
    access::is_x2apic() || (0..BUSY_READS).any(|_| read(Register::InterruptCommand) & BUSY == 0)
}

/// Sends. Interrupts are off meanwhile: the command is in two halves, and a handler sends, too.
#[inline]
fn send(command: u32, destination: u32) {
    let _interrupts_off = IrqGuard::new();
    if !wait_idle() {
        complain();
    }
    // SAFETY: each vector has a gate on every CPU that runs, and those that do not run take only what starts them.
    unsafe { write_command(command, destination) };
}

#[cold]
fn complain() {
    pr_err_ratelimited!(
        "APIC: CPU {} cannot send: the last interrupt has not been taken",
        smp_processor_id()
    );
}

/// Sends `vector` to one CPU, which may be this one. Nothing to one without an APIC id.
pub fn send_ipi(cpu: usize, vector: u8) {
    if let Some(destination) = cpu_to_apicid(cpu) {
        send(u32::from(vector), destination);
    }
}

/// Sends `vector` to this CPU.
pub fn send_ipi_self(vector: u8) {
    send(TO_SELF | u32::from(vector), 0);
}

/// Sends `vector` to each CPU of a set, by one command if these are all the others.
pub fn send_ipi_mask(cpus: &CpuMask, vector: u8) {
    let others = ONLINE.and_without(&ONLINE, smp_processor_id());
    if cpus.weight() > 1 && cpus.is_same(&others) {
        send_ipi_allbutself(vector);
    } else {
        cpus.iter().for_each(|cpu| send_ipi(cpu, vector));
    }
}

/// Sends `vector` to all CPUs but this one: also to those that have been started and are not online.
pub fn send_ipi_allbutself(vector: u8) {
    send(TO_ALL_BUT_SELF | u32::from(vector), 0);
}

/// Sends a non-maskable interrupt to one CPU.
pub fn send_nmi(cpu: usize) {
    if let Some(destination) = cpu_to_apicid(cpu) {
        send(DELIVER_NMI, destination);
    }
}

/// The first id that has no place in eight bits, or means all CPUs there.
const FIRST_WIDE_ID: u32 = 0xff;

/// Why a CPU could not be sent what starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeError {
    /// There is no local APIC.
    NoApic,
    /// A local APIC in this mode cannot name this id: it would be cut, and the signal would go to another CPU, or be that of all.
    Id(u32),
    /// The signal was not taken.
    NotTaken,
    /// It was taken, and this CPU's APIC says that something was wrong: its error status.
    Status(u32),
}

impl core::fmt::Display for WakeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            WakeError::NoApic => f.write_str("no local APIC"),
            WakeError::Id(id) => write!(f, "APIC id {id:#x} cannot be reached without x2APIC mode"),
            WakeError::NotTaken => f.write_str("APIC never delivered???"),
            WakeError::Status(status) => write!(f, "APIC delivery error ({status:x})."),
        }
    }
}

/// Lets the CPU with this APIC id start at `start_ip`, a page below 1 MiB, in real mode: INIT, a pause, and two start-up signals (SDM 3, 9.4.4.1). On processors that take them at
/// once the pauses are those that Linux makes there: none, and 10 µs.
///
/// # Errors
///
/// What the APIC said; that a CPU is not there is not seen here.
///
/// # Safety
///
/// At `start_ip` there is code for a CPU that has just been reset, and the CPU does not run already.
pub unsafe fn wake_secondary(destination: u32, start_ip: u32, init_pause_us: u64) -> Result<(), WakeError> {
    if !access::is_present() {
        return Err(WakeError::NoApic);
    }
    if destination >= FIRST_WIDE_ID && !access::is_x2apic() {
        return Err(WakeError::Id(destination));
    }
    debug_assert!(start_ip < 1 << 20 && start_ip.is_multiple_of(4096) && destination != apic_id());
    let checked = |command| {
        send(command, destination);
        if wait_idle() { Ok(()) } else { Err(WakeError::NotTaken) }
    };
    clear_error_status();
    checked(LEVEL | ASSERT | DELIVER_INIT)?;
    udelay(init_pause_us);
    checked(LEVEL | DELIVER_INIT)?;
    for _ in 0..2 {
        clear_error_status();
        checked(DELIVER_STARTUP | start_ip >> 12)?;
        udelay(if init_pause_us == 0 { 10 } else { 300 });
        let status = error_status();
        if status != 0 {
            return Err(WakeError::Status(status));
        }
    }
    Ok(())
}

/// Makes the register show what has happened since.
fn clear_error_status() {
    // SAFETY: writing 0 latches and clears.
    unsafe { write(Register::ErrorStatus, 0) };
}

/// What has gone wrong since the last time: SDM 3, figure 11-9.
fn error_status() -> u32 {
    clear_error_status();
    read(Register::ErrorStatus) & 0xef
}

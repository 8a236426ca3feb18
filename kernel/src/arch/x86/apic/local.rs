//! Finding the local APIC, and making it ready on each CPU.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::access::{self, APIC_ENABLE, LVT_MASKED, Register, X2APIC_ENABLE, read, read_at, write};
use super::options;
use crate::arch::x86::cpu::boot_cpu_apic_id;
use crate::arch::x86::cpu::features::{boot_cpu_has, clear_cpu_cap, feature};
use crate::arch::x86::cpu::masks::NR_CPUS;
use crate::arch::x86::irq::{ERROR_APIC_VECTOR, SPURIOUS_APIC_VECTOR};
use crate::arch::x86::mm::ioremap::{CacheMode, ioremap};
use crate::arch::x86::msr::{IA32_APIC_BASE, rdmsr};
use crate::arch::x86::smpboot;
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// Delivered as a non-maskable interrupt.
const LVT_NMI: u32 = 4 << 8;
/// Delivered as the 8259 says: its vector is asked for.
const LVT_EXTINT: u32 = 7 << 8;
/// [`Register::SpuriousVector`]: interrupts are taken at all.
const SPIV_ENABLED: u32 = 1 << 8;

/// Where the registers are without anybody having moved them.
const DEFAULT_PHYS_BASE: u64 = 0xfee0_0000;

/// The APIC ids of the CPUs, by their numbers; [`u32::MAX`] for a number without one.
pub(in crate::arch::x86) static APIC_IDS: [AtomicU32; NR_CPUS] = [const { AtomicU32::new(u32::MAX) }; NR_CPUS];

/// The APIC id of a CPU.
#[inline]
#[must_use]
pub fn cpu_to_apicid(cpu: usize) -> Option<u32> {
    let id = APIC_IDS.get(cpu)?.load(Relaxed);
    (id != u32::MAX).then_some(id)
}

/// The id of this CPU's APIC, as the APIC says it.
#[must_use]
pub fn apic_id() -> u32 {
    if !access::is_present() {
        return boot_cpu_apic_id();
    }
    let id = read(Register::Id);
    if access::is_x2apic() { id } else { id >> 24 }
}

/// The index of the last entry of the local vector table.
#[must_use]
pub fn max_lvt() -> u32 {
    read(Register::Version) >> 16 & 0xff
}

/// Says that the interrupt which is being handled is done.
#[inline]
pub fn eoi() {
    // SAFETY: lets the next one come, which the caller wants.
    unsafe { write(Register::Eoi, 0) };
}

/// Whether this CPU has been given `vector` and has not said yet that it is done with it.
#[must_use]
pub fn is_in_service(vector: u8) -> bool {
    read_at(Register::InService.word_of(vector)) & 1 << (vector % 32) != 0
}

/// Whether `vector` has arrived at this CPU and waits for its turn.
#[must_use]
pub fn is_requested(vector: u8) -> bool {
    read_at(Register::InterruptRequest.word_of(vector)) & 1 << (vector % 32) != 0
}

/// Ends the virtual wire: the 8259 is no longer heard by this CPU, whose interrupts come from I/O APICs.
pub(super) fn end_virtual_wire() {
    // SAFETY: a masked entry delivers nothing.
    unsafe { write(Register::LvtLint0, LVT_EXTINT | LVT_MASKED) };
}

/// Finds the local APIC and maps its registers: Linux's stage of the same name.
#[init]
#[stage(after(smpboot::prefill_possible_map), before(crate::init::command_line::setup_command_line))]
pub fn init_apic_mappings() {
    for (cpu, id) in smpboot::processors().enumerate() {
        if let Some(slot) = APIC_IDS.get(cpu) {
            slot.store(id, Relaxed);
        }
    }
    if options::is_disabled() {
        clear_cpu_cap(feature::APIC);
        pr_info!("APIC: disable apic facility");
        return;
    }
    if !boot_cpu_has(feature::APIC) {
        pr_info!("No local APIC present");
        return;
    }
    let base = rdmsr(IA32_APIC_BASE);
    let is_on = base & (APIC_ENABLE | X2APIC_ENABLE) == APIC_ENABLE | X2APIC_ENABLE;
    if is_on || boot_cpu_has(feature::X2APIC) && !options::is_x2apic_refused() {
        access::set_x2apic();
        access::enable_mode();
        pr_info!(
            "x2apic {}",
            if is_on {
                "enabled by BIOS, switching to x2apic ops"
            } else {
                "enabled"
            }
        );
        return;
    }
    let phys = match base & 0x000f_ffff_ffff_f000 {
        0 => DEFAULT_PHYS_BASE,
        phys => phys,
    };
    match ioremap(phys, crate::mm::PAGE_SIZE, CacheMode::Uncached) {
        Ok(registers) => {
            let registers = core::mem::ManuallyDrop::new(registers);
            // SAFETY: the page that the register names is the APIC's, and the mapping is never dropped.
            unsafe { access::map(registers.as_ptr().cast()) };
            access::enable_mode();
        }
        Err(error) => pr_err!("APIC: registers at {phys:#x} cannot be mapped ({error})"),
    }
}

/// Makes this CPU's APIC ready to take and to send interrupts, all of its own sources masked but the error and, on the boot CPU, the 8259: Linux's function of the same name.
/// Interrupts are off.
pub fn setup_local_apic() {
    if !access::is_present() {
        return;
    }
    access::enable_mode();
    clear_local_apic();
    // SAFETY: from here on the vectors below arrive, and all of them have handlers.
    unsafe {
        if !access::is_x2apic() {
            // Physical destinations alone are used; the format is that of a machine after reset.
            write(Register::DestinationFormat, u32::MAX);
        }
        // Vectors below 32 are exceptions: an interrupt with such a number is refused.
        write(Register::TaskPriority, 0x10);
    }
    acknowledge_pending();
    let is_boot_cpu = smp_processor_id() == 0;
    // SAFETY: as above.
    unsafe {
        write(Register::SpuriousVector, SPIV_ENABLED | u32::from(SPURIOUS_APIC_VECTOR));
        write(Register::LvtLint0, LVT_EXTINT | if is_boot_cpu { 0 } else { LVT_MASKED });
        write(Register::LvtLint1, LVT_NMI | if is_boot_cpu { 0 } else { LVT_MASKED });
        if max_lvt() >= 3 {
            write(Register::ErrorStatus, 0);
            write(Register::LvtError, u32::from(ERROR_APIC_VECTOR));
        }
        write(Register::ErrorStatus, 0);
    }
}

/// Masks everything that firmware may have left on.
fn clear_local_apic() {
    let last = max_lvt();
    let entries = [
        (Register::LvtError, 3),
        (Register::LvtTimer, 0),
        (Register::LvtLint0, 0),
        (Register::LvtLint1, 0),
        (Register::LvtPerformance, 4),
        (Register::LvtThermal, 5),
    ];
    for (register, needs) in entries {
        if last >= needs {
            // SAFETY: a masked entry delivers nothing.
            unsafe { write(register, read(register) | LVT_MASKED) };
        }
    }
}

/// Takes back what was accepted before there was anybody to handle it, which would stand in the way of all that is not more urgent.
fn acknowledge_pending() {
    for vector in (0..=u8::MAX).step_by(32) {
        let word = Register::InService.word_of(vector);
        for _ in 0..read_at(word).count_ones() {
            eoi();
        }
    }
}

#[ktest]
fn the_apic_says_the_id_that_the_tables_have() {
    if access::is_present() {
        assert_eq!(Some(apic_id()), cpu_to_apicid(smp_processor_id()));
    }
}

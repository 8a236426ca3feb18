//! What can be done with a line at an I/O APIC. It goes to one CPU, which is told that it is done by its own APIC.

use super::by_unit;
use super::registers::{Entry, Registers};
use crate::arch::x86::apic;
use crate::arch::x86::cpu::masks::CpuMask;
use crate::arch::x86::irq::vector;
use crate::irq::{Flow, IrqChip, IrqData, Trigger};
use crate::prelude::*;

pub(super) struct IoApicChip;

pub(super) static IO_APIC: IoApicChip = IoApicChip;

fn registers(data: &IrqData) -> Option<&'static Registers> {
    by_unit(data.unit()).map(|io_apic| &io_apic.registers)
}

/// How a line is treated that signals like this: what signals by its level is kept quiet by the controller until it is done.
pub(super) const fn flow_of(trigger: Trigger) -> Flow {
    if trigger.is_level() { Flow::FastEoi } else { Flow::Edge }
}

/// Sets what an input signals by.
pub(super) fn set_trigger(unit: u32, pin: u32, trigger: Trigger) {
    let Some(io_apic) = by_unit(unit) else { return };
    let mut set = Entry::empty();
    set.set(Entry::LEVEL, trigger.is_level());
    set.set(Entry::ACTIVE_LOW, trigger.is_low());
    let clear = Entry::LEVEL.union(Entry::ACTIVE_LOW).difference(set);
    io_apic.registers.update(pin, set, clear);
}

/// Has the input send to the line's CPU and vector.
fn aim(data: &IrqData) {
    let target = data.place.cpu().and_then(apic::cpu_to_apicid).zip(data.place.vector());
    if let Some((registers, (destination, vector))) = registers(data).zip(target) {
        registers.set_target(data.hwirq(), vector, destination);
    }
}

impl IrqChip for IoApicChip {
    fn name(&self) -> &'static str {
        "IO-APIC"
    }

    fn mask(&self, data: &IrqData) {
        if let Some(registers) = registers(data) {
            registers.update(data.hwirq(), Entry::MASKED, Entry::empty());
        }
    }

    fn unmask(&self, data: &IrqData) {
        if let Some(registers) = registers(data) {
            registers.update(data.hwirq(), Entry::empty(), Entry::MASKED);
        }
    }

    #[inline]
    fn ack(&self, _: &IrqData) {
        apic::eoi();
    }

    #[inline]
    fn eoi(&self, _: &IrqData) {
        apic::eoi();
    }

    fn startup(&self, data: &IrqData) -> Result<(), Errno> {
        if data.place.cpu().is_none() {
            vector::assign(data, &crate::irq::default_affinity())?;
        }
        aim(data);
        self.unmask(data);
        Ok(())
    }

    fn shutdown(&self, data: &IrqData) {
        self.mask(data);
        vector::release(data);
    }

    fn set_type(&self, data: &IrqData, trigger: Trigger) -> Result<Flow, Errno> {
        set_trigger(data.unit(), data.hwirq(), trigger);
        Ok(flow_of(trigger))
    }

    fn set_affinity(&self, data: &IrqData, cpus: &CpuMask) -> Result<(), Errno> {
        vector::assign(data, cpus)?;
        aim(data);
        Ok(())
    }

    fn retrigger(&self, data: &IrqData) -> bool {
        let target = data.place.cpu().zip(data.place.vector());
        if let Some((cpu, vector)) = target {
            apic::send_ipi(cpu, vector);
        }
        target.is_some()
    }
}

//! The I/O APICs: where devices' lines arrive, and from where each goes to a CPU and a vector.
//!
//! Firmware names them, by ACPI's tables or by the MP table, and says which input each of ISA's lines is at. [`register`] and [`route_isa`] take that down; `setup` gives
//! the lines to them. An input has a number among all, its GSI.

mod chip;
mod registers;
mod routes;

use core::ops::Range;

use spin::Once;

use self::chip::{IO_APIC, flow_of};
use self::registers::Registers;
pub use self::routes::{gsi_to_irq, route_isa};
use super::{access, local, options};
use crate::arch::x86::cpu::features::{boot_cpu_has, feature};
use crate::arch::x86::irq::vector::{self, ISA_IRQ_VECTOR};
use crate::arch::x86::{i8259, smpboot};
use crate::irq::{NR_IRQS, NR_IRQS_LEGACY};
use crate::percpu::smp_processor_id;
use crate::prelude::*;

/// How many are used.
const MAX_IO_APICS: usize = 32;
/// More inputs than any has: the version register has eight bits for the last, and this is what a controller may say.
const MAX_PINS: u32 = 240;

/// One of them.
struct IoApic {
    /// Its number in firmware's tables.
    id: u8,
    phys: u64,
    gsi_base: u32,
    pins: u32,
    registers: Registers,
}

impl IoApic {
    fn gsis(&self) -> Range<u32> {
        self.gsi_base..self.gsi_base + self.pins
    }
}

static IO_APICS: [Once<IoApic>; MAX_IO_APICS] = [const { Once::new() }; MAX_IO_APICS];

fn all() -> impl Iterator<Item = (u32, &'static IoApic)> {
    (0..).zip(IO_APICS.iter().map_while(Once::get))
}

fn by_unit(unit: u32) -> Option<&'static IoApic> {
    IO_APICS.get(unit as usize)?.get()
}

/// The controller of an input, its number, and the number of the input there.
fn find(gsi: u32) -> Option<(u32, &'static IoApic, u32)> {
    let (unit, io_apic) = all().find(|(_, io_apic)| io_apic.gsis().contains(&gsi))?;
    Some((unit, io_apic, gsi - io_apic.gsi_base))
}

/// The number behind the last input's: Linux's `gsi_top`.
#[must_use]
pub fn gsi_top() -> u32 {
    all().map(|(_, io_apic)| io_apic.gsis().end).max().unwrap_or(0)
}

/// The number of the first input of the controller that firmware calls `id`.
#[must_use]
pub fn gsi_base_of(id: u8) -> Option<u32> {
    all().find(|(_, io_apic)| io_apic.id == id).map(|(_, io_apic)| io_apic.gsi_base)
}

/// Whether I/O APICs are not to be looked for. Says so the first time.
#[init]
#[must_use]
pub fn is_refused() -> bool {
    if options::is_disabled() || !boot_cpu_has(feature::APIC) {
        return true;
    }
    let refused = options::is_io_apic_refused() || smpboot::max_cpus() == 0;
    if refused {
        pr_info_once!("Skipping IOAPIC probe due to 'noapic' option.");
    }
    refused
}

/// Notes an I/O APIC that firmware names: Linux's `mp_register_ioapic`. What cannot be one is named, and left alone.
#[init]
pub fn register(id: u8, phys: u64, gsi_base: u32) {
    let Some((unit, slot)) = (0..).zip(&IO_APICS).find(|(_, slot)| !slot.is_completed()) else {
        pr_warn!("IOAPIC: Max # of I/O APICs ({MAX_IO_APICS}) exceeded, skipping {phys:#x}");
        return;
    };
    if phys == 0 {
        pr_warn!("IOAPIC: Bogus (zero) I/O APIC address found in table, skipping!");
        return;
    }
    if let Some((other, _)) = all().find(|(_, io_apic)| io_apic.phys == phys) {
        pr_warn!("IOAPIC: address {phys:#x} conflicts with IOAPIC{other}");
        return;
    }
    let registers = match Registers::map(phys) {
        Ok(registers) => registers,
        Err(error) => {
            pr_warn!("IOAPIC[{unit}]: registers at {phys:#x} cannot be mapped ({error}), skipping!");
            return;
        }
    };
    if registers.are_all_ones() {
        pr_warn!("IOAPIC: I/O APIC {phys:#x} registers return all ones, skipping!");
        return;
    }
    let (version, pins) = registers.version_and_pins();
    let end = gsi_base.checked_add(pins).filter(|&end| pins <= MAX_PINS && end <= NR_IRQS);
    let Some(end) = end else {
        pr_warn!("IOAPIC[{unit}]: {pins} inputs from GSI {gsi_base} on at {phys:#x} are not possible, skipping!");
        return;
    };
    if let Some((_, other)) = all().find(|(_, other)| gsi_base < other.gsis().end && other.gsi_base < end) {
        let Range { start, end: stop } = other.gsis();
        pr_warn!(
            "IOAPIC: GSI range [{gsi_base}-{}] for new IOAPIC conflicts with GSI[{start}-{}]",
            end - 1,
            stop - 1
        );
        return;
    }
    pr_info!(
        "IOAPIC[{unit}]: apic_id {id}, version {version}, address {phys:#x}, GSI {gsi_base}-{}",
        end - 1
    );
    slot.call_once(|| IoApic {
        id,
        phys,
        gsi_base,
        pins,
        registers,
    });
}

/// Gives ISA's lines and all others to the I/O APICs, if there are any, and takes them from the 8259s: Linux's `setup_IO_APIC`.
#[init]
pub fn setup() {
    if !access::is_present() || all().next().is_none() {
        return;
    }
    all().for_each(|(_, io_apic)| io_apic.registers.mask_all(io_apic.pins));
    i8259::mask_all();
    local::end_virtual_wire();
    routes::check();
    (0..NR_IRQS_LEGACY).for_each(setup_isa);
    let timer = routes::of_isa(0).and_then(|route| find(route.gsi));
    let (unit, pin) = timer.map_or((-1, -1), |(unit, _, pin)| (i64::from(unit), i64::from(pin)));
    pr_info!("..TIMER: vector={ISA_IRQ_VECTOR:#x} apic1={unit} pin1={pin} apic2=-1 pin2=-1");
    for gsi in NR_IRQS_LEGACY..gsi_top() {
        setup_other(gsi);
    }
}

/// Gives one of ISA's lines to the input that it is at. One that is at none goes nowhere: its 8259 is not heard any more.
#[init]
fn setup_isa(irq: u32) {
    let Some(desc) = crate::irq::desc(irq) else { return };
    let Some((route, (unit, _, pin))) = routes::of_isa(irq).and_then(|route| Some((route, find(route.gsi)?))) else {
        desc.uninstall();
        return;
    };
    chip::set_trigger(unit, pin, route.trigger);
    desc.install(&IO_APIC, flow_of(route.trigger), unit, pin);
    vector::install(desc, smp_processor_id(), ISA_IRQ_VECTOR + irq as u8);
}

/// Gives an input that is none of ISA's a line of its own: PCI's, which signal by being low.
#[init]
fn setup_other(gsi: u32) {
    let Some((unit, _, pin)) = find(gsi).filter(|_| gsi_to_irq(gsi) == Some(gsi)) else {
        return;
    };
    match crate::irq::ensure(gsi) {
        Ok(desc) => {
            let trigger = crate::irq::Trigger::LevelLow;
            chip::set_trigger(unit, pin, trigger);
            desc.install(&IO_APIC, flow_of(trigger), unit, pin);
        }
        Err(error) => pr_warn!("IOAPIC[{unit}]: no descriptor for GSI {gsi} ({error})"),
    }
}

#[ktest]
fn every_input_is_found_by_its_number_and_none_beyond() {
    for (unit, io_apic) in all() {
        let last = io_apic.pins - 1;
        assert!(find(io_apic.gsi_base).is_some_and(|(at, _, pin)| (at, pin) == (unit, 0)));
        assert!(find(io_apic.gsi_base + last).is_some_and(|(at, _, pin)| (at, pin) == (unit, last)));
    }
    assert!(find(gsi_top()).is_none() && find(u32::MAX).is_none());
}

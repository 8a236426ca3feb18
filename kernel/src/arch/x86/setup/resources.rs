//! What the machine has where, as far as the memory map and the image tell: entries of `/proc/iomem` and `/proc/ioports`.

use core::ops::RangeInclusive;

use incipit_lib::e820::{E820Entry, E820Type};
use incipit_lib::resource::gaps;

use super::e820;
use crate::mm::sections::{self, Section};
use crate::mm::slab::KVec;
use crate::prelude::*;
use crate::resource::{Kind, insert, with_list};

const MIB: u64 = 1 << 20;

/// What is behind these ports on every PC.
const STANDARD_IO_RESOURCES: [(RangeInclusive<u64>, &str); 10] = [
    (0x00..=0x1f, "dma1"),
    (0x20..=0x21, "pic1"),
    (0x40..=0x43, "timer0"),
    (0x50..=0x53, "timer1"),
    (0x60..=0x60, "keyboard"),
    (0x64..=0x64, "keyboard"),
    (0x80..=0x8f, "dma page reg"),
    (0xa0..=0xa1, "pic2"),
    (0xc0..=0xdf, "dma2"),
    (0xf0..=0xff, "fpu"),
];

/// Enters what the memory map has, but what it calls reserved above the first MiB: there devices may say more exactly what is theirs. Enters the image's parts, too:
/// Linux's `e820__reserve_resources` and the part of its `setup_arch` that does so for the kernel.
#[stage(after(super::setup_arch), before(crate::init::command_line::setup_command_line))]
#[init]
fn e820_reserve_resources() {
    e820::with_table(|table| {
        let entries = table.entries().iter();
        entries.filter(|entry| is_certain(entry)).for_each(|entry| describe(entry, true));
    });
    let parts = [
        (sections::text(), "Kernel code"),
        (sections::rodata(), "Kernel rodata"),
        (sections::data(), "Kernel data"),
        (sections::bss(), "Kernel bss"),
    ];
    for (section, name) in parts {
        describe_section(section, name);
    }
}

/// Enters the ports that each PC has: Linux's function of the same name.
#[stage(after(e820_reserve_resources), before(crate::init::command_line::setup_command_line))]
#[init]
fn reserve_standard_io_resources() {
    for (ports, name) in STANDARD_IO_RESOURCES {
        insert(Kind::Io, ports, name, true);
    }
}

/// Says where devices that the firmware did not place can go: Linux's `e820__setup_pci_gap`.
#[stage(after(e820_reserve_resources), before(crate::init::command_line::setup_command_line))]
#[init]
fn e820_setup_pci_gap() {
    let gap = e820::with_table(|table| table.pci_gap(super::max_pfn()));
    if !gap.found {
        pr_err!("Cannot find an available gap in the 32-bit address range");
        pr_err!("PCI devices with unassigned 32-bit BARs may not work!");
    }
    pr_info!(
        "[mem {:#010x}-{:#010x}] available for PCI devices",
        gap.start,
        gap.start + gap.size - 1
    );
}

/// Enters what is reserved, when devices have had their turn, and keeps them from what lies right behind RAM, where firmware may have put something of its own without a
/// word: Linux's `e820__reserve_resources_late`.
///
/// # Errors
///
/// None: what cannot be entered is logged.
#[initcall(subsys)]
#[init]
fn e820_reserve_resources_late() -> Result<(), Errno> {
    e820::with_table(|table| {
        let entries = table.entries().iter();
        entries.filter(|entry| !is_certain(entry)).for_each(|entry| describe(entry, false));
        for ram in table.entries().iter().filter(|entry| entry.kind == E820Type::RAM) {
            reserve_buffer(ram);
        }
    });
    Ok(())
}

/// Whether nobody else has anything to say about the range: Linux's `do_mark_busy`.
#[init]
fn is_certain(entry: &E820Entry) -> bool {
    let by_devices = [E820Type::RESERVED, E820Type::SOFT_RESERVED, E820Type::PRAM, E820Type::PMEM];
    entry.addr < MIB || !by_devices.contains(&entry.kind)
}

#[init]
fn describe(entry: &E820Entry, busy: bool) {
    if entry.size != 0 {
        let last = entry.addr.saturating_add(entry.size - 1);
        insert(Kind::Mem, entry.addr..=last, entry.kind.resource_name(), busy);
    }
}

#[init]
fn describe_section(section: Section, name: &'static str) {
    if !section.is_empty() {
        let start = section.phys();
        insert(Kind::Mem, start..=start + section.len() as u64 - 1, name, true);
    }
}

/// Enters what is free between the end of `ram` and the next border where RAM may end.
#[init]
fn reserve_buffer(ram: &E820Entry) {
    let Some(start) = ram.end().filter(|&end| end != 0) else { return };
    let Some(end) = start.checked_next_multiple_of(ram_alignment(start)).filter(|&end| end > start) else {
        return;
    };
    pr_debug!("e820: reserve RAM buffer [mem {start:#010x}-{:#010x}]", end - 1);
    let Ok(free) = with_list(Kind::Mem, |list| KVec::collect(gaps(list, start..=end - 1))) else {
        return pr_warn!("e820: no memory to reserve the RAM buffer");
    };
    for gap in free {
        insert(Kind::Mem, gap, "RAM buffer", false);
    }
}

/// To how much the end of RAM is rounded up that lies at `address`: Linux's `ram_alignment`.
#[init]
fn ram_alignment(address: u64) -> u64 {
    match address / MIB {
        0 => 64 << 10,
        1..16 => MIB,
        _ => 64 * MIB,
    }
}

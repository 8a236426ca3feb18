//! Configuration spaces that no emulator has, walked by the real walk.
#![cfg(CONFIG_KUNIT)]

use core::cell::Cell;

use arrayvec::ArrayVec;
use pci_types::{ConfigRegionAccess, PciAddress};

use super::direct::Conf1;
use super::quirks::EARLY_QUIRKS;
use super::scan::{Function, each_function};
use crate::prelude::*;

/// What is at an address, by its bus, slot and function.
type Devices = fn(u8, u8, u8) -> Option<Device>;

#[derive(Clone, Copy)]
struct Device {
    vendor: u16,
    device: u16,
    class: u16,
    multiple: bool,
    /// The bus behind a bridge.
    behind: Option<u8>,
}

const PLAIN: Device = Device {
    vendor: 0x1af4,
    device: 0x1000,
    class: 0x0200,
    multiple: false,
    behind: None,
};

const fn bridge(behind: u8) -> Device {
    Device {
        class: 0x0604,
        behind: Some(behind),
        ..PLAIN
    }
}

/// A machine of devices, which counts how often it is asked.
struct Fake(Devices, Cell<usize>);

impl ConfigRegionAccess for Fake {
    // SAFETY: asks nothing of the caller: there is no machine behind it.
    unsafe fn read(&self, address: PciAddress, offset: u16) -> u32 {
        self.1.set(self.1.get() + 1);
        let Some(device) = (self.0)(address.bus(), address.device(), address.function()) else {
            return !0;
        };
        match offset {
            0x00 => u32::from(device.device) << 16 | u32::from(device.vendor),
            0x08 => u32::from(device.class) << 16,
            0x0c => u32::from(device.multiple) << 23 | u32::from(device.behind.is_some()) << 16,
            0x18 => u32::from(device.behind.unwrap_or(0)) << 8,
            _ => 0,
        }
    }

    // SAFETY: asks nothing of the caller, and gives nothing back.
    unsafe fn write(&self, address: PciAddress, offset: u16, value: u32) {
        panic!("{value:#x} written to {address} at {offset:#x}");
    }
}

/// The first functions that the walk finds, and how many reads it took.
fn found(devices: Devices) -> (ArrayVec<(u8, u8, u8), 300>, usize) {
    let fake = Fake(devices, Cell::new(0));
    let mut found = ArrayVec::new();
    let result = each_function(&fake, |function| {
        let at = function.address;
        found.try_push((at.bus(), at.device(), at.function()))
    });
    assert!(result.is_ok(), "more functions than there are");
    (found, fake.1.get())
}

#[ktest]
fn functions_are_looked_for_where_there_may_be_some() {
    let (all, _) = found(|bus, slot, function| match (bus, slot, function) {
        (0, 3, 0 | 1 | 3) => Some(Device { multiple: true, ..PLAIN }),
        (0, 4, 0 | 1) | (0, 5, 1) | (1, 0, 0) => Some(PLAIN),
        _ => None,
    });
    // The second function of slot 4 is not announced, that of slot 5 has no first, and no bridge leads to bus 1. Linux, too, stops at the first that is missing.
    assert_eq!(all.as_slice(), [(0, 3, 0), (0, 3, 1), (0, 4, 0)]);
}

#[ktest]
fn bridges_that_lead_in_circles_are_walked_once() {
    let (all, reads) = found(|bus, slot, function| match (bus, slot, function) {
        (0, 0, 0) => Some(bridge(2)),
        (0, 1, 0) => Some(bridge(0)),
        (2, 0, 0) => Some(bridge(5)),
        (2, 1, 0) => Some(bridge(5)),
        (2, 2, 0) => Some(bridge(1)),
        (5, 0, 0) => Some(bridge(5)),
        _ => None,
    });
    assert_eq!(all.as_slice(), [(0, 0, 0), (0, 1, 0), (2, 0, 0), (2, 1, 0), (2, 2, 0), (5, 0, 0)]);
    assert!(reads < 3 * 32 * 8, "{reads} reads");
}

#[ktest]
fn a_bridge_to_every_bus_on_every_bus_is_256_buses() {
    let (all, _) = found(|bus, slot, function| (slot == 0 && function == 0).then(|| bridge(bus.wrapping_add(1))));
    assert_eq!(all.len(), 256);
}

#[ktest]
fn a_quirk_concerns_the_device_that_it_names() {
    let bay_trail = |bus, slot, function| match (bus, slot, function) {
        (0, 0, 0) => Some(Device {
            vendor: 0x8086,
            device: 0x0f00,
            class: 0x0600,
            ..PLAIN
        }),
        (0, 1, 0) => Some(Device {
            vendor: 0x8086,
            device: 0x0f00,
            ..PLAIN
        }),
        (0, 2, 0) => Some(Device {
            vendor: 0x8086,
            class: 0x0600,
            ..PLAIN
        }),
        (0, 3, 0) => Some(Device {
            device: 0x0f00,
            class: 0x0600,
            ..PLAIN
        }),
        _ => None,
    };
    let fake = Fake(bay_trail, Cell::new(0));
    for slot in 0..4 {
        let function = Function::read(&fake, PciAddress::new(0, 0, slot, 0)).expect("a device");
        assert_eq!(EARLY_QUIRKS.iter().any(|quirk| quirk.concerns(&function)), slot == 0, "slot {slot}");
    }
}

#[ktest]
fn the_ports_read_the_same_each_time() {
    let Some(access) = Conf1::find() else { return };
    let first = Function::read(&access, PciAddress::new(0, 0, 0, 0)).map(|function| (function.vendor, function.device));
    let again = Function::read(&access, PciAddress::new(0, 0, 0, 0)).map(|function| (function.vendor, function.device));
    assert!(first.is_some() && first == again);
}

//! Tests with a device that can be asked for interrupts one at a time: the serial port.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use x86::io::{inb, outb};

use super::desc::Status;
use super::{Flow, IrqFlagsSet, IrqReturn, desc, options, request_irq};
use crate::prelude::*;

/// How many interrupts of the port are counted.
#[param(name = "rings", module = "irq_test")]
static RINGS: AtomicU32 = AtomicU32::new(2000);

/// The first serial port, and the line that it has on every PC.
const COM1: u16 = 0x3f8;
const COM1_IRQ: u32 = 4;
const INTERRUPT_ENABLE: u16 = COM1 + 1;
const INTERRUPT_IDENTITY: u16 = COM1 + 2;
const MODEM_CONTROL: u16 = COM1 + 4;
const LINE_STATUS: u16 = COM1 + 5;
/// In the modem control register: lets the line through on a PC.
const OUT2: u8 = 1 << 3;
/// In the interrupt enable register: when there is room to send.
const ROOM: u8 = 1 << 1;
/// In the line status register: all has been sent.
const EMPTY: u8 = 1 << 6;

/// Lets the port interrupt once for having nothing to send, `count` times. `false` without a port.
fn ring(count: u32, mut after: impl FnMut()) -> bool {
    // SAFETY: the port's user neither receives nor uses interrupts, and finds it as it was.
    unsafe {
        if inb(LINE_STATUS) == 0xff {
            return false;
        }
        let (enabled, control) = (inb(INTERRUPT_ENABLE), inb(MODEM_CONTROL));
        outb(MODEM_CONTROL, control | OUT2);
        for _ in 0..count {
            while inb(LINE_STATUS) & EMPTY == 0 {
                core::hint::spin_loop();
            }
            outb(INTERRUPT_ENABLE, ROOM);
            after();
            outb(INTERRUPT_ENABLE, 0);
        }
        outb(MODEM_CONTROL, control);
        outb(INTERRUPT_ENABLE, enabled);
    }
    true
}

#[ktest]
fn each_interrupt_of_a_device_is_handled_once() {
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    let rings = RINGS.load(Relaxed);
    let handle = &|_| {
        // SAFETY: reading says that the cause has been seen.
        if unsafe { inb(INTERRUPT_IDENTITY) } & 1 != 0 {
            return IrqReturn::None;
        }
        HANDLED.fetch_add(1, Relaxed);
        IrqReturn::Handled
    };
    let Ok(action) = request_irq(COM1_IRQ, handle, IrqFlagsSet::empty(), "test") else {
        // Without controllers of devices' lines.
        assert!(!crate::arch::x86::i8259::is_present());
        return;
    };
    let mut rung = 0;
    let there = ring(rings, || {
        rung += 1;
        // An interrupt takes a moment to arrive; one that is lost never does.
        let arrived = (0..100_000_000).any(|_| {
            core::hint::spin_loop();
            HANDLED.load(Relaxed) >= rung
        });
        assert!(arrived, "interrupt {rung} is lost");
    });
    drop(action);
    // A line of the log that is written meanwhile leaves the port with nothing to send once more. With a port of its own, the test of CPUs that go counts exactly.
    let more = HANDLED.load(Relaxed).checked_sub(if there { rings } else { 0 });
    assert!(more.is_some_and(|more| more <= rings / 100), "{more:?} of {rings}");
}

/// A line of ISA that nobody has on a PC of today.
const ELSEWHERE: u32 = 5;
/// How often the port is heard, with `irqpoll`, by who has asked for another line.
const HEARD: u32 = 1000;

#[ktest]
fn a_level_that_nobody_serves_is_shut_off_unless_another_lines_handler_is_asked() {
    static SERVED: AtomicU32 = AtomicU32::new(0);
    static DONE: AtomicBool = AtomicBool::new(false);
    let deaf = &|_| IrqReturn::None;
    // Serves the port, but was told a wrong line. Asking once more for what the port has to say lets it signal again.
    let misrouted = &|_| {
        if SERVED.load(Relaxed) == HEARD {
            DONE.store(true, Relaxed);
        }
        // SAFETY: the port's user neither receives nor uses interrupts; reading says that the cause has been seen.
        unsafe {
            if DONE.load(Relaxed) || inb(INTERRUPT_IDENTITY) & 1 != 0 {
                outb(INTERRUPT_ENABLE, 0);
                return IrqReturn::None;
            }
            outb(INTERRUPT_ENABLE, 0);
            outb(INTERRUPT_ENABLE, ROOM);
        }
        SERVED.fetch_add(1, Relaxed);
        IrqReturn::Handled
    };
    let Ok(action) = request_irq(COM1_IRQ, deaf, IrqFlagsSet::TRIGGER_HIGH, "deaf") else {
        return;
    };
    let Some(line) = desc(COM1_IRQ) else { return };
    let by_level = matches!(line.lock().flow, Flow::FastEoi | Flow::Level);
    let server = request_irq(ELSEWHERE, misrouted, IrqFlagsSet::SHARED, "misrouted");
    let before = line.total();
    let is_shut_off = || line.lock().status.contains(Status::SPURIOUS_DISABLED);
    let polls = options::IRQFIXUP.load(Relaxed) != 0;
    // An ISA line that signals by edges makes no storm.
    let there = by_level
        && ring(1, || {
            let over = || is_shut_off() || DONE.load(Relaxed);
            assert!((0..1_000_000_000_u64).any(|_| over()), "the storm goes on");
        });
    if there {
        assert_eq!(is_shut_off(), !polls);
        assert_eq!(SERVED.load(Relaxed), if polls { HEARD } else { 0 });
        assert!(polls || line.total() - before >= 100_000);
    }
    drop((server, action));
    // Whoever asks next has the line as it always was.
    let again = request_irq(COM1_IRQ, deaf, IrqFlagsSet::TRIGGER_RISING, "test");
    drop(again);
}

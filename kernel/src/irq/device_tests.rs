//! Tests with a device that can be asked for interrupts one at a time: the serial port.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use super::desc::Status;
use super::test_port::COM1;
use super::{Flow, IrqFlagsSet, IrqReturn, desc, options, request_irq};
use crate::prelude::*;

/// How many interrupts of the port are counted.
#[param(name = "rings", module = "irq_test")]
static RINGS: AtomicU32 = AtomicU32::new(2000);

/// Lets the port interrupt once for having nothing to send, `count` times. `false` without a port.
fn ring(count: u32, mut after: impl FnMut()) -> bool {
    if !COM1.is_there() {
        return false;
    }
    let before = COM1.connect();
    for _ in 0..count {
        COM1.wait_until_empty();
        COM1.ask();
        after();
        COM1.hush();
    }
    COM1.restore(before);
    true
}

#[ktest]
fn each_interrupt_of_a_device_is_handled_once() {
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    let rings = RINGS.load(Relaxed);
    let handle = &|_| {
        if !COM1.has_cause() {
            return IrqReturn::None;
        }
        HANDLED.fetch_add(1, Relaxed);
        IrqReturn::Handled
    };
    let Ok(action) = request_irq(COM1.irq(), handle, IrqFlagsSet::empty(), "test") else {
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
        if DONE.load(Relaxed) || !COM1.has_cause() {
            COM1.hush();
            return IrqReturn::None;
        }
        COM1.ask();
        SERVED.fetch_add(1, Relaxed);
        IrqReturn::Handled
    };
    let Ok(action) = request_irq(COM1.irq(), deaf, IrqFlagsSet::TRIGGER_HIGH, "deaf") else {
        return;
    };
    let Some(line) = desc(COM1.irq()) else { return };
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
    let again = request_irq(COM1.irq(), deaf, IrqFlagsSet::TRIGGER_RISING, "test");
    drop(again);
}

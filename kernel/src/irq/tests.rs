//! Tests with a line of no device.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::{
    Flow, IrqChip, IrqData, IrqDesc, IrqFlagsSet, IrqGuard, IrqReturn, disable_irq, enable_irq, ensure, handle_irq, irqs_disabled,
    request_irq,
};
use crate::prelude::*;

/// Numbers that no line of a machine has in tests.
const FIRST: u32 = 3000;

/// A controller that counts what it is told.
struct Counting {
    masked: AtomicU32,
    unmasked: AtomicU32,
    acknowledged: AtomicU32,
    done: AtomicU32,
    retriggered: AtomicU32,
}

impl Counting {
    const fn new() -> Self {
        Counting {
            masked: AtomicU32::new(0),
            unmasked: AtomicU32::new(0),
            acknowledged: AtomicU32::new(0),
            done: AtomicU32::new(0),
            retriggered: AtomicU32::new(0),
        }
    }

    /// Masked, unmasked, acknowledged, done.
    fn told(&self) -> [u32; 4] {
        [&self.masked, &self.unmasked, &self.acknowledged, &self.done].map(|count| count.swap(0, Relaxed))
    }
}

impl IrqChip for Counting {
    fn name(&self) -> &'static str {
        "TEST"
    }

    fn mask(&self, _: &IrqData) {
        self.masked.fetch_add(1, Relaxed);
    }

    fn unmask(&self, _: &IrqData) {
        self.unmasked.fetch_add(1, Relaxed);
    }

    fn ack(&self, _: &IrqData) {
        self.acknowledged.fetch_add(1, Relaxed);
    }

    fn eoi(&self, _: &IrqData) {
        self.done.fetch_add(1, Relaxed);
    }

    fn retrigger(&self, _: &IrqData) -> bool {
        self.retriggered.fetch_add(1, Relaxed);
        true
    }
}

/// The line `FIRST + number`, at `chip`.
fn line(number: u32, chip: &'static Counting, flow: Flow) -> Option<&'static IrqDesc> {
    let desc = ensure(FIRST + number).ok()?;
    desc.install(chip, flow, 0, number);
    Some(desc)
}

/// The line comes, as the architecture says it.
fn raise(desc: &IrqDesc) {
    let _interrupts_off = IrqGuard::new();
    crate::softirq::irq_enter();
    handle_irq(desc);
    crate::softirq::irq_exit();
}

#[ktest]
fn each_kind_of_line_tells_its_controller_what_it_wants_to_hear() {
    static CHIP: Counting = Counting::new();
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    fn handle(_: u32) -> IrqReturn {
        assert!(irqs_disabled() && crate::preempt::in_interrupt());
        HANDLED.fetch_add(1, Relaxed);
        IrqReturn::Handled
    }
    // Masked, unmasked, acknowledged, done.
    for (flow, told) in [
        (Flow::Edge, [0, 0, 1, 0]),
        (Flow::Level, [1, 1, 1, 0]),
        (Flow::FastEoi, [0, 0, 0, 1]),
        (Flow::PerCpu, [0, 0, 1, 1]),
        (Flow::Simple, [0, 0, 0, 0]),
    ] {
        let Some(desc) = line(0, &CHIP, flow) else { return };
        let action = request_irq(desc.irq(), &handle, IrqFlagsSet::empty(), "test");
        assert!(action.is_ok());
        CHIP.told();
        let before = (HANDLED.load(Relaxed), desc.total());
        raise(desc);
        assert_eq!((HANDLED.load(Relaxed), desc.total()), (before.0 + 1, before.1 + 1));
        assert_eq!(CHIP.told(), told, "{flow:?}");
    }
}

#[ktest]
fn who_drops_a_line_hears_of_it_no_more() {
    static CHIP: Counting = Counting::new();
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    let Some(desc) = line(1, &CHIP, Flow::Edge) else { return };
    let handle = &|_| {
        HANDLED.fetch_add(1, Relaxed);
        IrqReturn::Handled
    };
    let action = request_irq(desc.irq(), handle, IrqFlagsSet::empty(), "test");
    raise(desc);
    drop(action);
    raise(desc);
    assert_eq!(HANDLED.load(Relaxed), 1);
    // It can be had again.
    assert!(request_irq(desc.irq(), handle, IrqFlagsSet::empty(), "test").is_ok());
}

#[ktest]
fn only_those_share_a_line_who_say_so() {
    static CHIP: Counting = Counting::new();
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    let Some(desc) = line(2, &CHIP, Flow::Level) else { return };
    let irq = desc.irq();
    let count = &|_| {
        HANDLED.fetch_add(1, Relaxed);
        IrqReturn::None
    };
    let shared = IrqFlagsSet::SHARED;
    let first = request_irq(irq, count, shared, "first");
    let second = request_irq(irq, count, shared, "second");
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(request_irq(irq, count, IrqFlagsSet::empty(), "third").err(), Some(Errno::EBUSY));
    let other_kind = shared.union(IrqFlagsSet::TRIGGER_LOW);
    assert_eq!(request_irq(irq, count, other_kind, "fourth").err(), Some(Errno::EBUSY));
    raise(desc);
    assert_eq!(HANDLED.swap(0, Relaxed), 2);
    drop(first);
    raise(desc);
    assert_eq!(HANDLED.swap(0, Relaxed), 1);
}

#[ktest]
fn there_is_no_handling_a_line_that_is_not_there() {
    let handle = &|_| IrqReturn::Handled;
    for (irq, error) in [(u32::MAX, Errno::EINVAL), (super::NR_IRQS, Errno::EINVAL), (2, Errno::ENOSYS)] {
        assert_eq!(request_irq(irq, handle, IrqFlagsSet::empty(), "test").err(), Some(error), "{irq}");
    }
}

#[ktest]
fn what_comes_while_a_line_is_disabled_is_handled_afterwards() {
    static CHIP: Counting = Counting::new();
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    let Some(desc) = line(3, &CHIP, Flow::Edge) else { return };
    let irq = desc.irq();
    let handle = &|_| {
        HANDLED.fetch_add(1, Relaxed);
        IrqReturn::Handled
    };
    let action = request_irq(irq, handle, IrqFlagsSet::empty(), "test");
    disable_irq(irq);
    disable_irq(irq);
    CHIP.told();
    raise(desc);
    assert_eq!(CHIP.told(), [1, 0, 1, 0], "masked when it comes, not before");
    enable_irq(irq);
    assert_eq!((HANDLED.load(Relaxed), CHIP.told()), (0, [0; 4]), "disabled twice");
    enable_irq(irq);
    assert_eq!((CHIP.told()[1], CHIP.retriggered.load(Relaxed)), (1, 1));
    raise(desc);
    assert_eq!(HANDLED.load(Relaxed), 1);
    drop(action);
}

#[ktest]
fn an_edge_in_the_middle_of_its_handler_is_handled_once_more() {
    static CHIP: Counting = Counting::new();
    static HANDLED: AtomicU32 = AtomicU32::new(0);
    let Some(desc) = line(4, &CHIP, Flow::Edge) else { return };
    let handle = &|irq| {
        if HANDLED.fetch_add(1, Relaxed) == 0
            && let Some(desc) = super::desc(irq)
        {
            handle_irq(desc);
        }
        IrqReturn::Handled
    };
    let action = request_irq(desc.irq(), handle, IrqFlagsSet::empty(), "test");
    CHIP.told();
    raise(desc);
    assert_eq!((HANDLED.load(Relaxed), CHIP.told()), (2, [1, 1, 2, 0]));
    drop(action);
}

#[ktest]
fn a_line_that_nobody_cares_for_is_shut_off() {
    static CHIP: Counting = Counting::new();
    let Some(desc) = line(5, &CHIP, Flow::Level) else { return };
    let action = request_irq(desc.irq(), &|_| IrqReturn::None, IrqFlagsSet::empty(), "deaf");
    CHIP.told();
    // One pause of the host in the middle of it lets the count begin anew.
    let stopped = (0..1_000_000).any(|_| {
        raise(desc);
        let [masked, unmasked, ..] = CHIP.told();
        (masked, unmasked) == (1, 0)
    });
    assert!(stopped);
    enable_irq(desc.irq());
    assert_eq!(CHIP.told(), [0; 4], "it stays off");
    drop(action);
    // Who asks for it next has it afresh.
    let action = request_irq(desc.irq(), &|_| IrqReturn::Handled, IrqFlagsSet::empty(), "test");
    CHIP.told();
    raise(desc);
    assert_eq!(CHIP.told(), [1, 1, 1, 0]);
    drop(action);
}

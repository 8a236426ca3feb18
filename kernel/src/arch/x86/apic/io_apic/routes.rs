//! Which input each of ISA's lines is at, as firmware says it.

use incipit_lib::acpi::InterruptFlags;

use super::find;
use crate::irq::{NR_IRQS, NR_IRQS_LEGACY, Trigger};
use crate::locking::IrqSpinLock;
use crate::prelude::*;

/// The line that the second 8259 is at, and no device.
const CASCADE: u32 = 2;

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) gsi: u32,
    pub(super) trigger: Trigger,
    /// Firmware has said so.
    said: bool,
}

/// The routes by line; nothing for a line that is at no input.
struct Routes([Option<Route>; NR_IRQS_LEGACY as usize]);

static ROUTES: IrqSpinLock<Routes> = IrqSpinLock::new(Routes::straight());

impl Routes {
    /// Each line is at the input with its own number, as on ISA.
    const fn straight() -> Self {
        let mut routes = [None; NR_IRQS_LEGACY as usize];
        let mut irq = 0;
        while irq < NR_IRQS_LEGACY {
            routes[irq as usize] = Some(Route {
                gsi: irq,
                trigger: Trigger::EdgeRising,
                said: false,
            });
            irq += 1;
        }
        routes[CASCADE as usize] = None;
        Routes(routes)
    }

    fn set(&mut self, irq: u8, gsi: u32, trigger: Trigger) -> bool {
        let route = Some(Route { gsi, trigger, said: true });
        self.0.get_mut(usize::from(irq)).map(|slot| *slot = route).is_some()
    }

    /// Takes those out that are at no input of a controller, or at another line's, and tells each that firmware had named.
    fn check(&mut self, exists: impl Fn(u32) -> bool, mut tell: impl FnMut(u32, Route, Option<u32>)) {
        for irq in 0..NR_IRQS_LEGACY {
            let Some(route) = self.0[irq as usize] else { continue };
            let rival = self.owner(route.gsi).filter(|&owner| owner != irq);
            if exists(route.gsi) && rival.is_none() {
                continue;
            }
            self.0[irq as usize] = None;
            if route.said {
                tell(irq, route, rival);
            }
        }
    }

    /// The line at an input: what firmware has said comes first, then the lower number.
    fn owner(&self, gsi: u32) -> Option<u32> {
        let at = |said| {
            (0..)
                .zip(&self.0)
                .find(move |(_, route)| route.is_some_and(|route| route.gsi == gsi && route.said == said))
        };
        at(true).or_else(|| at(false)).map(|(irq, _)| irq)
    }
}

/// What a line signals by: as the flags say, or as on ISA.
fn trigger_of(flags: InterruptFlags) -> Trigger {
    match (flags.trigger() == "level", flags.polarity() == "low") {
        (true, true) => Trigger::LevelLow,
        (true, false) => Trigger::LevelHigh,
        (false, true) => Trigger::EdgeFalling,
        (false, false) => Trigger::EdgeRising,
    }
}

/// Notes that firmware has ISA's line `irq` at input `gsi`.
#[init]
pub fn route_isa(irq: u8, gsi: u32, flags: InterruptFlags) {
    if !ROUTES.lock().set(irq, gsi, trigger_of(flags)) {
        pr_warn!("IOAPIC: IRQ {irq} is none of ISA's: what firmware says of it is ignored");
    }
}

/// Drops what cannot be, with a line for each that firmware has said.
#[init]
pub(super) fn check() {
    let exists = |gsi| find(gsi).is_some();
    ROUTES.lock().check(exists, |irq, route, rival| match rival {
        Some(rival) => pr_warn!("IOAPIC: GSI {} is IRQ {rival}'s already, and IRQ {irq} is ignored", route.gsi),
        None => pr_err!("ERROR: Unable to locate IOAPIC for GSI {}, and IRQ {irq} is ignored", route.gsi),
    });
}

/// Where one of ISA's lines is.
pub(super) fn of_isa(irq: u32) -> Option<Route> {
    *ROUTES.lock().0.get(irq as usize)?
}

/// The number of the line at an input: ISA's for those that ISA's lines are at, otherwise the input's own. `None` for an input that there is not, or whose number is taken by one of
/// ISA's lines elsewhere.
#[must_use]
pub fn gsi_to_irq(gsi: u32) -> Option<u32> {
    let _exists = find(gsi)?;
    let owner = ROUTES.lock().owner(gsi);
    owner.or_else(|| (NR_IRQS_LEGACY..NR_IRQS).contains(&gsi).then_some(gsi))
}

#[ktest]
fn lines_are_where_firmware_says_and_nowhere_twice() {
    let mut routes = Routes::straight();
    assert!(routes.set(0, 2, Trigger::EdgeRising) && routes.set(5, 99, Trigger::LevelLow) && routes.set(7, 9, Trigger::LevelLow));
    assert!(routes.set(10, 9, Trigger::LevelLow) && !routes.set(16, 3, Trigger::LevelLow));
    let mut told = [None; 4];
    let mut next = 0;
    routes.check(
        |gsi| gsi < 24,
        |irq, route, rival| {
            told[next] = Some((irq, route.gsi, rival));
            next += 1;
        },
    );
    assert_eq!(told, [Some((5, 99, None)), Some((10, 9, Some(7))), None, None]);
    // IRQ 9 would have been at the input with its number, which firmware has given to another.
    let at = |irq: usize| routes.0[irq].map(|route| route.gsi);
    assert_eq!(
        [0, 2, 5, 7, 9, 10, 11].map(at),
        [Some(2), None, None, Some(9), None, None, Some(11)]
    );
    assert_eq!([2, 9, 11, 99].map(|gsi| routes.owner(gsi)), [Some(0), Some(7), Some(11), None]);
}

#[ktest]
fn flags_say_what_a_line_signals_by() {
    assert_eq!(
        [0x0, 0x5, 0x7, 0xd, 0xf].map(|flags| trigger_of(InterruptFlags(flags))),
        [
            Trigger::EdgeRising,
            Trigger::EdgeRising,
            Trigger::EdgeFalling,
            Trigger::LevelHigh,
            Trigger::LevelLow
        ]
    );
}

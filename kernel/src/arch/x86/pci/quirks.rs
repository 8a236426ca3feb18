//! Flaws of chips that the boot must know of before drivers come: a registry, and those that concern what the kernel has.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use linkme::distributed_slice;

use super::scan::Function;
use crate::prelude::*;

/// A flaw of some devices, and what is done about it: Linux's `chipset`. What is `None` is true of any device.
pub struct Quirk {
    /// Who made the device.
    pub vendor: Option<u16>,
    /// Which of the vendor's devices it is.
    pub device: Option<u16>,
    /// Class and subclass.
    pub class: Option<u16>,
    /// Done once, however many such devices there are.
    pub once: bool,
    /// What is done.
    pub apply: fn(&Function),
}

/// All quirks. A crate that knows of one declares it here.
#[distributed_slice]
pub static EARLY_QUIRKS: [Quirk];

impl Quirk {
    /// Whether a function has the flaw.
    #[must_use]
    pub fn concerns(&self, function: &Function) -> bool {
        let fits = |wanted: Option<u16>, found| wanted.is_none_or(|wanted| wanted == found);
        fits(self.vendor, function.vendor) && fits(self.device, function.device) && fits(self.class, function.class)
    }
}

const INTEL: u16 = 0x8086;
const CLASS_BRIDGE_HOST: u16 = 0x0600;

static HPET_DISABLED: AtomicBool = AtomicBool::new(false);

/// Whether the high precision event timer is not to be used, because the chip's stops in deep idle states: Linux's `boot_hpet_disable`.
#[must_use]
pub fn boot_hpet_disabled() -> bool {
    HPET_DISABLED.load(Relaxed)
}

macro_rules! unreliable_hpet {
    ($($(#[$doc:meta])* $constant:ident = $device:literal;)*) => {$(
        $(#[$doc])*
        #[distributed_slice(EARLY_QUIRKS)]
        static $constant: Quirk = Quirk {
            vendor: Some(INTEL),
            device: Some($device),
            class: Some(CLASS_BRIDGE_HOST),
            once: true,
            apply: force_disable_hpet,
        };
    )*};
}

unreliable_hpet! {
    /// Bay Trail.
    BAY_TRAIL = 0x0f00;
    /// Coffee Lake, mobile.
    COFFEE_LAKE_MOBILE = 0x3e20;
    /// Coffee Lake, with six cores.
    COFFEE_LAKE_SIX_CORES = 0x3ec4;
}

fn force_disable_hpet(_: &Function) {
    HPET_DISABLED.store(true, Relaxed);
    pr_info!("x86/hpet: Will disable the HPET for this platform because it's not reliable");
}

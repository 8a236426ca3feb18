//! The pause that old devices need between two accesses to their ports: `io_delay=`, and accesses that pause (Linux's `outb_p`).

use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use x86::io::outb;

use crate::prelude::*;
use crate::time::delay::udelay;

/// How to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum IoDelay {
    /// A write to the port of the self-test's codes, which takes the bus a microsecond.
    Port80 = 0,
    /// The same to a port that is free, for machines on which something answers at the former.
    PortEd = 1,
    /// Two microseconds by the clock.
    Udelay = 2,
    /// Not at all.
    None = 3,
}

/// Microseconds of [`IoDelay::Udelay`].
const DELAY_US: u64 = 2;

static TYPE: AtomicU8 = AtomicU8::new(DEFAULT as u8);
/// Whether the command line has said how, and is not to be overruled by what is known of a machine.
static CHOSEN: AtomicBool = AtomicBool::new(false);

const DEFAULT: IoDelay = if cfg!(CONFIG_IO_DELAY_0XED) {
    IoDelay::PortEd
} else if cfg!(CONFIG_IO_DELAY_UDELAY) {
    IoDelay::Udelay
} else if cfg!(CONFIG_IO_DELAY_NONE) {
    IoDelay::None
} else {
    IoDelay::Port80
};

impl IoDelay {
    fn now() -> Self {
        [Self::Port80, Self::PortEd, Self::Udelay]
            .into_iter()
            .find(|kind| *kind as u8 == TYPE.load(Relaxed))
            .unwrap_or(Self::None)
    }

    #[init]
    fn parse(value: &str) -> Option<Self> {
        match value {
            "0x80" => Some(Self::Port80),
            "0xed" => Some(Self::PortEd),
            "udelay" => Some(Self::Udelay),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// `io_delay=0x80|0xed|udelay|none`: how the kernel pauses between accesses to ports of old devices: by a write to port 0x80 or 0xed, by waiting two
/// microseconds, or not.
#[early_param("io_delay")]
#[init]
fn io_delay_param(value: Option<&'static str>) -> Result<(), Errno> {
    let Some(kind) = value.and_then(IoDelay::parse) else {
        pr_err!("io_delay: '{}' is none of 0x80, 0xed, udelay, none", value.unwrap_or_default());
        return Err(Errno::EINVAL);
    };
    TYPE.store(kind as u8, Relaxed);
    CHOSEN.store(true, Relaxed);
    Ok(())
}

/// Pauses no more: a hypervisor says that nothing here needs it.
pub fn set_unneeded() {
    TYPE.store(IoDelay::None as u8, Relaxed);
}

/// Machines on which something answers at port 0x80, and the boot may hang there: Linux's list.
#[cfg(CONFIG_DMI)]
mod machines {
    use core::sync::atomic::Ordering::Relaxed;

    use incipit_lib::dmi::Field;
    use linkme::distributed_slice;

    use super::{CHOSEN, IoDelay, TYPE};
    use crate::dmi::{DMI_QUIRKS, Quirk};
    use crate::prelude::*;

    macro_rules! machines {
        ($($constant:ident: $ident:literal, $board:literal;)*) => {$(
            #[distributed_slice(DMI_QUIRKS)]
            static $constant: Quirk = Quirk {
                ident: $ident,
                matches: &[(Field::BoardVendor, "Quanta"), (Field::BoardName, $board)],
                apply: use_0xed,
            };
        )*};
    }

    machines! {
        PRESARIO_V6000: "Compaq Presario V6000", "30B7";
        PAVILION_DV9000Z: "HP Pavilion dv9000z", "30B9";
        PAVILION_DV6000: "HP Pavilion dv6000", "30B8";
        PAVILION_TX1000: "HP Pavilion tx1000", "30BF";
        PRESARIO_F700: "Presario F700", "30D3";
    }

    fn use_0xed() {
        if !CHOSEN.load(Relaxed) && IoDelay::now() == IoDelay::Port80 {
            pr_notice!("io_delay: using 0xed I/O delay port");
            TYPE.store(IoDelay::PortEd as u8, Relaxed);
        }
    }
}

/// Pauses as `io_delay=` says: Linux's `native_io_delay`.
pub fn io_delay() {
    match IoDelay::now() {
        // SAFETY: the port shows codes of the firmware's self-test, which is over; nothing else listens there.
        IoDelay::Port80 => unsafe { outb(0x80, 0) },
        // SAFETY: nothing is at the port, on a machine that somebody chose it for.
        IoDelay::PortEd => unsafe { outb(0xed, 0) },
        IoDelay::Udelay => udelay(DELAY_US),
        IoDelay::None => {}
    }
}

/// Writes to a port and pauses.
///
/// # Safety
///
/// As for [`outb`]: what the device does with the value must be wanted.
pub unsafe fn outb_p(port: u16, value: u8) {
    // SAFETY: the caller vouches for the write.
    unsafe { outb(port, value) };
    io_delay();
}

#[ktest]
fn the_ways_to_pause_are_those_of_the_documentation() {
    for (word, kind) in [
        ("0x80", IoDelay::Port80),
        ("0xed", IoDelay::PortEd),
        ("udelay", IoDelay::Udelay),
        ("none", IoDelay::None),
    ] {
        assert_eq!(IoDelay::parse(word), Some(kind));
    }
    for wrong in ["", "0x81", "80", "None", "0x80 "] {
        assert_eq!(IoDelay::parse(wrong), None, "{wrong:?}");
    }
}

#[ktest]
fn a_pause_comes_to_an_end() {
    for _ in 0..3 {
        io_delay();
    }
}

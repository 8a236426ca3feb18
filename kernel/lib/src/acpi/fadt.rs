//! The fixed hardware: power management registers, and where DSDT and FACS are.

use super::GenericAddress;
use crate::wire::wire;

wire! {
    /// The fixed ACPI description table (ACPI 5.2.9), as far as a PC uses it. What an older, shorter table lacks is 0.
    pub struct Fadt[244] {
        /// Physical address of FACS.
        firmware_ctrl: u32 => 36,
        /// Physical address of DSDT.
        dsdt: u32 => 40,
        /// What the machine is for: 1 desktop, 2 mobile, 3 workstation, 4 server, …
        preferred_profile: u8 => 45,
        /// The interrupt of the power management hardware.
        sci_interrupt: u16 => 46,
        /// The port that commands for the firmware are written to.
        smi_command: u32 => 48,
        /// The command that makes the firmware give the hardware up.
        acpi_enable: u8 => 52,
        /// The command that makes it take it again.
        acpi_disable: u8 => 53,
        /// Event registers, first half.
        pm1a_event: u32 => 56,
        /// Event registers, second half.
        pm1b_event: u32 => 60,
        /// Control register, first half.
        pm1a_control: u32 => 64,
        /// Control register, second half.
        pm1b_control: u32 => 68,
        /// The power management timer.
        pm_timer: u32 => 76,
        /// Bytes of its register: 4 if there is one.
        pm_timer_length: u8 => 91,
        /// The real-time clock's register of the century, 0 without.
        century: u8 => 108,
        /// What a PC has: bit 0 old devices, 1 a keyboard controller, 2 no VGA, 3 no MSI, 4 no ASPM, 5 no real-time clock.
        boot_flags: u16 => 109,
        /// Features of the hardware: bit 10 a reset register, 20 no fixed hardware at all.
        flags: u32 => 112,
        /// Writing [`reset_value`](Self::reset_value) here restarts the machine.
        reset_register: GenericAddress => 116,
        /// The value.
        reset_value: u8 => 128,
        /// Physical address of FACS, if above 4 GiB.
        x_firmware_ctrl: u64 => 132,
        /// Physical address of DSDT, wherever.
        x_dsdt: u64 => 140,
        /// The power management timer.
        x_pm_timer: GenericAddress => 208,
    }
}

impl Fadt {
    /// Takes the table's fields from its bytes.
    #[must_use]
    pub fn parse(table: &[u8]) -> Self {
        super::padded::<_, 244>(table)
    }

    /// Physical address of DSDT; 0 if the table names none. The 64-bit field counts if it is filled in, as in Linux.
    #[must_use]
    pub const fn dsdt_phys(&self) -> u64 {
        if self.x_dsdt != 0 { self.x_dsdt } else { self.dsdt as u64 }
    }

    /// Physical address of FACS; 0 if the table names none.
    #[must_use]
    pub const fn facs_phys(&self) -> u64 {
        if self.x_firmware_ctrl != 0 {
            self.x_firmware_ctrl
        } else {
            self.firmware_ctrl as u64
        }
    }

    /// The fields whose two forms are filled in with different addresses: name, 32-bit form, 64-bit form.
    pub fn mismatches(&self) -> impl Iterator<Item = (&'static str, u32, u64)> {
        [("FACS", self.firmware_ctrl, self.x_firmware_ctrl), ("DSDT", self.dsdt, self.x_dsdt)]
            .into_iter()
            .filter(|&(_, short, long)| short != 0 && long != 0 && u64::from(short) != long)
    }

    /// The port of the power management timer, if it is one.
    #[must_use]
    pub fn pm_timer_port(&self) -> Option<u16> {
        let extended = self.x_pm_timer;
        let port = match extended.space {
            GenericAddress::PORTS if extended.address != 0 => extended.address,
            _ if extended.address == 0 && self.pm_timer_length == 4 => self.pm_timer.into(),
            _ => 0,
        };
        u16::try_from(port).ok().filter(|port| *port != 0)
    }
}

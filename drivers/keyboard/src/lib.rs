//! A PC's keyboard, or one that the firmware passes off as such, for the terminal: typing into the monitor.
//!
//! Polled: the controller is asked when somebody waits for a key. What the bytes mean is the crate `pc-keyboard`'s business; here is the controller, which must
//! never be waited for without bound, and what a terminal sends for keys that are no characters.
#![no_std]

mod controller;
mod keys;

mod tests;

use incipit::prelude::*;
use incipit::printk::BustableLock;
use incipit_vt::KEYBOARDS;
use linkme::distributed_slice;

use controller::Controller;
use keys::Keys;

/// What has been pressed so far.
static KEYS: BustableLock<Keys> = BustableLock::new(Keys::new());

/// Looks for the keyboard and switches it on.
///
/// # Errors
///
/// `ENODEV` without a controller; that is said in the log, and no fault.
#[init]
#[initcall(device, on_error(ignore))]
pub fn i8042_init() -> Result<(), Errno> {
    if !Controller::is_present() {
        pr_info!("i8042: No controller found");
        return Err(Errno::ENODEV);
    }
    Controller::switch_on()?;
    if let Some(mut keys) = KEYS.lock() {
        keys.begin();
    }
    pr_info!("serio: i8042 KBD port at 0x60,0x64 irq 1");
    Ok(())
}

/// A byte that was typed.
#[distributed_slice(KEYBOARDS)]
static I8042: fn() -> Option<u8> = poll;

fn poll() -> Option<u8> {
    let mut keys = KEYS.lock()?;
    keys.next(Controller::read)
}

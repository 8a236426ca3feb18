//! Taking consoles into use and out of it.

use core::sync::atomic::{AtomicBool, Ordering};

use super::list::{self, ConsoleList, Slot};
use super::preferred::{self, Choice};
use super::{Console, ConsoleName};
use crate::prelude::*;
use crate::printk::{self, Reader};

static KEEP_BOOTCON: AtomicBool = AtomicBool::new(false);

/// `keep_bootcon`: early consoles go on when real ones come, and lines appear twice.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("keep_bootcon"))]
fn keep_bootcon_setup(_value: Option<&'static str>) -> Result<(), Errno> {
    KEEP_BOOTCON.store(true, Ordering::Relaxed);
    pr_info!("printk: debug: skip boot console de-registration.");
    Ok(())
}

/// Takes `console` into use if the command line wants it, or wants none in particular and there is no real console yet. `true` if it is in use now.
///
/// It takes over from early consoles: one on the same device ends and is continued without a line lost or repeated; the others end when the console is
/// the one that `/dev/console` will be. May be called in any context but an interrupt handler.
pub fn register_console(console: &'static dyn Console) -> bool {
    crate::init::initcall::turn();
    let (options, is_preferred) = match preferred::choose(console) {
        Choice::Wanted { options, last } => (options, last),
        Choice::Default if !has_preferred() => (None, true),
        Choice::Default | Choice::Unwanted => return false,
    };
    let name = console.name();
    if list::lock().slots.iter().any(|slot| !slot.is_boot && slot.name == name) {
        pr_warn!("printk: console '{name}' already registered");
        return false;
    }
    if let Err(error) = console.setup(options) {
        pr_warn!("printk: console [{name}] cannot be set up: {error}");
        return false;
    }
    add(Slot {
        console,
        name,
        is_boot: false,
        is_preferred,
        next: Reader::new(0),
    })
}

/// Takes an early console into use under `name`. With `keep` it stays when real ones come. `false`, with a line that says so, if real ones are there already.
pub(super) fn register_boot_console(console: &'static dyn Console, name: ConsoleName, keep: bool) -> bool {
    if list::lock().slots.iter().any(|slot| !slot.is_boot) {
        pr_info!("printk: Too late to register bootconsole {name}");
        return false;
    }
    if list::lock().slots.iter().any(|slot| slot.name == name) {
        return false;
    }
    add(Slot {
        console,
        name,
        is_boot: !keep,
        is_preferred: false,
        next: Reader::new(0),
    })
}

/// Takes the console called `name` out of use; what it has not shown yet is shown first. `false` if there is none.
pub fn unregister_console(name: ConsoleName) -> bool {
    let Some(slot) = list::lock().slots.iter().find(|slot| slot.name == name).copied() else {
        return false;
    };
    say(&slot, "disabled");
    list::lock().slots.retain(|slot| slot.name != name);
    true
}

fn has_preferred() -> bool {
    list::lock().slots.iter().any(|slot| slot.is_preferred)
}

fn say(slot: &Slot, what: &str) {
    pr_info!("printk: {}console [{}] {what}", if slot.is_boot { "boot" } else { "" }, slot.name);
}

fn add(slot: Slot) -> bool {
    let keep_bootcon = KEEP_BOOTCON.load(Ordering::Relaxed);
    let mut list = list::lock();
    // So that a console that ends, and one that goes on from where another is, both have shown all there was.
    list.show_pending();
    let taken_in = list.take_in(slot, keep_bootcon);
    drop(list);
    let Ok(replaced) = taken_in else {
        pr_warn!(
            "printk: console [{}] not enabled: {} are in use already",
            slot.name,
            list::MAX_CONSOLES
        );
        return false;
    };
    say(&slot, "enabled");
    if let Some(old) = replaced {
        say(&old, "disabled");
    }
    if slot.is_preferred && !keep_bootcon {
        while let Some(name) = boot_console() {
            unregister_console(name);
        }
    }
    true
}

/// There are [`list::MAX_CONSOLES`] consoles.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListFull;

impl ConsoleList {
    /// Adds a console, from where in the log it is to begin. Gives the early console on the same device that it replaces, if there is one.
    pub fn take_in(&mut self, mut slot: Slot, keep_bootcon: bool) -> Result<Option<Slot>, ListFull> {
        let same_device = self.at_address(slot.console.address()).copied();
        slot.next = same_device.map_or_else(|| self.first_to_show(&slot), |same| same.next);
        let replaced = same_device.filter(|old| old.is_boot && !slot.is_boot && !keep_bootcon);
        if let Some(old) = replaced {
            self.slots.retain(|kept| kept.name != old.name);
        }
        self.slots.try_push(slot).map_err(|_| ListFull)?;
        if slot.is_preferred {
            self.slots.iter_mut().for_each(|other| other.is_preferred = other.name == slot.name);
        }
        Ok(replaced)
    }

    /// Where a console that shares no known device begins: each screen shows each message once.
    fn first_to_show(&self, new: &Slot) -> Reader {
        // An early console that does not say where it writes to may well be the same screen: Linux's rule, where nothing better is known.
        let may_share = |old: &Slot| old.is_boot && (old.console.address().is_none() || new.console.address().is_none());
        let shown_already = new.is_preferred && self.slots.iter().any(may_share);
        if shown_already || !new.console.shows_old_messages() {
            printk::end_of_log()
        } else {
            printk::first_record()
        }
    }
}

fn boot_console() -> Option<ConsoleName> {
    list::lock().slots.iter().find(|slot| slot.is_boot).map(|slot| slot.name)
}

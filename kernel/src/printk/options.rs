//! Which messages are shown, and how: `loglevel=`, `quiet`, `debug`, `ignore_loglevel`, `printk.time=`.
//!
//! A message is shown on consoles if its level is more urgent than the console log level. Whatever is not shown is still in the log.

use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::{Level, Prefix};
use crate::prelude::*;

/// The console log level that a boot without options has.
#[cfg(CONFIG_PRINTK)]
const DEFAULT: i32 = crate::config::CONFIG_CONSOLE_LOGLEVEL_DEFAULT as i32;
#[cfg(not(CONFIG_PRINTK))]
const DEFAULT: i32 = 0;
/// `quiet`.
#[cfg(CONFIG_PRINTK)]
const QUIET: i32 = crate::config::CONFIG_CONSOLE_LOGLEVEL_QUIET as i32;
#[cfg(not(CONFIG_PRINTK))]
const QUIET: i32 = 0;
/// `debug`: everything.
const DEBUG: i32 = 10;
/// While the kernel reports its own failure: everything, whatever the command line said.
const MOTORMOUTH: i32 = 15;

static CONSOLE_LOGLEVEL: AtomicI32 = AtomicI32::new(DEFAULT);
static IGNORE_LOGLEVEL: AtomicBool = AtomicBool::new(false);

/// Whether lines begin with the time.
#[cfg_attr(CONFIG_PRINTK, param(module = "printk", name = "time", perm = 0o644))]
static TIME: AtomicBool = AtomicBool::new(cfg!(CONFIG_PRINTK_TIME));

/// Whether a message of this level is shown on consoles.
#[must_use]
pub fn is_shown(level: Level) -> bool {
    (level as i32) < CONSOLE_LOGLEVEL.load(Ordering::Relaxed) || IGNORE_LOGLEVEL.load(Ordering::Relaxed)
}

/// What each line on a console begins with.
#[must_use]
pub fn prefix() -> Prefix {
    Prefix {
        time: TIME.load(Ordering::Relaxed),
        caller: cfg!(CONFIG_PRINTK_CALLER),
    }
}

/// Shows everything from now on, for a failure report; a log level of 0 means that the user wants silence even then.
pub fn console_verbose() {
    if CONSOLE_LOGLEVEL.load(Ordering::Relaxed) != 0 {
        CONSOLE_LOGLEVEL.store(MOTORMOUTH, Ordering::Relaxed);
    }
}

/// `quiet`: shows errors and worse only on consoles, as `loglevel=4` does; `CONFIG_CONSOLE_LOGLEVEL_QUIET` can name another level.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("quiet"))]
fn quiet_kernel(_value: Option<&'static str>) -> Result<(), Errno> {
    CONSOLE_LOGLEVEL.store(QUIET, Ordering::Relaxed);
    Ok(())
}

/// `debug`: shows debug messages, too, as `loglevel=10` does.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("debug"))]
fn debug_kernel(_value: Option<&'static str>) -> Result<(), Errno> {
    CONSOLE_LOGLEVEL.store(DEBUG, Ordering::Relaxed);
    Ok(())
}

/// `loglevel=N`: shows messages on consoles that are more urgent than level `N`, from 0, emergencies, to 7, debug messages. The log has all of them.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("loglevel"))]
fn loglevel(value: Option<&'static str>) -> Result<(), Errno> {
    let level = value.and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL)?;
    CONSOLE_LOGLEVEL.store(level, Ordering::Relaxed);
    Ok(())
}

/// `ignore_loglevel`: shows every message, whatever the log level.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("ignore_loglevel"))]
fn ignore_loglevel(_value: Option<&'static str>) -> Result<(), Errno> {
    IGNORE_LOGLEVEL.store(true, Ordering::Relaxed);
    pr_info!("debug: ignoring loglevel setting.");
    Ok(())
}

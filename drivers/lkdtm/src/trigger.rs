//! The parameters, and the initcall that triggers the crash point that they name.

use incipit::prelude::*;

use crate::crashpoints::{CRASHPOINTS, Crashpoint, find};
use crate::init::remember_addresses;

/// Where to crash: `DIRECT`, in an initcall of the level `late`. Goes with `lkdtm.cpoint_type=`.
#[param(perm = 0o444)]
static CPOINT_NAME: Charp = Charp::none();

/// How to crash: `PANIC`, `BUG`, `WARNING`, …; a name that there is none of lists all.
#[param(perm = 0o444)]
static CPOINT_TYPE: Charp = Charp::none();

/// How many names fit a line of the log.
pub const POINTS_OF_A_LINE: usize = 30;

/// Triggers what the command line asks for, if it does.
#[init]
#[initcall(late)]
fn lkdtm_module_init() -> Result<(), Errno> {
    remember_addresses();
    match CPOINT_NAME.with(|name| CPOINT_TYPE.with(|kind| chosen(name, kind)))? {
        Some(point) => perform(point),
        None => Ok(()),
    }
}

/// Triggers the point, and tells the log what became of it.
///
/// # Errors
///
/// `EIO` if it did not do what it is there for.
pub fn perform(point: &Crashpoint) -> Result<(), Errno> {
    pr_info!("lkdtm: Performing direct entry {}: {}", point.name, point.shows);
    match (point.trigger)() {
        Ok(()) => {
            pr_info!("lkdtm: {} is over, and the boot goes on", point.name);
            Ok(())
        }
        Err(why) => {
            pr_err!("lkdtm: FAIL: {}: {why}", point.name);
            Err(Errno::EIO)
        }
    }
}

/// The crash point that the two parameters name; nothing if there is neither. Linux's rules and words.
#[init]
pub fn chosen(name: Option<&[u8]>, kind: Option<&[u8]>) -> Result<Option<&'static Crashpoint>, Errno> {
    match (name, kind) {
        (None, None) => return Ok(None),
        (Some(b"DIRECT"), Some(kind)) => {
            if let Some(point) = find(kind) {
                return Ok(Some(point));
            }
            pr_err!("lkdtm: Unknown crashtype '{}'", kind.escape_ascii());
            for points in CRASHPOINTS.chunks(POINTS_OF_A_LINE) {
                let names = core::fmt::from_fn(|f| points.iter().try_for_each(|point| write!(f, " {}", point.name)));
                pr_info!("lkdtm: The crash types are{names}");
            }
        }
        (Some(name), Some(_)) => pr_err!("lkdtm: Invalid crashpoint {}: only DIRECT exists", name.escape_ascii()),
        _ => pr_err!("lkdtm: Need both cpoint_type and cpoint_name or neither"),
    }
    Err(Errno::EINVAL)
}

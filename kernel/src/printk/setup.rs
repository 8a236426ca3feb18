//! Moves the log to a larger buffer when the command line asks for one.

use core::slice;
use core::sync::atomic::{AtomicU64, Ordering};

use incipit_lib::param::memparse;

use super::LOG;
use crate::mm::{PAGE_SIZE, memblock, phys_to_virt};
use crate::prelude::*;

/// The largest log that may be asked for, as in Linux: more than this is a slip of the finger.
const LOG_BUF_LEN_MAX: u64 = 1 << 31;

/// Bytes asked for; 0 if nothing was.
static REQUESTED: AtomicU64 = AtomicU64::new(0);

/// `log_buf_len=n[KMG]`: the size of the log, rounded up to a power of two. No less than what it has already.
#[init]
#[cfg_attr(CONFIG_PRINTK, early_param("log_buf_len"))]
fn log_buf_len_setup(value: Option<&'static str>) -> Result<(), Errno> {
    let bytes = value.and_then(parse_size).ok_or(Errno::EINVAL)?;
    if bytes > LOG_BUF_LEN_MAX {
        pr_err!("printk: log_buf over 2G is not supported.");
        return Ok(());
    }
    REQUESTED.store(bytes.next_power_of_two(), Ordering::Relaxed);
    Ok(())
}

/// A size with nothing behind it.
#[init]
pub(super) fn parse_size(text: &str) -> Option<u64> {
    match memparse(text.as_bytes()) {
        Ok((size, [])) => Some(size),
        _ => None,
    }
}

/// Moves the log, with all that it holds, to a buffer of the size asked for.
#[init]
#[stage(after(crate::init::param::parse_args))]
pub(crate) fn setup_log_buf() {
    if !super::ENABLED {
        return;
    }
    let requested = REQUESTED.load(Ordering::Relaxed);
    let Some((capacity, free)) = LOG.lock().map(|log| (log.capacity(), log.free())) else {
        return;
    };
    if requested <= capacity as u64 {
        return;
    }
    let address = match memblock::alloc(requested, PAGE_SIZE as u64) {
        Ok(address) => address,
        Err(error) => {
            pr_err!("printk: log_buf_len: {requested} bytes not available: {error}");
            return;
        }
    };
    // SAFETY: memblock gave these bytes to nobody else and never will, and the direct map has them.
    let storage = unsafe { slice::from_raw_parts_mut(phys_to_virt(address.0), requested as usize) };
    if LOG.lock().is_some_and(|mut log| log.move_to(storage)) {
        pr_info!("printk: log_buf_len: {requested} bytes");
        pr_info!("printk: early log buf free: {free}({}%)", free * 100 / capacity);
    }
}

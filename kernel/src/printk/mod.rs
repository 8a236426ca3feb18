//! The kernel log: a ring of records in memory, and the macros that write to it.
//!
//! A message is formatted on the caller's stack, stored as one record under a lock held for a copy of a few hundred bytes, and then shown by whoever gets
//! hold of the consoles ([`console::flush`]). It works from the first instruction of Rust on, in every context, and never allocates.
//!
//! This room knows records and options; it leaves screens to [`console`], and takes the time from [`crate::time`]. Names, levels, options and the form of
//! the lines are Linux 6.1's (`kernel/printk/printk.c`).

mod level;
mod lock;
mod log;
mod macros;
mod nmi;
mod options;
mod ratelimit;
pub(crate) mod setup;
mod text;

mod tests;

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

pub use incipit_lib::ring::{Meta, Reader};
pub use level::Level;
pub use lock::{BustableGuard, BustableLock, oops_enter, oops_exit, oops_in_progress};
pub use log::{Found, LINE_MAX};
pub use options::{console_verbose, is_shown, prefix};
pub use ratelimit::RateLimit;
pub use text::{Prefix, print_record};

use crate::init::initcall;
use crate::panic::task;
use crate::{console, percpu, preempt};
use log::{CALLER_CPU, Log};
use text::LineBuffer;

/// Whether there is a log. Without one, the macros check what they are given and leave nothing of it in the program.
pub const ENABLED: bool = cfg!(CONFIG_PRINTK);

/// Bytes of the log before `log_buf_len=` moves it.
#[cfg(CONFIG_PRINTK)]
const EARLY_LEN: usize = 1 << crate::config::CONFIG_LOG_BUF_SHIFT;
#[cfg(not(CONFIG_PRINTK))]
const EARLY_LEN: usize = 0;

static LOG: BustableLock<Log> = BustableLock::new(Log::empty());

/// The memory that the log begins with.
static EARLY_STORAGE: crate::locking::SpinLock<[u8; EARLY_LEN]> = crate::locking::SpinLock::new([0; EARLY_LEN]);

/// What [`Log::end`] says, for those who only want to know whether there is something new.
static END: AtomicU64 = AtomicU64::new(0);

/// Logs a line; what the macros call. Newlines at the end of the text are dropped, others begin a new line with a prefix of its own.
pub fn vprintk(level: Level, args: fmt::Arguments<'_>) {
    let line = LineBuffer::format(args);
    write(level, &line, |log, meta| log.push(meta, line.text().as_bytes(), false));
}

/// Begins a line that [`vprintk_cont`] goes on with.
pub fn vprintk_begin(level: Level, args: fmt::Arguments<'_>) {
    let line = LineBuffer::format(args);
    write(level, &line, |log, meta| log.push(meta, line.text().as_bytes(), !line.ends_line()));
}

/// Goes on with the line that the same caller began, if nothing came in between; else logs a line of its own, at the level of messages that have none.
pub fn vprintk_cont(args: fmt::Arguments<'_>) {
    let line = LineBuffer::format(args);
    let open = !line.ends_line();
    write(Level::Warning, &line, |log, meta| {
        if !log.extend(meta.caller, line.text().as_bytes(), open) {
            log.push(meta, line.text().as_bytes(), open);
        }
    });
}

/// Stores `line`, or keeps it if this context has interrupted who has the log.
fn write(level: Level, line: &LineBuffer, store: impl FnOnce(&mut Log, Meta)) {
    initcall::turn();
    let meta = Meta {
        ts_ns: crate::time::sched_clock(),
        caller: caller_id(),
        level: level as u8,
        ..Meta::default()
    };
    if let Some(mut log) = lock() {
        if log.capacity() == 0 {
            let storage: &'static mut [u8; EARLY_LEN] = crate::locking::SpinLockGuard::leak(EARLY_STORAGE.lock());
            log.move_to(storage);
        }
        nmi::collect(&mut log);
        store(&mut log, meta);
        END.store(log.end(), Ordering::Relaxed);
    } else {
        nmi::keep(meta, line.text().as_bytes());
    }
    if is_to_wait_for_nobody() {
        nmi::show_later();
    } else {
        console::flush();
    }
}

/// Whether this is an NMI, and nothing worse: whom it has interrupted may have the log, or a console in the middle of a line.
fn is_to_wait_for_nobody() -> bool {
    preempt::in_nmi() && !oops_in_progress()
}

/// The log for one more message.
fn lock() -> Option<BustableGuard<'static, Log>> {
    if is_to_wait_for_nobody() { LOG.try_lock() } else { LOG.lock() }
}

/// Who is logging: the task that runs, or what interrupted it on this CPU.
fn caller_id() -> u32 {
    if preempt::in_interrupt() {
        CALLER_CPU | percpu::smp_processor_id() as u32
    } else {
        task::pid()
    }
}

/// A reader at the oldest record that the log still has.
#[must_use]
pub fn first_record() -> Reader {
    LOG.lock().map_or(Reader::new(0), |log| log.first())
}

/// A reader behind the newest complete record.
#[must_use]
pub fn end_of_log() -> Reader {
    Reader::new(records_written())
}

/// Number of complete records written since boot, overwritten ones too.
#[must_use]
pub fn records_written() -> u64 {
    END.load(Ordering::Relaxed)
}

/// Copies the text of the next record into `text` and moves `reader` on; `None` behind the last. Each reader has its own place.
pub fn read_record(reader: &mut Reader, text: &mut [u8; LINE_MAX]) -> Option<Found> {
    LOG.lock()?.read(reader, text)
}

/// Completes a line that [`vprintk_begin`] left open, so that it is shown: its writer may never come back. What waits for the log gets there, too.
pub fn close_open_line() {
    if let Some(mut log) = LOG.lock() {
        log.close();
        nmi::collect(&mut log);
        END.store(log.end(), Ordering::Relaxed);
    }
}

/// Shows what was logged in NMIs, which show nothing themselves. Any context but an NMI.
pub(crate) fn show() {
    close_open_line();
    console::flush();
}

/// The name of the function that defines the function `here`, without its path: what `__function_name!` hands in is `path::of::outer::here`.
#[doc(hidden)]
#[must_use]
pub fn enclosing_function(here: &'static str) -> &'static str {
    let outer = here.strip_suffix("::here").unwrap_or(here).trim_end_matches("::{{closure}}");
    outer.rsplit(':').next().unwrap_or(outer)
}

//! The kernel log: a ring of records in memory, and the macros that write to it.
//!
//! A message is formatted on the caller's stack, stored as one record under a lock held for a copy of a few hundred bytes, and then shown by whoever gets
//! hold of the consoles ([`console::flush`]). It works from the first instruction of Rust on, in every context, and never allocates.
//!
//! This room knows records and options; it leaves screens to [`console`], and takes the time from [`crate::time`]. Names, levels, options and the form of
//! the lines are Linux 6.1's (`kernel/printk/printk.c`).

mod level;
mod lock;
mod macros;
mod options;
mod ratelimit;
mod ring;
mod setup;
mod text;

#[cfg(CONFIG_KUNIT)]
mod tests;

use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub use level::Level;
pub use lock::{BustableGuard, BustableLock, oops_enter, oops_exit, oops_in_progress};
pub use options::{console_verbose, is_shown, prefix};
pub use ratelimit::RateLimit;
pub use ring::{Cursor, Found, LINE_MAX, Meta};
pub use text::{Prefix, print_record};

use crate::console;
use ring::LogRing;
use text::LineBuffer;

/// Bytes of the log before `log_buf_len=` moves it.
const EARLY_LEN: usize = 1 << crate::config::CONFIG_LOG_BUF_SHIFT;

/// The task that boots the kernel and later idles on the boot CPU: the only one that writes so far.
const SWAPPER: u32 = 0;

static RING: BustableLock<LogRing<EARLY_LEN>> = BustableLock::new(LogRing::new());

/// What [`LogRing::end`] says, for those who only want to know whether there is something new.
static END: AtomicU64 = AtomicU64::new(0);

/// Messages that found the log locked by the very context that they interrupted.
static LOST: AtomicU32 = AtomicU32::new(0);

/// Logs a line; what the macros call. Newlines at the end of the text are dropped, others begin a new line with a prefix of its own.
pub fn vprintk(level: Level, args: fmt::Arguments<'_>) {
    let line = LineBuffer::format(args);
    write(|ring, meta| ring.push(meta, line.text().as_bytes(), false), level);
}

/// Begins a line that [`vprintk_cont`] goes on with.
pub fn vprintk_begin(level: Level, args: fmt::Arguments<'_>) {
    let line = LineBuffer::format(args);
    write(|ring, meta| ring.push(meta, line.text().as_bytes(), !line.ends_line()), level);
}

/// Goes on with the line that the same caller began, if nothing came in between; else logs a line of its own, at the level of messages that have none.
pub fn vprintk_cont(args: fmt::Arguments<'_>) {
    let line = LineBuffer::format(args);
    let open = !line.ends_line();
    let extend = |ring: &mut LogRing<EARLY_LEN>, meta: Meta| {
        if !ring.extend(meta.caller, line.text().as_bytes(), open) {
            ring.push(meta, line.text().as_bytes(), open);
        }
    };
    write(extend, Level::Warning);
}

fn write(store: impl FnOnce(&mut LogRing<EARLY_LEN>, Meta), level: Level) {
    let meta = Meta {
        time: crate::time::sched_clock(),
        caller: SWAPPER,
        priority: level as u16,
    };
    match RING.lock() {
        Some(mut ring) => {
            report_lost(&mut ring, meta);
            store(&mut ring, meta);
            END.store(ring.end().sequence(), Ordering::Relaxed);
        }
        None => {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
    console::flush();
}

fn report_lost(ring: &mut LogRing<EARLY_LEN>, meta: Meta) {
    if LOST.load(Ordering::Relaxed) == 0 {
        return;
    }
    let lost = LOST.swap(0, Ordering::Relaxed);
    let line = LineBuffer::format(format_args!(
        "printk: {lost} messages lost: the log was locked by what they interrupted"
    ));
    ring.push(
        Meta {
            priority: Level::Warning as u16,
            ..meta
        },
        line.text().as_bytes(),
        false,
    );
}

/// The oldest record that the log still has.
#[must_use]
pub fn first_record() -> Cursor {
    RING.lock().map_or(Cursor::default(), |ring| ring.first())
}

/// Behind the newest complete record.
#[must_use]
pub fn end_of_log() -> Cursor {
    RING.lock().map_or(Cursor::default(), |ring| ring.end())
}

/// Number of complete records written since boot, overwritten ones too.
#[must_use]
pub fn records_written() -> u64 {
    END.load(Ordering::Relaxed)
}

/// Copies the text of the record at `cursor` into `text` and moves the cursor on; `None` behind the last. Each reader has its own cursor.
pub fn read_record(cursor: &mut Cursor, text: &mut [u8; LINE_MAX]) -> Option<Found> {
    RING.lock()?.read(cursor, text)
}

/// Completes a line that [`vprintk_begin`] left open, so that it is shown: its writer may never come back.
pub fn close_open_line() {
    if let Some(mut ring) = RING.lock() {
        ring.close();
        END.store(ring.end().sequence(), Ordering::Relaxed);
    }
}

/// The name of the function that defines the function `here`, without its path: what `__function_name!` hands in is `path::of::outer::here`.
#[doc(hidden)]
#[must_use]
pub fn enclosing_function(here: &'static str) -> &'static str {
    let outer = here.strip_suffix("::here").unwrap_or(here).trim_end_matches("::{{closure}}");
    outer.rsplit("::").next().unwrap_or(outer)
}

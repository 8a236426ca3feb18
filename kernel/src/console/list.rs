//! The consoles in use, and what each has shown.
//!
//! The list's lock is the console lock: who holds it writes to devices. Interrupts stay as they are meanwhile, for a serial line is slow; whoever logs while
//! the lock is taken leaves the message to the holder.

use core::sync::atomic::{AtomicU64, Ordering, fence};

use arrayvec::ArrayVec;

use super::{Console, ConsoleName, IoAddress};
use crate::arch::x86::last_words;
use crate::locking::{SpinLock, SpinLockGuard};
use crate::printk::{self, LINE_MAX, Level, Reader, oops_enter, oops_in_progress};

/// How many consoles there can be at once.
pub(super) const MAX_CONSOLES: usize = 16;

/// Turns that a failure report waits for the list: long enough for a slow line to finish a record, not for ever.
const REPORT_SPIN_LIMIT: u32 = 1 << 24;

static CONSOLES: SpinLock<ConsoleList> = SpinLock::new(ConsoleList::new());

/// A console in use.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub console: &'static dyn Console,
    pub name: ConsoleName,
    /// Gives way when a real console comes.
    pub is_boot: bool,
    /// The one that `/dev/console` is.
    pub is_preferred: bool,
    /// What it shows next.
    pub next: Reader,
}

/// The consoles in use, in the order in which they came.
pub(super) struct ConsoleList {
    pub slots: ArrayVec<Slot, MAX_CONSOLES>,
    /// The record being shown.
    text: [u8; LINE_MAX],
}

impl ConsoleList {
    pub const fn new() -> Self {
        Self {
            slots: ArrayVec::new_const(),
            text: [0; LINE_MAX],
        }
    }

    /// Shows on each console what it has not shown yet.
    pub fn show_pending(&mut self) {
        for slot in &mut self.slots {
            slot.show_pending(&mut self.text);
        }
    }

    /// The console in use that writes to `address`.
    pub fn at_address(&self, address: Option<IoAddress>) -> Option<&Slot> {
        self.slots
            .iter()
            .find(|slot| address.is_some() && slot.console.address() == address)
    }
}

impl Slot {
    fn show_pending(&mut self, text: &mut [u8; LINE_MAX]) {
        let first = self.next.seq();
        while let Some(found) = printk::read_record(&mut self.next, text) {
            if found.dropped != 0 {
                self.say_dropped(found.dropped);
            }
            if printk::is_shown(Level::from_bits(found.meta.level)) {
                printk::print_record(found.meta, &text[..found.len], printk::prefix(), &mut |piece| {
                    self.console.write(piece)
                });
            }
        }
        if self.next.seq() != first {
            self.console.flush();
        }
    }

    fn say_dropped(&self, count: u64) {
        let mut line = arrayvec::ArrayString::<64>::new();
        // At most 55 bytes: it fits.
        let _ = core::fmt::write(&mut line, format_args!("** {count} printk messages dropped **\n"));
        self.console.write(line.as_bytes());
    }
}

/// Takes the list, waiting for it. Not from interrupt handlers: they may have interrupted the holder.
pub(super) fn lock() -> SpinLockGuard<'static, ConsoleList> {
    CONSOLES.lock()
}

/// Takes the list for a failure report or the monitor. In a failure report by force, if it is not to be had in bounded time.
fn lock_for_report() -> SpinLockGuard<'static, ConsoleList> {
    for _ in 0..REPORT_SPIN_LIMIT {
        if let Some(list) = CONSOLES.try_lock() {
            return list;
        }
        core::hint::spin_loop();
    }
    if oops_in_progress() {
        // SAFETY: the holder has had the list for longer than it takes to show a record, while the kernel is dying. It is the context that failed, which does
        // not go on, or one that was stopped: neither touches the list again while this report is made.
        unsafe { CONSOLES.force_unlock() };
    }
    CONSOLES.lock()
}

/// Shows what the log has and consoles have not, unless another context is doing so already: then that one sees to this message too.
pub fn flush() {
    loop {
        let Some(mut list) = CONSOLES.try_lock() else { return };
        let written = printk::records_written();
        list.show_pending();
        drop(list);
        // A message logged between the last look at the log and the unlocking found the lock taken: it is ours to show.
        fence(Ordering::SeqCst);
        if printk::records_written() == written {
            return;
        }
    }
}

/// Shows everything on every console, whatever stands in the way: for a kernel that will not go on. Other processors are stopped already. Without a console it is
/// shown where every PC shows something.
pub fn flush_on_panic() {
    oops_enter();
    printk::close_open_line();
    let mut list = lock_for_report();
    list.show_pending();
    if list.slots.is_empty() {
        show_last_words(&mut list.text);
    }
}

/// Shows what the log has and nobody has seen.
fn show_last_words(text: &mut [u8; LINE_MAX]) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut next = Reader::new(NEXT.load(Ordering::Relaxed));
    while let Some(found) = printk::read_record(&mut next, text) {
        if printk::is_shown(Level::from_bits(found.meta.level)) {
            printk::print_record(found.meta, &text[..found.len], printk::prefix(), &mut |piece| {
                last_words::write(piece)
            });
        }
        NEXT.store(next.seq(), Ordering::Relaxed);
    }
}

/// Writes to every console past the log, as the monitor does.
pub fn write_directly(text: &[u8]) {
    for slot in &lock_for_report().slots {
        slot.console.write(text);
        slot.console.flush();
    }
}

/// A byte that was typed on any console, if there is one.
#[must_use]
pub fn poll_byte() -> Option<u8> {
    lock_for_report().slots.iter().find_map(|slot| slot.console.poll_byte())
}

/// What is known of a console in use, for people to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsoleState {
    /// Its name.
    pub name: ConsoleName,
    /// Whether it gives way when a real console comes.
    pub is_boot: bool,
    /// Whether it is what `/dev/console` is.
    pub is_preferred: bool,
    /// Where it writes to.
    pub address: Option<IoAddress>,
}

/// The consoles in use, in the order in which they came.
#[must_use]
pub fn consoles() -> ArrayVec<ConsoleState, MAX_CONSOLES> {
    let state = |slot: &Slot| ConsoleState {
        name: slot.name,
        is_boot: slot.is_boot,
        is_preferred: slot.is_preferred,
        address: slot.console.address(),
    };
    lock_for_report().slots.iter().map(state).collect()
}

//! Messages of what has interrupted the log: they wait in a ring without a lock until somebody has the log.
//!
//! That is who logs next, or an interrupt that the CPU sends itself for it.

use incipit_lib::nmi_ring::NmiRing;

use super::log::Log;
use super::text::LineBuffer;
use super::{Level, Meta};
use crate::arch::x86::apic;
use crate::irq_work::IrqWork;

/// How many messages wait at most: a backtrace and its registers.
const SLOTS: usize = 64;
/// Eight bytes each: a line of a report.
const WORDS: usize = 32;

static WAITING: NmiRing<SLOTS, WORDS> = NmiRing::new();

/// Puts them into the log, and shows them.
static SHOW: IrqWork = IrqWork::new(|_| super::show());

/// Keeps a message for later. Any context.
pub(super) fn keep(meta: Meta, text: &[u8]) {
    WAITING.push(meta, text);
    show_later();
}

/// Has the log shown when what was interrupted goes on, which may have a console. Without interrupts of its own a CPU leaves it to who logs next. Any context.
pub(super) fn show_later() {
    if apic::is_present() {
        SHOW.queue();
    }
}

/// Puts what waits into the log.
#[inline]
pub(super) fn collect(log: &mut Log) {
    if !WAITING.is_empty() {
        collect_all(log);
    }
}

#[cold]
fn collect_all(log: &mut Log) {
    let mut text = [0; WORDS * 8];
    let mut last = Meta::default();
    while let Some((meta, length)) = WAITING.pop(&mut text) {
        log.push(meta, &text[..length], false);
        last = meta;
    }
    let lost = WAITING.take_lost();
    if lost != 0 {
        let line = LineBuffer::format(format_args!(
            "printk: {lost} messages lost: the log was locked by what they interrupted"
        ));
        let meta = Meta {
            level: Level::Warning as u8,
            ..last
        };
        log.push(meta, line.text().as_bytes(), false);
    }
}

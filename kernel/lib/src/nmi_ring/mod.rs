//! Messages from contexts that may take no lock, on their way to the log: a number of slots that are claimed, filled and emptied without waiting.
//!
//! Whoever writes looks for a free slot, once around; if there is none the message is lost, and counted. Nobody waits for anybody: a writer that is interrupted by another
//! has its slot, and the other takes the next one. Tickets keep the order in which slots were claimed. The text is words like the state, so that nothing here is `unsafe`;
//! the words are [`Atomic`]s of any kind, so that a model can look at every interleaving.

#[cfg(test)]
mod tests;

use core::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use crate::atomic::Atomic;
use crate::ring::Meta;

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// The states of a slot: nobody's, somebody's, or filled, with the message's ticket from [`TICKET_SHIFT`] on.
const FREE: u32 = 0;
const BUSY: u32 = 1;
const FULL: u32 = 2;
const TICKET_SHIFT: u32 = 2;

/// Room for a message of `WORDS` words of text.
pub struct Slot<const WORDS: usize, C = AtomicU64, O = AtomicU32> {
    state: O,
    ts_ns: C,
    /// Caller, level and length, from the highest bits.
    head: C,
    text: [C; WORDS],
}

impl<const WORDS: usize> Slot<WORDS> {
    /// Without a message.
    #[must_use]
    pub const fn new() -> Self {
        Slot {
            state: AtomicU32::new(FREE),
            ts_ns: AtomicU64::new(0),
            head: AtomicU64::new(0),
            text: [const { AtomicU64::new(0) }; WORDS],
        }
    }
}

impl<const WORDS: usize> Default for Slot<WORDS> {
    fn default() -> Self {
        Slot::new()
    }
}

impl<const WORDS: usize, C: Atomic<u64>, O: Atomic<u32>> Slot<WORDS, C, O> {
    fn write(&self, meta: Meta, text: &[u8]) {
        let text = &text[..text.len().min(WORDS * WORD)];
        self.ts_ns.store(meta.ts_ns, Relaxed);
        self.head.store(
            u64::from(meta.caller) << 32 | u64::from(meta.level) << 16 | text.len() as u64,
            Relaxed,
        );
        for (cell, bytes) in self.text.iter().zip(text.chunks(WORD)) {
            let mut word = [0; WORD];
            word[..bytes.len()].copy_from_slice(bytes);
            cell.store(u64::from_le_bytes(word), Relaxed);
        }
    }

    fn read(&self, text: &mut [u8]) -> (Meta, usize) {
        let head = self.head.load(Relaxed);
        let length = (head as u16 as usize).min(text.len());
        for (bytes, cell) in text[..length].chunks_mut(WORD).zip(&self.text) {
            bytes.copy_from_slice(&cell.load(Relaxed).to_le_bytes()[..bytes.len()]);
        }
        let meta = Meta {
            ts_ns: self.ts_ns.load(Relaxed),
            caller: (head >> 32) as u32,
            level: (head >> 16) as u8,
            ..Meta::default()
        };
        (meta, length)
    }
}

/// Messages of up to `WORDS` words of eight bytes each, `SLOTS` of them at a time.
pub struct NmiRing<const SLOTS: usize, const WORDS: usize, C = AtomicU64, O = AtomicU32> {
    slots: [Slot<WORDS, C, O>; SLOTS],
    tickets: O,
    /// Messages that are there, or nearly; so that nobody looks at the slots for nothing.
    filled: O,
    lost: O,
}

impl<const SLOTS: usize, const WORDS: usize> NmiRing<SLOTS, WORDS> {
    /// Without a message.
    #[must_use]
    pub const fn new() -> Self {
        NmiRing {
            slots: [const { Slot::new() }; SLOTS],
            tickets: AtomicU32::new(0),
            filled: AtomicU32::new(0),
            lost: AtomicU32::new(0),
        }
    }
}

impl<const SLOTS: usize, const WORDS: usize> Default for NmiRing<SLOTS, WORDS> {
    fn default() -> Self {
        NmiRing::new()
    }
}

impl<const SLOTS: usize, const WORDS: usize, C: Atomic<u64>, O: Atomic<u32>> NmiRing<SLOTS, WORDS, C, O> {
    /// Leaves a message, of which so much is kept as a slot holds; `false` if there is no free slot. Any context; facility and flags are not kept.
    pub fn push(&self, meta: Meta, text: &[u8]) -> bool {
        let ticket = self.tickets.fetch_add(1, Relaxed);
        let free = (0..SLOTS).map(|step| &self.slots[(ticket as usize).wrapping_add(step) % SLOTS]);
        let Some(slot) = free.into_iter().find(|slot| slot.state.compare_exchange(FREE, BUSY, Acquire)) else {
            self.lost.fetch_add(1, Relaxed);
            return false;
        };
        slot.write(meta, text);
        slot.state.store(ticket << TICKET_SHIFT | FULL, Release);
        self.filled.fetch_add(1, Relaxed);
        true
    }

    /// Takes the oldest message: copies its text to `text` and says how long it is there. Any context; two never get the same one.
    pub fn pop(&self, text: &mut [u8]) -> Option<(Meta, usize)> {
        if self.is_empty() {
            return None;
        }
        let now = self.tickets.load(Relaxed);
        for _ in 0..SLOTS {
            let states = self.slots.iter().map(|slot| (slot.state.load(Relaxed), slot));
            let full = states.filter(|(state, _)| state & FULL != 0);
            // Another CPU's ticket may be newer than what this one knows.
            let (state, slot) = full.max_by_key(|(state, _)| (now << TICKET_SHIFT | FULL).wrapping_sub(*state).cast_signed())?;
            if !slot.state.compare_exchange(state, BUSY, AcqRel) {
                // Another one has taken it meanwhile.
                continue;
            }
            let message = slot.read(text);
            slot.state.store(FREE, Release);
            self.filled.fetch_add(u32::MAX, Relaxed);
            return Some(message);
        }
        None
    }

    /// Whether there is nothing to take at the moment.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled.load(Relaxed) == 0
    }

    /// How many messages were lost since this was asked for the last time.
    pub fn take_lost(&self) -> u32 {
        if self.lost.load(Relaxed) == 0 {
            0
        } else {
            self.lost.swap(0, Relaxed)
        }
    }
}

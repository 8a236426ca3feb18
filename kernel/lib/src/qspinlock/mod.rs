//! A queued spin lock: four bytes, fair, and each waiter spins on memory of its own (Linux's `qspinlock`).
//!
//! The word of a lock has Linux's fields: byte 0 is 1 while somebody has it, bit 8 says that one waits for exactly that byte (*pending*), and the upper half is the end of the
//! queue of the others: two bits of nesting, and the CPU's number plus one. Where the waiters' memory is is said by a [`Machine`]; interrupts are the
//! caller's business.

#[cfg(test)]
mod tests;

use core::sync::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use crate::atomic::Atomic;

/// The value of the word of a lock that somebody has and nobody waits for.
pub const LOCKED: u32 = 1;
/// Contexts of one CPU that can wait at once: task, softirq, hard interrupt, non-maskable interrupt.
pub const MAX_NESTING: u32 = 4;
/// CPUs that a tail can name.
pub const MAX_CPUS: u32 = (1 << (u32::BITS - TAIL_CPU_SHIFT)) - 1;

const LOCKED_MASK: u32 = 0xff;
const PENDING: u32 = 1 << 8;
const TAIL_INDEX_SHIFT: u32 = 16;
const TAIL_CPU_SHIFT: u32 = 18;
const TAIL_MASK: u32 = !0 << TAIL_INDEX_SHIFT;

/// What a queued CPU spins on: Linux's `struct mcs_spinlock`.
#[derive(Debug, Default)]
pub struct Waiter<W = AtomicU32> {
    /// Who comes behind it, in the form of a tail; 0 if nobody yet.
    next: W,
    /// Not 0 as soon as its owner is the first of the queue.
    granted: W,
}

impl Waiter {
    /// Of nobody.
    #[must_use]
    pub const fn new() -> Self {
        Waiter {
            next: AtomicU32::new(0),
            granted: AtomicU32::new(0),
        }
    }
}

impl<W: Atomic<u32>> Waiter<W> {
    fn reset(&self) {
        self.next.store(0, Relaxed);
        self.granted.store(0, Relaxed);
    }
}

/// The CPUs and their waiters.
pub trait Machine {
    /// What locks and waiters are made of.
    type Word: Atomic<u32>;
    /// Readings for which a hand-over from the one who was pending is waited for before joining the queue: Linux's `_Q_PENDING_LOOPS`.
    const PENDING_LOOPS: u32 = 512;
    /// The number of the CPU that runs this, below [`MAX_CPUS`].
    fn this_cpu(&self) -> u32;
    /// Takes one more waiter of this CPU into use and says its index. From [`MAX_NESTING`] on there is none.
    fn enter(&self) -> u32;
    /// Undoes one [`Machine::enter`].
    fn leave(&self);
    /// A waiter, with an index below [`MAX_NESTING`].
    fn waiter(&self, cpu: u32, index: u32) -> &Waiter<Self::Word>;
    /// A pause in a loop that waits for another CPU.
    fn relax(&self) {
        Self::Word::relax();
    }
}

/// Takes the lock if it is free.
#[inline]
pub fn try_lock(word: &impl Atomic<u32>) -> bool {
    word.load(Relaxed) == 0 && word.compare_exchange(0, LOCKED, Acquire)
}

/// Takes the lock if it is free, and expects it to be: nothing is read before.
#[inline]
pub fn take(word: &impl Atomic<u32>) -> bool {
    word.compare_exchange(0, LOCKED, Acquire)
}

/// Takes the lock, waiting for it if somebody has it. The caller stays on its CPU.
#[inline]
pub fn lock<M: Machine>(word: &M::Word, machine: &M) {
    if !take(word) {
        lock_slowpath(word, machine);
    }
}

/// Gives the lock back, which the caller has. A processor that can store a byte does the same with less.
#[inline]
pub fn unlock(word: &impl Atomic<u32>) {
    word.fetch_and(!LOCKED_MASK, Release);
}

/// Whether somebody has the lock.
#[inline]
pub fn is_locked(word: &impl Atomic<u32>) -> bool {
    word.load(Relaxed) & LOCKED_MASK != 0
}

/// Whether somebody waits for the lock.
#[inline]
pub fn is_contended(word: &impl Atomic<u32>) -> bool {
    word.load(Relaxed) & !LOCKED_MASK != 0
}

/// Waits for a lock that was not free.
pub fn lock_slowpath<M: Machine>(word: &M::Word, machine: &M) {
    let mut value = word.load(Relaxed);
    for _ in 0..M::PENDING_LOOPS {
        if value != PENDING {
            break;
        }
        machine.relax();
        value = word.load(Relaxed);
    }
    if value & !LOCKED_MASK == 0 {
        let found = word.fetch_or(PENDING, Acquire);
        if found & !LOCKED_MASK == 0 {
            wait_pending(word, machine);
            return;
        }
        if found & PENDING == 0 {
            word.fetch_and(!PENDING, Relaxed);
        }
    }
    queue(word, machine);
}

/// Waits as the only one for whom the lock is next.
fn wait_pending<M: Machine>(word: &M::Word, machine: &M) {
    while word.load(Acquire) & LOCKED_MASK != 0 {
        machine.relax();
    }
    word.fetch_add(LOCKED.wrapping_sub(PENDING), Relaxed);
}

/// Waits behind all others.
fn queue<M: Machine>(word: &M::Word, machine: &M) {
    let index = machine.enter();
    if index >= MAX_NESTING {
        // A non-maskable interrupt in a non-maskable interrupt: there is nothing left to queue with.
        while !try_lock(word) {
            machine.relax();
        }
        machine.leave();
        return;
    }
    let cpu = machine.this_cpu();
    let me = machine.waiter(cpu, index);
    me.reset();
    // Finding the memory of the waiter may have taken long enough.
    if !try_lock(word) {
        wait_in_queue(word, machine, me, tail_of(cpu, index));
    }
    machine.leave();
}

fn wait_in_queue<M: Machine>(word: &M::Word, machine: &M, me: &Waiter<M::Word>, tail: u32) {
    let old = exchange_tail(word, tail);
    if old != 0 {
        named_by(machine, old).next.store(tail, Release);
        while me.granted.load(Acquire) == 0 {
            machine.relax();
        }
    }
    // The first of the queue: who has the lock and who is pending come before it.
    let mut value = word.load(Acquire);
    while value & (LOCKED_MASK | PENDING) != 0 {
        machine.relax();
        value = word.load(Acquire);
    }
    if value == tail && word.compare_exchange(value, LOCKED, Acquire) {
        return;
    }
    // Either somebody is behind, or somebody has just set the pending bit, has seen the tail and is going to be behind.
    word.fetch_or(LOCKED, Relaxed);
    let next = loop {
        match me.next.load(Acquire) {
            0 => machine.relax(),
            next => break next,
        }
    };
    named_by(machine, next).granted.store(1, Release);
}

fn exchange_tail(word: &impl Atomic<u32>, tail: u32) -> u32 {
    loop {
        let value = word.load(Relaxed);
        if word.compare_exchange(value, value & !TAIL_MASK | tail, AcqRel) {
            return value & TAIL_MASK;
        }
    }
}

fn tail_of(cpu: u32, index: u32) -> u32 {
    (cpu + 1) << TAIL_CPU_SHIFT | index << TAIL_INDEX_SHIFT
}

fn named_by<M: Machine>(machine: &M, tail: u32) -> &Waiter<M::Word> {
    machine.waiter((tail >> TAIL_CPU_SHIFT) - 1, tail >> TAIL_INDEX_SHIFT & (MAX_NESTING - 1))
}

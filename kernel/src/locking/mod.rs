//! Locks that wait by spinning, and data that are read without a lock.
//!
//! Which lock protects data says who may use them: what interrupt handlers touch is in an [`IrqSpinLock`], everything else in a [`SpinLock`]; there is no way to take the first
//! with interrupts on, or to reach the data of either without it. [`RawSpinLock`] protects what is not in it. The algorithms are [`incipit_lib::qspinlock`]'s and
//! [`incipit_lib::seqcount`]'s; nothing here knows what it protects.

#[cfg(CONFIG_DEBUG_SPINLOCK)]
mod debug;
mod irq_spin_lock;
#[cfg(CONFIG_SMP)]
mod mcs;
mod raw_spin_lock;
mod spin_lock;

pub use incipit_lib::seqcount::{SeqCount, SeqCountLatch};
pub use irq_spin_lock::{IrqSpinLock, IrqSpinLockGuard};
pub use raw_spin_lock::RawSpinLock;
pub use spin_lock::{SpinLock, SpinLockGuard};

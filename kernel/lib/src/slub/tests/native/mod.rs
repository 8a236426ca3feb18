//! Machines made of the standard library's atomics and locks.

#[path = "../machine.rs"]
pub mod machine;
mod threads;

pub mod sync {
    pub use std::sync::Mutex;
    pub use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
}

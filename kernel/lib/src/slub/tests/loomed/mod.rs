//! Machines made of loom's atomics and locks, of which it tries all interleavings.

mod explored;
#[path = "../machine.rs"]
pub mod machine;

pub mod sync {
    pub use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
    pub use loom::sync::{Arc, Mutex};
}

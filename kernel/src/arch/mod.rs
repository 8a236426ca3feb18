//! The processor architectures: one directory each, and nothing of any of them outside it.
//!
//! Code elsewhere reaches the processor through what these modules offer (interrupt flag, port input and output, page-table changes, fault-tolerant reads)
//! and holds no instruction of its own.

pub mod x86;

//! What the tests on the host share: where the built files are, a QEMU to boot them in, and readers of what comes out.
//!
//! Everything here looks at the kernel from outside: its files, its console, its memory as the emulator shows it. Nothing here measures time: a wall limit
//! only ends a run that would never end, and is reported as the harness's failure with the log so far.

pub mod built;
pub mod debugger;
pub mod elf;
pub mod golden;
pub mod guest;
pub mod ktap;
pub mod ktests;
pub mod log;
pub mod machine;
pub mod make;
pub mod monitor;
pub mod trial;

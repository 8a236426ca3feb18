//! The core: walks the tables from the first instruction of Rust to init.
//!
//! It knows levels, entries and the command line, and never a subsystem: those come through the tables alone. May use [`arch`](crate::arch), [`mm`](crate::mm)
//! and the log; nothing here knows a device.
//!
//! [`start_kernel`] runs the stages, the last of which, `rest_init`, becomes `kernel_init`: early initcalls, constructors, levels, tests,
//! the end of init memory, and then init.

pub mod capability;
pub mod command_line;
pub(crate) mod ctors;
pub mod info;
mod init_args;
pub mod initcall;
pub mod ktest;
pub mod listing;
pub(crate) mod main;
pub mod memory;
pub mod param;
pub mod setup;
pub mod stage;
pub mod version;

pub use capability::capabilities;
pub use command_line::saved_command_line;
pub use info::{EntryInfo, State, current};
pub use initcall::initcalls;
pub use main::start_kernel;
pub use memory::InitMemory;
pub use param::params;
pub use stage::stages;

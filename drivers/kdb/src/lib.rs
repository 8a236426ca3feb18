//! The monitor: commands that look into the kernel, typed at its console.
//!
//! `kdb` on the command line asks for it; it comes at the end of the boot, and `go` lets the kernel continue. While it runs nothing else does: it polls the
//! consoles, writes to them past the log, allocates nothing, and reads memory only in ways that survive a bad address. Commands are
//! [`incipit::kdb::Command`]s in the slice `KDB_COMMANDS`; those that belong to no room in particular are here. Prompt, names and errors are those of Linux's
//! kdb.
#![no_std]

mod commands;
mod editor;
mod monitor;
mod terminal;
mod tests;

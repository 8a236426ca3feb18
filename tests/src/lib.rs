//! What the tests on the host share: where the built files are, machines to boot them on, and readers of what comes out.
//!
//! Everything here looks at the kernel from outside: its files, its console, its memory as the emulator shows it. Nothing here measures time: a wall limit
//! only ends a run that would never end, and is reported as the harness's failure with the log so far.
//!
//! | room | what it holds the image against |
//! | --- | --- |
//! | `layout/` | the descriptions of the tables, read from the file by two readers |
//! | `golden/` | the reviewed order of stages and initcalls, and Linux's `start_kernel` |
//! | `kernel/` | the tests inside the kernel, each told as one of its own |
//! | `boot/` | machines, command lines, memory maps, initrds, damaged images, consoles, the monitor |
//! | `ways/` | every loader, firmware and emulator, as `docs/loaders.md` has them |
//! | `exceptions/` | every crash point, and what its report says |
//! | `attributes/` | mistakes with the attributes, compiled on the host |
//! | `report/` | the pictures, as a reader sees and clicks them in Chromium |
//! | `builds/` | other profiles and linkers, crates from outside the tree, mistakes between crates |
//! | `fixtures/` | crates that exist only to be tested with |

pub mod boots;
pub mod browser;
pub mod built;
pub mod configured;
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
pub mod screen;
pub mod session;
pub mod shuffle;
pub mod side_by_side;
pub mod trial;
pub mod ways;

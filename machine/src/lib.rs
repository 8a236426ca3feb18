//! The machines that the image is booted on: one description for `make iso`, `make bochs`, `make qemu-uefi`, the tests and the figures.
//!
//! A machine is an emulator, its firmware, a loader, and what the loader hands over. [`Machine::qemu`] and [`Machine::bochs`] make the media that the loader needs, in a folder
//! of the caller's, and the command line of the emulator.
//!
//! | room | what it knows |
//! | --- | --- |
//! | [`machine`] | the description, and which combinations there are |
//! | [`qemu`], [`bochs`] | how an emulator is told of it |
//! | [`firmware`] | where the machine keeps UEFI |
//! | [`grub`], [`esp`] | the media: a CD with GRUB, a disk with an EFI system partition |
//! | [`vmm`] | memory with the kernel in it already, for a machine without firmware |
//!
//! Nothing here watches a guest: who starts one decides what to wait for.

pub mod bochs;
pub mod esp;
pub mod firmware;
pub mod grub;
pub mod machine;
pub mod qemu;
mod tool;
pub mod vmm;

pub use machine::{Emulator, Loader, Machine};

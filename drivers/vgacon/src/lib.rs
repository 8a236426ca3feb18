//! The virtual terminal on a VGA's text screen, and its elders': Linux's `drivers/video/console/vgacon.c`.
//!
//! The screen goes on where firmware and loader stopped. When it is full it moves on through the adapter's memory by a register, so that a line costs a line;
//! only at the end of the memory all of it is written again. Nothing is read back but what was there before.
#![no_std]

mod controller;
mod screen;

mod tests;

use incipit::arch::x86::setup::{boot_params, setup_arch};
use incipit::console::{Console, EarlyconDevice};
use incipit::prelude::*;
use incipit::resource::{Kind, request_region};
use incipit_lib::video::{Adapter, TextMode};

use screen::VGA_CON;

/// The display is the VGA, where a text mode is set: what Linux's `setup_arch` does at its end. Its ports are nobody else's then.
#[init]
#[stage(after(setup_arch), before(incipit::init::command_line::setup_command_line))]
pub fn vgacon_register_screen() {
    let Ok(mode) = TextMode::from_screen_info(&boot_params().screen_info()) else {
        return;
    };
    incipit_vt::set_conswitchp(&VGA_CON);
    let (ports, name) = match mode.adapter {
        Adapter::Mda => (0x3b0..=0x3bf, "mda"),
        Adapter::Cga => (0x3d4..=0x3d5, "cga"),
        Adapter::EgaMono | Adapter::Ega => (0x3c0..=0x3df, "ega"),
        Adapter::Vga => (0x3c0..=0x3df, "vga+"),
    };
    match request_region(Kind::Io, ports, name) {
        Ok(region) => region.keep(),
        Err(error) => pr_warn!("vgacon: the ports of the adapter cannot be had: {error}"),
    }
}

/// `earlyprintk=vga`, `earlycon=vga`: the text screen.
#[init]
#[earlycon("vga")]
fn early_vga_setup(_device: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
    incipit_vt::start_early(&VGA_CON)
}

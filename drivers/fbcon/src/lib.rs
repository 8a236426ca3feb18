//! The virtual terminal on a linear framebuffer, VESA's or EFI's: Linux's `efifb`, `vesafb` and `fbcon`, as far as a screen of text needs them.
//!
//! The mode is the one that firmware or loader set; nobody changes it. Cells that differ from what is drawn are drawn again, whole runs of them at once; the
//! video memory is written through a mapping that combines writes, and never read. What `screen_info` says is checked by `incipit_lib::video` before anything
//! of it is believed.
#![no_std]

mod canvas;
mod font;
mod options;
mod screen;

mod tests;

use incipit::arch::x86::setup::boot_params;
use incipit::console::{Console, EarlyconDevice};
use incipit::prelude::*;
use incipit::resource::{Kind as Addresses, request_region};
use incipit_lib::video::Framebuffer;
use incipit_vt::{con_init, vt_console_init};

use screen::FBCON;

/// The terminal moves to the framebuffer, if there is one.
///
/// # Errors
///
/// `ENODEV` if it cannot be used; the log says why, and the terminal stays on the dummy.
#[init]
#[initcall(console, after(con_init), before(vt_console_init))]
pub fn fb_console_init() -> Result<(), Errno> {
    let mut info = boot_params().screen_info();
    let Some(kind) = incipit_lib::video::Kind::of(&info) else {
        return Ok(());
    };
    let (options, driver) = (options::of(kind), kind.driver());
    if options.off {
        pr_info!("{driver}: switched off by video={driver}:off");
        return Ok(());
    }
    options.correct(&mut info);
    incipit_vt::take_over(&FBCON)?;
    if let Some(Ok(framebuffer)) = Framebuffer::from_screen_info(&info) {
        let last = framebuffer.base + framebuffer.len() as u64 - 1;
        match request_region(Addresses::Mem, framebuffer.base..=last, driver) {
            Ok(region) => region.keep(),
            // Others draw there at their own risk, as in Linux.
            Err(error) => pr_warn!("{driver}: cannot reserve video memory at {:#x}: {error}", framebuffer.base),
        }
    }
    Ok(())
}

/// `earlycon=efifb`, `earlyprintk=efi`: the framebuffer, VESA's too.
#[init]
#[earlycon("efifb")]
fn efi_earlycon_setup(_device: &EarlyconDevice) -> Result<&'static dyn Console, Errno> {
    incipit_vt::start_early(&FBCON)
}

//! What the command line says of framebuffers: `video=`, `fbcon=`, `vga=`.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use incipit::arch::x86::setup::boot_params;
use incipit::prelude::*;
use incipit::printk::BustableLock;
use incipit_lib::video::{FramebufferOptions, Kind, VideoOption};

use crate::font::{self, FONTS};

/// What was said of each kind.
#[derive(Clone, Copy)]
struct Said {
    vesa: FramebufferOptions,
    efi: FramebufferOptions,
}

static SAID: BustableLock<Option<Said>> = BustableLock::new(None);

/// The font that was asked for, by its place in [`FONTS`]; beyond them if none was.
static FONT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Other words of Linux's `fbcon=`: what they change does not exist here.
const WITHOUT_EFFECT: [&str; 8] = ["scrollback", "map", "vc", "rotate", "margin", "nodefer", "logo-pos", "logo-count"];

/// What was said of framebuffers of this kind.
pub fn of(kind: Kind) -> FramebufferOptions {
    let said = SAID.lock().and_then(|said| *said);
    said.map_or(FramebufferOptions::default(), |said| match kind {
        Kind::Vesa => said.vesa,
        Kind::Efi => said.efi,
    })
}

/// The font that was asked for.
pub fn font() -> Option<&'static font::Entry> {
    FONTS.get(FONT.load(Relaxed))
}

/// `video=efifb:words` or `video=vesafb:words`: what to do with the framebuffer of that kind: `off`, `nowc`, and where the firmware is wrong about it
/// `base:`, `width:`, `height:` and `stride:` (in pixels) with the right number. The mode itself is the firmware's or the loader's choice.
#[init]
#[early_param("video")]
fn video_setup(value: Option<&'static str>) -> Result<(), Errno> {
    let value = value.unwrap_or_default();
    match VideoOption::parse(value) {
        VideoOption::Framebuffer(kind, words) => {
            let mut options = of(kind);
            if let Err(error) = options.parse(words) {
                pr_warn!("video={value}: {error}");
            }
            remember(kind, options);
        }
        VideoOption::Other(driver) => pr_warn!("video={value}: no framebuffer driver '{driver}' in this kernel (efifb or vesafb)"),
        VideoOption::Mode(_) => pr_warn!("video={value}: the mode is set before the kernel starts, by the firmware or the boot loader"),
    }
    Ok(())
}

#[init]
fn remember(kind: Kind, options: FramebufferOptions) {
    let Some(mut guard) = SAID.lock() else { return };
    let said = guard.get_or_insert(Said {
        vesa: FramebufferOptions::default(),
        efi: FramebufferOptions::default(),
    });
    match kind {
        Kind::Vesa => said.vesa = options,
        Kind::Efi => said.efi = options,
    }
}

/// `fbcon=font:name`: the font on framebuffers, `8x16`, `12x24` or `16x32`, instead of the one that suits the screen. Linux's other words make no difference.
#[init]
#[early_param("fbcon")]
fn fb_console_setup(value: Option<&'static str>) -> Result<(), Errno> {
    let value = value.unwrap_or_default();
    match value.split_once(':').unwrap_or((value, "")) {
        ("font", name) => match font::find(name) {
            Some(place) => FONT.store(place, Relaxed),
            None => pr_warn!("fbcon={value}: no font '{name}' in this kernel (8x16, 12x24 or 16x32)"),
        },
        (word, _) if WITHOUT_EFFECT.contains(&word) => {}
        (word, _) => pr_warn!("fbcon={value}: '{word}' is no option (font:)"),
    }
    Ok(())
}

/// `vga=mode`: for the boot loader and the 16-bit set-up code, which set the mode. Where neither did, a line says so.
#[init]
#[early_param("vga")]
fn vga_setup(value: Option<&'static str>) -> Result<(), Errno> {
    let value = value.unwrap_or_default();
    let is_set = Kind::of(&boot_params().screen_info()).is_some() || matches!(value, "normal" | "ext" | "ask" | "current");
    if !is_set {
        pr_info!("vga={value}: nobody set that mode: the boot loader does that before the kernel starts, if it can");
    }
    Ok(())
}

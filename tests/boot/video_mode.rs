//! The video mode that `vga=` asks for: QEMU takes it from the command line and puts it into the setup header, and the set-up code sets it.
//!
//! Numbers are VESA's (VBE 2.0, section 3) with Linux's 0x200 added; 0x117 is 1024 by 768 pixels of 16 bits.

use anyhow::Result;
use incipit_tests::built::Build;
use incipit_tests::log::Log;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("video_mode::one_with_a_linear_framebuffer_is_set_and_described", || {
            boot("vga=0x317")?.require_mention("vesafb: mode is 1024x768x16, linelength=2048")
        }),
        trial("video_mode::one_that_is_not_there_leaves_the_text_screen", || text("vga=0x9fe")),
        trial("video_mode::one_of_text_leaves_the_text_screen", || text("vga=0x0f01")),
        trial("video_mode::none_leaves_the_text_screen", || text("vga=normal")),
    ]
}

fn boot(words: &str) -> Result<Log> {
    Machine::new(&Build::ours().bzimage()).append(words).run()
}

/// Boots with `words`, and wants VGA's text mode.
fn text(words: &str) -> Result<()> {
    let log = boot(words)?;
    log.refuse("vesafb:")?;
    log.require_mention("Console: colour VGA+ 80x25")
}

//! The log on screens, read from them: the serial line says at the same time what must be there.

use anyhow::{Context, Result, ensure};
use incipit_lib::psf::Font;
use incipit_machine::grub::Protocol;
use incipit_tests::built::Build;
use incipit_tests::guest::Guest;
use incipit_tests::machine::{Firmware, Loader, Machine};
use incipit_tests::screen::wrapped;
use incipit_tests::trial::{trial, trial_on};
use libtest_mimic::Trial;

use crate::ending::require_end;

/// A framebuffer that works.
struct Framebuffer {
    /// GRUB's `gfxpayload`.
    mode: &'static str,
    /// More words for the kernel.
    words: &'static str,
    font: &'static [u8],
    /// The size in characters.
    size: (usize, usize),
}

const fn good(mode: &'static str, words: &'static str, font: &'static [u8], size: (usize, usize)) -> Framebuffer {
    Framebuffer { mode, words, font, size }
}

const FRAMEBUFFERS: &[Framebuffer] = &[
    good("1024x768x32", "", spleen_font::FONT_8X16, (128, 48)),
    good("800x600x24", "", spleen_font::FONT_8X16, (100, 37)),
    good("640x480x16", "", spleen_font::FONT_8X16, (80, 30)),
    good("640x480x15", "", spleen_font::FONT_8X16, (80, 30)),
    good("1920x1080x32", "", spleen_font::FONT_12X24, (160, 45)),
    good("1024x768x32", "fbcon=font:TER16x32", spleen_font::FONT_16X32, (64, 24)),
];

/// Framebuffers that are none: what the command line makes of a good one, and what the line about it says.
const BAD: &[(&str, &str)] = &[
    ("width:0", "0x768 pixels are none"),
    ("height:0", "1024x0 pixels are none"),
    ("stride:100", "lines of 400 bytes do not hold their pixels (4096 bytes)"),
    ("base:0", "it has no address"),
    ("width:7,height:15", "7x15 pixels have no room for a character of 8x16"),
    ("base:0x200000", "0x300000 bytes at 0x200000 cannot be mapped: EINVAL"),
];

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("screens::the_text_screen_shows_what_the_serial_line_says", || {
            let mut guest = text("console=tty0 kdb").start()?;
            guest.wait_for("kdb> ")?;
            shows_the_end(&mut guest, (80, 25), Guest::screen)?;
            // More than the adapter's memory holds: it begins again at its start, at another place each time.
            for round in 0..6 {
                guest.send(b"help\r")?;
                guest.wait_for("kdb> ")?;
                guest.send(b"dmesg\r")?;
                guest.wait_for("kdb> ")?;
                shows_the_end(&mut guest, (80, 25), Guest::screen).with_context(|| format!("round {round}"))?;
            }
            Ok(())
        }),
        trial("screens::without_console_the_screen_is_the_console", || {
            let mut guest = text("").only("kdb").start()?;
            let lines = guest.wait_for_on_screen("kdb>", Guest::screen)?;
            ensure!(
                guest.log().from("").is_empty(),
                "the serial line is not asked for: {}",
                guest.log().tail()
            );
            ensure!(lines.last().is_some_and(|line| line == "[0]kdb>"), "{}", lines.join("\n"));
            Ok(())
        }),
        trial("screens::without_a_screen_the_serial_line_is_the_console", || {
            let log = Machine::new(&Build::ours().vmlinux()).chipset("microvm").only("panic=-1").run()?;
            log.require(&["Console: colour dummy device 80x25", "printk: console [ttyS0] enabled"])
        }),
        trial("screens::the_text_screen_goes_on_below_what_the_firmware_left", || {
            let mut guest = text("console=tty0 quiet kdb").start()?;
            guest.wait_for("kdb> ")?;
            let lines = guest.screen()?;
            let at = |part: &str| lines.iter().position(|line| line.contains(part));
            ensure!(
                at("SeaBIOS").is_some() && at("SeaBIOS") < at("Entering kdb"),
                "{}",
                lines.join("\n")
            );
            Ok(())
        }),
        trial("screens::the_text_screen_is_an_early_console_that_tty0_goes_on_from", || {
            let mut guest = text("console=tty0 earlyprintk=vga kdb").start()?;
            guest.wait_for("kdb> ")?;
            guest.log().require(&[
                "printk: bootconsole [earlyvga0] enabled",
                "printk: bootconsole [earlyvga0] disabled",
            ])?;
            let lines = guest.screen_and_above()?;
            let count = lines.iter().filter(|line| line.contains("printk: console [ttyS0] enabled")).count();
            ensure!(count == 1, "{count} times:\n{}", lines.join("\n"));
            Ok(())
        }),
        trial("screens::a_panic_reaches_every_console", || {
            let mut guest = text("console=tty0 panic=0").start()?;
            guest.wait_for("---[ end Kernel panic - not syncing: No working init found.")?;
            guest.wait_for("]---")?;
            let lines = guest.wait_for_on_screen("end Kernel panic", Guest::screen)?;
            ensure!(lines.iter().any(|line| line.contains("Call Trace:")), "{}", lines.join("\n"));
            Ok(())
        }),
        trial("screens::an_oops_in_the_midst_of_the_boot_reaches_every_console", || {
            let mut guest = text("console=tty0 panic=0 lkdtm.cpoint_name=DIRECT lkdtm.cpoint_type=EXCEPTION").start()?;
            guest.wait_for("]---")?;
            guest.wait_for("]---")?;
            let lines = guest.wait_for_on_screen("end Kernel panic", Guest::screen)?;
            ensure!(lines.iter().any(|line| line.contains("lkdtm")), "{}", lines.join("\n"));
            Ok(())
        }),
        trial("screens::without_any_console_the_last_words_are_on_the_serial_line", || {
            let log = Machine::new(&Build::ours().vmlinux()).only("console=nosuch panic=-1").run()?;
            require_end(&log)?;
            log.require_mention("Incipit version")
        }),
        trial("screens::without_any_console_the_last_words_are_on_the_text_screen", || {
            let mut guest = text("").only("console=nosuch").start()?;
            let lines = guest.wait_for_on_screen("end Kernel panic", Guest::screen)?;
            ensure!(lines.iter().any(|line| line.contains("Call Trace:")), "{}", lines.join("\n"));
            Ok(())
        }),
        trial("screens::who_types_at_the_screen_is_answered", || {
            let mut guest = text("").only("kdb").start()?;
            guest.wait_for_on_screen("kdb>", Guest::screen)?;
            guest.press("v e r s i n backspace o n ret")?;
            let lines = guest.wait_for_on_screen("Incipit version", Guest::screen)?;
            ensure!(lines.iter().any(|line| line == "[0]kdb> version"), "{}", lines.join("\n"));
            guest.press("up shift-a ret")?;
            guest.wait_for_on_screen("Unknown kdb command: 'versionA'", Guest::screen)?;
            Ok(())
        }),
        trial_on(
            &framebuffer("", ""),
            "screens::a_framebuffer_shows_nothing_if_it_is_switched_off",
            || {
                let log = framebuffer("1024x768x32", "console=tty0 video=efifb:off video=vesafb:off").run()?;
                require_end(&log)?;
                log.require_mention("switched off by video=")?;
                log.refuse("Console: switching to")
            },
        ),
        trial_on(
            &framebuffer("", ""),
            "screens::a_framebuffer_is_an_early_console_that_tty0_goes_on_from",
            || {
                let mut guest = framebuffer("1024x768x32", "console=tty0 earlycon=efifb kdb").start()?;
                guest.wait_for("kdb> ")?;
                guest
                    .log()
                    .require(&["printk: bootconsole [efifb0] enabled", "printk: bootconsole [efifb0] disabled"])?;
                shows_the_end(&mut guest, (128, 48), |guest| read(guest, spleen_font::FONT_8X16))
            },
        ),
        trial_on(
            &uefi(""),
            "screens::the_framebuffer_of_uefi_shows_what_the_serial_line_says",
            || {
                let mut guest = uefi("console=tty0 kdb").start()?;
                guest.wait_for("kdb> ")?;
                let log = guest.log();
                log.require_mention("efifb: framebuffer at ")?;
                let size = log
                    .lines()
                    .find_map(|line| line.strip_prefix("Console: switching to colour frame buffer device "));
                let (columns, rows) = size.and_then(|size| size.split_once('x')).context("no framebuffer console")?;
                let size = (columns.parse()?, rows.parse()?);
                guest.send(b"help\r")?;
                guest.wait_for("kdb> ")?;
                shows_the_end(&mut guest, size, |guest| read(guest, spleen_font::FONT_8X16))
            },
        ),
        trial_on(&framebuffer("", ""), "screens::a_panic_reaches_the_framebuffer", || {
            let mut guest = framebuffer("1024x768x32", "console=tty0 panic=0").start()?;
            guest.wait_for("---[ end Kernel panic")?;
            guest
                .wait_for_on_screen("end Kernel panic", |guest| read(guest, spleen_font::FONT_8X16))
                .map(drop)
        }),
        trial("screens::options_that_nobody_knows_are_named", || {
            let log = text("video=nosuch:off video=1024x768 video=efifb:fast fbcon=font:nosuch fbcon=nosuch vga=0x9fe").run()?;
            require_end(&log)?;
            for line in [
                "video=nosuch:off: no framebuffer driver 'nosuch' in this kernel (efifb or vesafb)",
                "video=1024x768: the mode is set before the kernel starts, by the firmware or the boot loader",
                "video=efifb:fast: 'fast' is no option (off, nowc, base:, width:, height:, stride:)",
                "fbcon=font:nosuch: no font 'nosuch' in this kernel (8x16, 12x24 or 16x32)",
                "fbcon=nosuch: 'nosuch' is no option (font:)",
            ] {
                log.require_mention(line)?;
            }
            log.require_mention("vga=0x9fe: nobody set that mode")
        }),
    ];
    trials.extend(FRAMEBUFFERS.iter().map(|&Framebuffer { mode, words, font, size }| {
        let name = if words.is_empty() {
            mode
        } else {
            words.rsplit(':').next().unwrap_or_default()
        };
        trial(
            format!("screens::a_framebuffer_of_{name}_shows_what_the_serial_line_says"),
            move || {
                let mut guest = framebuffer(mode, &format!("console=tty0 kdb {words}")).start()?;
                guest.wait_for("kdb> ")?;
                let line = format!("Console: switching to colour frame buffer device {}x{}", size.0, size.1);
                guest.log().require(&["Console: colour dummy device 80x25", &line])?;
                shows_the_end(&mut guest, size, |guest| read(guest, font))?;
                guest.send(b"help\r")?;
                guest.wait_for("kdb> ")?;
                shows_the_end(&mut guest, size, |guest| read(guest, font))
            },
        )
    }));
    trials.extend(BAD.iter().map(|&(words, complaint)| {
        trial_on(
            &framebuffer("", ""),
            format!("screens::a_framebuffer_with_{words}_is_refused"),
            move || {
                let log = framebuffer("1024x768x32", &format!("console=tty0 video=efifb:{words} video=vesafb:{words}")).run()?;
                require_end(&log)?;
                let complaints = log.lines().filter(|line| line.contains("the framebuffer cannot be used: ")).count();
                ensure!(complaints == 1, "{complaints} lines about it; the log ends:\n{}", log.tail());
                log.require_mention(&format!("the framebuffer cannot be used: {complaint}"))?;
                log.require(&["Console: colour dummy device 80x25", "printk: console [tty0] enabled"])
            },
        )
    }));
    trials
}

/// A machine with a text screen, which the 16-bit set-up code describes.
fn text(words: &str) -> Machine {
    Machine::new(&Build::ours().bzimage()).append(words).monitored()
}

/// A machine whose screen GRUB has put into another mode.
fn framebuffer(mode: &str, words: &str) -> Machine {
    text(words).loader(Loader::Grub(Protocol::Linux)).screen(mode)
}

/// A machine that boots by UEFI, which sets a framebuffer up itself.
fn uefi(words: &str) -> Machine {
    text(words).firmware(Firmware::Uefi).chipset("q35").memory("512M")
}

/// What a framebuffer shows, in a font.
fn read(guest: &mut Guest, font: &[u8]) -> Result<Vec<String>> {
    let font = Font::parse(font).ok().context("a font")?;
    Ok(guest.picture()?.read(&font))
}

/// Fails unless a screen of this size shows the end of what the serial line said.
fn shows_the_end(guest: &mut Guest, (columns, rows): (usize, usize), look: impl Fn(&mut Guest) -> Result<Vec<String>>) -> Result<()> {
    let said = guest.log().from("");
    let kernel = said.find("[    0.000000] Incipit version").context("the log has no beginning")?;
    let all = wrapped(&said[kernel..], columns);
    let expected = &all[all.len().saturating_sub(rows)..];
    ensure!(expected.len() == rows, "the log is shorter than the screen:\n{said}");
    let prompt = expected.last().cloned().unwrap_or_default();
    let shown = guest.wait_for_on_screen(prompt.trim(), look)?;
    ensure!(
        shown
            .iter()
            .map(|line| line.trim_end())
            .eq(expected.iter().map(|line| line.trim_end())),
        "expected:\n{}\nshown:\n{}",
        expected.join("\n"),
        shown.join("\n")
    );
    Ok(())
}

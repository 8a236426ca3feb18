//! Takes the pictures of a boot that the documentation shows: `screenshots --image out/bzImage --output docs/images`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use incipit_machine::grub::Protocol;
use incipit_tests::guest::Guest;
use incipit_tests::machine::{Loader, Machine};
use incipit_tests::screen::Picture;

/// Takes pictures of a boot on a text screen and on a framebuffer.
#[derive(Parser)]
struct Arguments {
    /// The bzImage to boot.
    #[arg(long)]
    image: PathBuf,
    /// The folder to write them to.
    #[arg(long)]
    output: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { image, output } = Arguments::parse();
    let machine = Machine::new(&image).append("console=tty0 kdb").monitored();
    take(&machine, b"summary\r", &output.join("boot-vga-text.png"))?;
    let machine = machine.loader(Loader::Grub(Protocol::Linux)).screen("1024x768x32");
    take(&machine, b"initcalls\r", &output.join("boot-framebuffer.png"))
}

/// Boots `machine` to its monitor, types `command`, and writes a picture of the screen to `file`.
fn take(machine: &Machine, command: &[u8], file: &Path) -> Result<()> {
    let mut guest = machine.start()?;
    guest.wait_for("kdb> ")?;
    guest.send(command)?;
    guest.wait_for("kdb> ")?;
    let picture = settled(&mut guest)?;
    write(&picture, file).with_context(|| file.display().to_string())
}

/// A picture of a screen that has come to rest: QEMU draws it now and then, and the cursor may blink.
fn settled(guest: &mut Guest) -> Result<Picture> {
    let mut last = guest.picture()?;
    loop {
        let next = guest.picture()?;
        if next.pixels() == last.pixels() {
            return Ok(next);
        }
        last = next;
    }
}

fn write(picture: &Picture, file: &Path) -> Result<()> {
    let (width, height) = picture.size();
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(file)?), u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.write_header()?.write_image_data(picture.pixels())?;
    Ok(())
}

//! A bzImage that is cut short: it says so, on the serial line and on the screen, and stops.

use std::fs;

use anyhow::{Context, Result};
use incipit_tests::built::Build;
use incipit_tests::guest::Folder;
use incipit_tests::machine::Machine;
use incipit_tests::trial::trial;
use libtest_mimic::Trial;

use crate::processors::says_and_stops;

/// Where the setup header says how many sectors of set-up code follow the first one.
const SETUP_SECTS: usize = 0x1f1;
const SECTOR: usize = 512;

/// Where the kernel says at which physical address its last bytes lie, how many these are, and where the kernel itself begins.
const TRAILER_FIELD: usize = 8;
const TRAILER: usize = 16;
const LOAD_ADDRESS: usize = 0x10_0000;

pub fn trials() -> Vec<Trial> {
    [
        ("behind_its_set_up_code", 0.0, 16),
        ("in_its_first_tenth", 0.1, 0),
        ("in_the_middle", 0.5, 0),
        ("in_its_last_tenth", 0.9, 0),
    ]
    .into_iter()
    .map(|(name, share, more)| {
        trial(format!("damaged_images::one_cut_short_{name}_says_so"), move || {
            cut(|kernel| (kernel as f64 * share) as usize + more)
        })
    })
    .chain([
        trial("damaged_images::one_that_lacks_the_last_byte_of_the_kernel_says_so", || {
            cut(|kernel| kernel - 1)
        }),
        trial("damaged_images::one_that_lacks_its_last_sector_says_so", || {
            cut(|kernel| kernel - SECTOR)
        }),
    ])
    .collect()
}

/// Boots a bzImage of which only so much of the kernel is left as `left` says of its size.
fn cut(left: impl FnOnce(usize) -> usize) -> Result<()> {
    let bytes = fs::read(Build::ours().bzimage())?;
    let setup = (usize::from(*bytes.get(SETUP_SECTS).context("a bzImage has a header")?) + 1) * SECTOR;
    let field = bytes
        .get(setup + TRAILER_FIELD..)
        .and_then(|rest| rest.first_chunk())
        .context("a kernel has a head")?;
    let kernel = u32::from_le_bytes(*field) as usize - LOAD_ADDRESS + TRAILER;
    let folder = Folder::new()?;
    let file = folder.path().join("bzImage");
    fs::write(&file, &bytes[..setup + left(kernel)])?;
    says_and_stops(&Machine::new(&file), "The kernel image is cut short: load all of it.")
}

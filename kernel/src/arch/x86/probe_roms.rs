//! The ROMs of a PC's adapters, entered where they are: Linux's file of the same name.

use core::ops::Range;

use incipit_lib::checksum::sum;
use incipit_lib::rom::Rom;

use crate::arch::x86::mm::ioremap::memremap;
use crate::arch::x86::smpboot::{self, Identified};
use crate::prelude::*;
use crate::resource::{Kind, insert};

/// Where ROMs begin, if anywhere.
const STEP: u64 = 2048;
/// Where the graphics adapter's is; it ends here, too, if it does not say where.
const VIDEO: Range<u64> = 0xc_0000..0xc_8000;
/// One that belongs to the BIOS.
const EXTENSION: Range<u64> = 0xe_0000..0xf_0000;
/// The BIOS itself.
const SYSTEM: Range<u64> = 0xf_0000..0x10_0000;
/// How many adapters' ROMs are entered.
const ADAPTERS: usize = 6;

/// The memory that may be ROM.
struct Memory<'a>(&'a [u8]);

impl Memory<'_> {
    /// The bytes from `start` to `end`.
    fn bytes(&self, start: u64, end: u64) -> &[u8] {
        &self.0[(start - VIDEO.start) as usize..(end - VIDEO.start) as usize]
    }

    /// What is at `start`, if it ends before `end`.
    fn at(&self, start: u64, end: u64) -> Rom {
        Rom::at(self.bytes(start, end))
    }

    /// The graphics adapter's ROM. If what it says of its length is wrong, it ends where such a ROM ends at the latest.
    fn video(&self) -> Option<Range<u64>> {
        VIDEO
            .step_by(STEP as usize)
            .find_map(|start| match self.at(start, EXTENSION.start) {
                Rom::Absent => None,
                Rom::Sound(length) => Some(start..start + length as u64),
                Rom::Length(_) | Rom::Checksum(_) => Some(start..VIDEO.end),
            })
    }

    /// The one that belongs to the BIOS. Its length is known, whatever it says.
    fn extension(&self) -> Option<Range<u64>> {
        let is_rom = self.at(EXTENSION.start, EXTENSION.end) != Rom::Absent;
        (is_rom && sum(self.bytes(EXTENSION.start, EXTENSION.end)) == 0).then_some(EXTENSION)
    }
}

/// Finds the ROMs and enters them among what has addresses: Linux's function of the same name.
#[init]
#[stage(after(crate::arch::x86::setup::setup_arch), wants(Identified), before(smpboot::get_smp_config))]
fn probe_roms() {
    let Ok(memory) = memremap(VIDEO.start, (SYSTEM.end - VIDEO.start) as usize) else {
        return;
    };
    let memory = Memory(&memory);
    let (video, extension) = (memory.video(), memory.extension());
    let end = extension.as_ref().map_or(SYSTEM.start, |rom| rom.start);
    let mut start = VIDEO.end;
    if let Some(rom) = video {
        enter(&rom, "Video ROM");
        start = start.max(rom.end.next_multiple_of(STEP));
    }
    enter(&SYSTEM, "System ROM");
    if let Some(rom) = extension {
        enter(&rom, "Extension ROM");
    }
    let mut found = 0;
    while start < end && found < ADAPTERS {
        if let Rom::Sound(length) = memory.at(start, end) {
            let rom = start..start + length as u64;
            enter(&rom, "Adapter ROM");
            found += 1;
            start = rom.end.next_multiple_of(STEP);
        } else {
            start += STEP;
        }
    }
}

#[init]
fn enter(rom: &Range<u64>, name: &'static str) {
    insert(Kind::Mem, rom.start..=rom.end - 1, name, true);
}

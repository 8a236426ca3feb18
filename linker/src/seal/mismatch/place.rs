//! Where in the sources an address comes from, by the image's line tables. They are read when there is something to complain about, and only then.

use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use addr2line::{Context, LookupResult};

use crate::seal::image::Image;

/// The line tables of an image.
pub struct Lines<'i>(Option<Context<EndianSlice<'i, LittleEndian>>>);

impl<'i> Lines<'i> {
    /// Those of `image`; one without debug information has no lines.
    #[must_use]
    pub fn of(image: &'i Image) -> Self {
        let load = |id: SectionId| {
            let contents = image.section(id.name()).map_or(&[][..], |section| image.contents(section));
            Ok::<_, addr2line::gimli::Error>(EndianSlice::new(contents, LittleEndian))
        };
        Self(Dwarf::load(load).and_then(Context::from_dwarf).ok())
    }

    /// `file:line` of the function that the code at `address` is compiled from: of the call, if the code was inlined there.
    #[must_use]
    pub fn place(&self, address: u64) -> Option<String> {
        let found = self.0.as_ref()?.find_frames(address);
        let mut frames = match found {
            LookupResult::Output(frames) => frames.ok()?,
            // Debug information in files of its own: the image has all of its own.
            LookupResult::Load { .. } => return None,
        };
        let mut outermost = None;
        while let Ok(Some(frame)) = frames.next() {
            outermost = frame.location.or(outermost);
        }
        let location = outermost?;
        Some(format!("{}:{}", location.file?, location.line?))
    }
}

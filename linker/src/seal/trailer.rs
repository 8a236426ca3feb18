//! Marks the image as whole, and looks for its identity.

use anyhow::{Context, Result};

use super::image::Image;
use super::problem::Problems;

/// What stands at `__image_trailer` in a sealed image. The same 16 bytes end a bzImage's flat kernel, where the head looks for them before it goes on.
pub const COMPLETE: &[u8; 16] = b"Incipit complete";

/// `n_type` of a build id, in a note of the owner `GNU`.
const NT_GNU_BUILD_ID: u32 = 3;

/// Writes the mark.
///
/// # Errors
///
/// If the image has no room for it in its file.
pub fn write(image: &mut Image) -> Result<()> {
    let address = image.address_of("__image_trailer").context("no symbol __image_trailer")?;
    image.patch(address, COMPLETE)
}

/// The build id that the linker gave the image, in hexadecimal; none is noted in `problems`.
pub fn build_id(image: &Image, problems: &mut Problems) -> Option<String> {
    let mut notes = image
        .sections()
        .iter()
        .filter(|section| section.kind == object::elf::SHT_NOTE.0 || section.name == ".notes");
    let id = notes.find_map(|section| find_build_id(image.contents(section)));
    if id.is_none() {
        problems.add(".notes", "no build id: link with --build-id=sha1");
    }
    id
}

/// Looks through the notes of a section: sizes of name and description, a type, then both, each padded to four bytes.
fn find_build_id(mut notes: &[u8]) -> Option<String> {
    let word = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    loop {
        let (name_size, size, kind) = (word(notes, 0)? as usize, word(notes, 4)? as usize, word(notes, 8)?);
        let name = notes.get(12..12 + name_size)?;
        let start = 12 + name_size.next_multiple_of(4);
        let description = notes.get(start..start + size)?;
        if name == b"GNU\0" && kind == NT_GNU_BUILD_ID {
            return Some(description.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        notes = notes.get(start + size.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::testing::Kernel;

    #[test]
    fn the_mark_is_where_the_symbol_says() {
        let mut image = Kernel::new().image();
        write(&mut image).unwrap();
        let at = image.address_of("__image_trailer").unwrap();
        assert_eq!(image.at(at..at + 16).unwrap(), b"Incipit complete");
    }

    #[test]
    fn an_image_without_room_for_the_mark_is_refused() {
        let mut kernel = Kernel::new();
        kernel.without_symbol("__image_trailer");
        assert!(write(&mut kernel.image()).is_err());
    }

    #[test]
    fn the_build_id_is_found() {
        let mut problems = Problems::default();
        assert_eq!(
            build_id(&Kernel::new().image(), &mut problems).unwrap(),
            "000102030405060708090a0b0c0d0e0f10111213"
        );
        assert!(problems.is_empty());
    }

    #[test]
    fn the_build_id_is_found_behind_other_notes_and_missed_where_there_is_none() {
        let note = |name: &[u8], kind: u32, description: &[u8]| {
            let mut note = Vec::new();
            for word in [name.len() as u32, description.len() as u32, kind] {
                note.extend(word.to_le_bytes());
            }
            for field in [name, description] {
                note.extend(field);
                note.resize(note.len().next_multiple_of(4), 0);
            }
            note
        };
        let (pvh, other, id) = (
            note(b"Xen\0", 18, &[1; 4]),
            note(b"GNU\0", 5, &[7; 3]),
            note(b"GNU\0", 3, &[0xab; 2]),
        );
        assert_eq!(find_build_id(&[&pvh[..], &other, &id].concat()).unwrap(), "abab");
        assert_eq!(find_build_id(&[&pvh[..], &other].concat()), None);
        for cut in 1..id.len() - 2 {
            assert_eq!(find_build_id(&id[..cut]), None, "{cut}");
        }
    }
}

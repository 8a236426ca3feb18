//! What a boot manager passes to an EFI application: a command line in UTF-16.

/// The characters of `options` up to their NUL; what is no UTF-16 becomes U+FFFD.
pub fn characters(options: impl IntoIterator<Item = u16>) -> impl Iterator<Item = char> {
    char::decode_utf16(options.into_iter().take_while(|&unit| unit != 0)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// Writes `options` as UTF-8 to `line`, with a NUL behind it. Returns the length without the NUL, and whether all of it found room.
pub fn to_command_line(options: impl IntoIterator<Item = u16>, line: &mut [u8]) -> (usize, bool) {
    let mut length = 0;
    let mut whole = true;
    for character in characters(options) {
        let end = length + character.len_utf8();
        if end >= line.len() {
            whole = false;
            break;
        }
        character.encode_utf8(&mut line[length..end]);
        length = end;
    }
    if let Some(end) = line.get_mut(length) {
        *end = 0;
    }
    (length, whole)
}

/// The files that `initrd=` names in a command line, in their order: together they are the RAM disk.
pub fn initrd_files(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter_map(|word| word.strip_prefix(b"initrd="))
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn line(options: &[u16], room: usize) -> (Vec<u8>, bool) {
        let mut bytes = vec![0xff; room];
        let (length, whole) = to_command_line(options.iter().copied(), &mut bytes);
        assert_eq!(bytes.get(length), (room > 0).then_some(&0));
        bytes.truncate(length);
        (bytes, whole)
    }

    #[test]
    fn utf_16_becomes_utf_8_up_to_its_nul() {
        let options: Vec<u16> = "console=ttyS0 name=Grüße𝄞\0garbage".encode_utf16().collect();
        assert_eq!(line(&options, 100), ("console=ttyS0 name=Grüße𝄞".as_bytes().to_vec(), true));
        assert_eq!(line(&[], 1), (vec![], true));
    }

    #[test]
    fn half_a_character_is_replaced() {
        assert_eq!(line(&[0x61, 0xd834, 0x62], 100), ("a\u{fffd}b".as_bytes().to_vec(), true));
    }

    #[test]
    fn a_line_without_room_is_cut_between_characters() {
        let options: Vec<u16> = "aü".encode_utf16().collect();
        assert_eq!(line(&options, 4), ("aü".as_bytes().to_vec(), true));
        assert_eq!(line(&options, 3), (b"a".to_vec(), false));
        assert_eq!(line(&options, 1), (vec![], false));
        assert_eq!(line(&options, 0), (vec![], false));
    }

    #[test]
    fn every_initrd_counts_in_order() {
        let files: Vec<_> = initrd_files(b"initrd=\\a.cpio quiet xinitrd=no initrd= initrd=b").collect();
        assert_eq!(files, [b"\\a.cpio".as_slice(), b"b"]);
    }

    proptest! {
        #[test]
        fn any_options_are_valid_text_within_their_room(options in proptest::collection::vec(any::<u16>(), 0..64), room in 0_usize..80) {
            let (bytes, _) = line(&options, room);
            prop_assert!(bytes.len() < room.max(1));
            prop_assert!(core::str::from_utf8(&bytes).is_ok());
        }
    }
}

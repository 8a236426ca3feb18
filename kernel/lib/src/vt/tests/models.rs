//! Properties, for any text.

use super::*;
use proptest::prelude::*;
use std::string::ToString;
use std::vec;

/// Text as it comes: plain, with sequences, and bytes that are neither.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-z ]{0,12}".prop_map(String::into_bytes),
        3 => Just(b"\n".to_vec()),
        1 => "[\r\t\x08]".prop_map(String::into_bytes),
        4 => "\x1b\\[[?]?[0-9]{0,3}(;[0-9]{0,3}){0,3}[@A-Za-z]".prop_map(String::into_bytes),
        1 => "\x1b[78DEMc]".prop_map(String::into_bytes),
        1 => "[é€─😀]".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn geometry() -> impl Strategy<Value = (usize, usize)> {
    (1..17_usize, 1..17_usize)
}

/// Everything that can be seen.
fn look(screen: &Small) -> (Vec<Vec<Cell>>, Option<Cursor>) {
    ((0..screen.rows()).map(|row| screen.row(row).to_vec()).collect(), screen.cursor())
}

proptest! {
    #[test]
    fn plain_lines_are_shown_as_a_list_of_lines_would_be(
        text in proptest::collection::vec("[a-z]{0,20}", 0..12),
        (columns, rows) in geometry(),
    ) {
        let mut screen = screen(columns, rows);
        screen.write(text.join("\n").as_bytes());
        let mut expected: Vec<String> = vec![];
        for line in &text {
            let mut chunks = line.as_bytes().chunks(columns).peekable();
            if chunks.peek().is_none() {
                expected.push(String::new());
            }
            expected.extend(chunks.map(|chunk| std::str::from_utf8(chunk).expect("letters").to_string()));
        }
        let skipped = expected.len().saturating_sub(rows);
        expected.drain(..skipped);
        expected.resize(rows, String::new());
        prop_assert_eq!(lines(&screen), expected);
    }

    #[test]
    fn text_in_pieces_is_the_same_text(text in pieces(), (columns, rows) in geometry(), cut in any::<prop::sample::Index>()) {
        let (mut whole, mut cut_up) = (screen(columns, rows), screen(columns, rows));
        whole.write(&text);
        let at = cut.index(text.len() + 1);
        cut_up.write(&text[..at]);
        cut_up.write(&text[at..]);
        prop_assert_eq!(look(&whole), look(&cut_up));
    }

    #[test]
    fn the_cursor_stays_on_the_screen(text in pieces(), (columns, rows) in geometry()) {
        let mut screen = screen(columns, rows);
        screen.write(&text);
        prop_assert!(screen.cursor.column < columns && screen.cursor.row < rows);
        prop_assert!(screen.region.start < screen.region.end && screen.region.end <= rows);
    }

    #[test]
    fn who_draws_what_is_damaged_shows_the_screen(
        texts in proptest::collection::vec(pieces(), 1..5),
        (columns, rows) in geometry(),
    ) {
        let mut screen = screen(columns, rows);
        screen.take_damage();
        let mut display = look(&screen).0;
        for text in texts {
            screen.write(&text);
            let damage = screen.take_damage();
            for _ in 0..damage.scrolled().min(rows) {
                display.rotate_left(1);
            }
            for (row, cells) in display.iter_mut().enumerate().filter(|(row, _)| damage.has(*row)) {
                *cells = screen.row(row).to_vec();
            }
            prop_assert_eq!(&display, &look(&screen).0);
        }
        prop_assert!(screen.take_damage().is_none());
    }
}

//! What is written to a terminal: any bytes, in any pieces, on a screen of any size.

#![no_main]

use incipit_lib::vt::{Cell, Screen, to_cp437};
use libfuzzer_sys::fuzz_target;

type Small = Screen<512>;

/// A display that knows of the screen only what its damage tells.
struct Display {
    rows: Vec<Vec<Cell>>,
}

impl Display {
    fn update(&mut self, screen: &mut Small) {
        let damage = screen.take_damage();
        for _ in 0..damage.scrolled().min(self.rows.len()) {
            self.rows.rotate_left(1);
        }
        for (row, cells) in self.rows.iter_mut().enumerate() {
            if damage.has(row) {
                *cells = screen.row(row).to_vec();
            }
            assert_eq!(cells, screen.row(row));
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let [columns, rows, cut, text @ ..] = input else { return };
    let (columns, rows) = (usize::from(*columns), usize::from(*rows));
    let (mut screen, mut whole) = (Small::new(), Small::new());
    if screen.resize(columns, rows).is_err() {
        assert!(columns * rows == 0 || columns * rows > 512);
        return;
    }
    whole.resize(columns, rows).expect("the same size fits again");
    whole.write(text);

    let mut display = Display {
        rows: vec![vec![Cell::BLANK; columns]; rows],
    };
    for piece in text.chunks(usize::from(*cut).max(1)) {
        screen.write(piece);
        display.update(&mut screen);
        if let Some(cursor) = screen.cursor() {
            assert!(cursor.column < columns && cursor.row < rows);
        }
    }
    for row in 0..rows {
        assert_eq!(screen.row(row), whole.row(row));
        for cell in screen.row(row) {
            assert!(to_cp437(cell.character()).is_none_or(|code| code >= 1));
        }
    }
});

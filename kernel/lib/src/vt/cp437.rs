//! The characters of a PC's own font, code page 437.

/// What the first 32 codes show; the first one nothing.
const FIRST: [char; 32] = [
    ' ', '☺', '☻', '♥', '♦', '♣', '♠', '•', '◘', '○', '◙', '♂', '♀', '♪', '♫', '☼', '►', '◄', '↕', '‼', '¶', '§', '▬', '↨', '↑', '↓', '→',
    '←', '∟', '↔', '▲', '▼',
];

/// What the codes from 0x7f on show; the last one a blank that does not break.
const LAST: [char; 129] = [
    '⌂', 'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö',
    'Ü', '¢', '£', '¥', '₧', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»', '░', '▒', '▓', '│', '┤',
    '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛', '┐', '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧',
    '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐', '▀', 'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω',
    'δ', '∞', 'φ', 'ε', '∩', '≡', '±', '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];

/// The character of a code of the PC's font.
#[must_use]
pub const fn from_cp437(code: u8) -> char {
    match code {
        0x00..0x20 => FIRST[code as usize],
        0x20..0x7f => code as char,
        _ => LAST[code as usize - 0x7f],
    }
}

/// The code of `character` in the PC's font, if it has it.
#[must_use]
pub fn to_cp437(character: char) -> Option<u8> {
    if let ' '..='~' = character {
        return Some(character as u8);
    }
    let first = FIRST.iter().position(|&known| known == character);
    let last = || LAST.iter().position(|&known| known == character).map(|at| at + 0x7f);
    first.or_else(last).map(|code| code as u8)
}

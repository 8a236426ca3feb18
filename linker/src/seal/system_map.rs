//! Writes `System.map`: address, type and name of every symbol, as `nm -n` prints them.

use std::fmt::Write;

use object::elf;

use super::image::{Image, Section, Symbol};

/// The map, a line per symbol, by address and then by name.
#[must_use]
pub fn generate(image: &Image) -> String {
    let mut symbols: Vec<_> = image.symbols().iter().filter(|symbol| symbol.is_named_place()).collect();
    symbols.sort_by(|one, other| (one.value, &one.name).cmp(&(other.value, &other.name)));
    let mut map = String::with_capacity(symbols.len() * 64);
    for symbol in symbols {
        let _ = writeln!(map, "{:016x} {} {}", symbol.value, letter(image, symbol), symbol.name);
    }
    map
}

/// The letter that `nm` gives a symbol: by its section, a capital if it is global.
#[must_use]
pub fn letter(image: &Image, symbol: &Symbol) -> char {
    if symbol.binding == elf::STB_WEAK.0 {
        return if symbol.kind == elf::STT_OBJECT.0 { 'V' } else { 'W' };
    }
    let letter = match image.sections().get(usize::from(symbol.section)) {
        None => 'a',
        Some(section) => letter_of_section(section),
    };
    if symbol.binding == elf::STB_LOCAL.0 {
        letter
    } else {
        letter.to_ascii_uppercase()
    }
}

fn letter_of_section(section: &Section) -> char {
    let writable = section.flags & elf::SHF_WRITE.0 != 0;
    match (section.is_loaded(), section.is_code(), section.has_bytes(), writable) {
        (false, ..) => 'n',
        (_, true, ..) => 't',
        (_, _, false, _) => 'b',
        (_, _, _, true) => 'd',
        (_, _, _, false) => 'r',
    }
}

#[cfg(test)]
mod tests {
    use object::elf::{STT_FUNC, STT_OBJECT};

    use super::*;
    use crate::seal::testing::Kernel;

    #[test]
    fn symbols_go_by_address_with_the_letters_of_nm() {
        let mut kernel = Kernel::new();
        kernel.add_symbol("a_function", Kernel::function(2), 16, STT_FUNC.0);
        kernel.add_symbol("another", Kernel::function(2), 16, STT_FUNC.0);
        kernel.add_symbol("absolute", 0x1000, 0, STT_OBJECT.0);
        let map = generate(&kernel.image());
        let lines: Vec<_> = map.lines().collect();
        assert!(lines.is_sorted(), "the addresses have one width");
        assert_eq!(lines[0], "0000000000001000 A absolute");
        let text = Kernel::function(2);
        let at = lines.iter().position(|line| *line == format!("{text:016x} T a_function")).unwrap();
        assert_eq!(lines[at + 1], format!("{text:016x} T another"));
        for (letter, name) in [
            ('R', "__start_rodata"),
            ('D', "_sdata"),
            ('B', "__bss_start"),
            ('T', "_stext"),
            ('R', "__kallsyms_start"),
        ] {
            assert!(lines.iter().any(|line| line[17..] == format!("{letter} {name}")), "{letter} {name}");
        }
    }
}

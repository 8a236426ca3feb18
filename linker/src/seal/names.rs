//! Gives symbols the names that people read: in backtraces, in `System.map`, in `nm` and in gdb.
//!
//! rustc mangles `incipit::time::calibrate` to `_RNvNtCs…`. The sealed image has the demangled path in its place, without the crates' hashes, and as **one
//! word**, because logs and `System.map` are split at blanks:
//!
//! - ` as ` becomes `_as_`: `<Serial_as_core::fmt::Write>::write_str`;
//! - a blank beside a sign is left out: `Pair<u8,u16>`, `fn(u8)->bool`;
//! - a blank between two words becomes `_`: `&mut_u8`, `dyn_Console`.
//!
//! Names that are not mangled, as those of assembly and of the linker script, stay.

use rustc_demangle::try_demangle;

use super::image::Image;

/// Renames the symbols of `image`.
pub fn demangle_all(image: &mut Image) {
    for symbol in image.symbols_mut() {
        if let Some(name) = readable(&symbol.name) {
            symbol.name = name;
        }
    }
}

/// The readable form of a mangled name; `None` if `name` is not mangled.
#[must_use]
pub fn readable(name: &str) -> Option<String> {
    let demangled = try_demangle(name).ok()?;
    Some(one_word(&format!("{demangled:#}")))
}

/// `text` without blanks, by the rules above.
fn one_word(text: &str) -> String {
    let text = text.replace(" as ", "_as_");
    let is_word = |character: Option<char>| character.is_some_and(|character| character.is_alphanumeric() || character == '_');
    let mut word = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' if is_word(word.chars().next_back()) && is_word(characters.peek().copied()) => word.push('_'),
            ' ' => {}
            // The sign is reserved for the names of table entries, which logs must not show.
            '$' => word.push('.'),
            _ => word.push(character),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mangled_path_loses_its_mangling_and_its_hash() {
        assert_eq!(
            readable("_RNvNtCsbmNqQUJIY6D_7incipit4time9calibrate").unwrap(),
            "incipit::time::calibrate"
        );
        assert_eq!(
            readable("_ZN7incipit4time9calibrate17h05af221e174051e9E").unwrap(),
            "incipit::time::calibrate"
        );
    }

    #[test]
    fn a_name_that_is_not_mangled_stays() {
        for name in ["startup_64", "_text", "__incipit.param.a.lib.X.1_1$", "_R", ""] {
            assert_eq!(readable(name), None, "{name}");
        }
    }

    #[test]
    fn a_readable_name_is_one_word() {
        let cases = [
            (
                "<serial::Port as core::fmt::Write>::write_str",
                "<serial::Port_as_core::fmt::Write>::write_str",
            ),
            ("<A as B<<C as D>::E>>::f", "<A_as_B<<C_as_D>::E>>::f"),
            ("core::ptr::drop_in_place::<&mut [u8; 4]>", "core::ptr::drop_in_place::<&mut[u8;4]>"),
            ("f::<&mut u8, *const i8>", "f::<&mut_u8,*const_i8>"),
            ("f::<dyn A + Send>", "f::<dyn_A+Send>"),
            ("f::<fn(u8) -> bool>::{closure#0}", "f::<fn(u8)->bool>::{closure#0}"),
            ("a$b", "a.b"),
        ];
        for (name, word) in cases {
            assert_eq!(one_word(name), word);
        }
    }
}

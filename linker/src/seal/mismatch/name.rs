//! What the name of a symbol says of how it came to be.

use object::elf;
use rustc_demangle::try_demangle;

use crate::record::SYMBOL_PREFIX;
use crate::seal::image::Symbol;
use crate::seal::names;

/// Whether the source has an item of this name, on which an attribute could stand: a function, a method of a plain type, a static, a symbol of assembly.
///
/// The rest is what the compiler derived from items: closures, generic code for some types, glue, constants without a name.
#[must_use]
pub fn is_item(symbol: &str) -> bool {
    if symbol.starts_with(SYMBOL_PREFIX) {
        return true;
    }
    match try_demangle(symbol) {
        // `Y` is a method that a trait provides, compiled for one type: the same path as if the type had it.
        Ok(path) => !symbol.starts_with("_RNvY") && is_plain_path(&format!("{path:#}")),
        // No identifier has a point in it; `anon.12ab.3.llvm.4` and `.Lanon.12ab.5` do.
        Err(_) => !symbol.contains('.'),
    }
}

/// Whether `path` is one of identifiers alone, or of a method whose type and trait are such.
fn is_plain_path(path: &str) -> bool {
    let identifiers = |path: &str| path.split("::").all(|part| !part.is_empty() && part.chars().all(is_of_identifier));
    let Some((owner, rest)) = path.strip_prefix('<').and_then(|rest| rest.split_once(">::")) else {
        return identifiers(path);
    };
    let (own, of_trait) = owner.split_once(" as ").unwrap_or((owner, "Trait"));
    identifiers(own) && identifiers(of_trait) && identifiers(rest)
}

fn is_of_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Which of the names of one place says most of it: `(item, sized, typed)`, the greatest first.
#[must_use]
pub fn weight(symbol: &Symbol) -> (bool, bool, bool) {
    (is_item(&symbol.name), symbol.size != 0, symbol.kind != elf::STT_NOTYPE.0)
}

/// The name as people read it.
#[must_use]
pub fn readable(symbol: &str) -> String {
    names::readable(symbol).unwrap_or_else(|| symbol.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_functions_statics_and_methods_are_items() {
        for path in [
            "incipit::time::calibrate",
            "hello::_::INFO",
            "<kdb::editor::Editor>::line",
            "<serial::Port as core::fmt::Write>::write_str",
            "<kdb::Editor>::line::HISTORY",
        ] {
            assert!(is_plain_path(path), "{path}");
        }
    }

    #[test]
    fn closures_instantiations_and_glue_are_derived() {
        for path in [
            "incipit::time::calibrate::{closure#0}",
            "core::ptr::drop_in_place::<kdb::Editor>",
            "<core::option::Option<u8>>::map::<u8, f>",
            "<serial::Port as core::convert::From<u8>>::from",
            "<&mut serial::Port as core::fmt::Write>::write_str",
            "<[u8] as a::B>::c",
            "<kdb::Editor>::line::<u8>",
            "<fn() as core::ops::FnOnce<()>>::call_once::{shim:vtable#0}",
        ] {
            assert!(!is_plain_path(path), "{path}");
        }
    }

    #[test]
    fn mangled_names_are_judged_by_their_paths() {
        assert!(is_item("_RNvNtCsbmNqQUJIY6D_7incipit4time9calibrate"));
        assert!(!is_item("_RNCNvNtCsbmNqQUJIY6D_7incipit4time9calibrate0B5_"));
        assert!(
            !is_item("_RNvYNtCsbmNqQUJIY6D_7incipit4TimeNtB2_5Clock4tick"),
            "provided by the trait"
        );
    }

    #[test]
    fn names_that_are_not_mangled_are_items_unless_the_compiler_made_them_up() {
        for name in ["start_kernel", "memcpy", "__incipit.param.a.lib.X.1_1$"] {
            assert!(is_item(name), "{name}");
        }
        for name in [".Lanon.12ab.3", "anon.12ab.3.llvm.4", "switch.table.f", "alloc_12ab.llvm.3"] {
            assert!(!is_item(name), "{name}");
        }
    }
}

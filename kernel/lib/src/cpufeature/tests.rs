use std::collections::BTreeSet;
use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn all() -> impl Iterator<Item = Feature> {
    (0..WORDS as u32 * 32).filter_map(Feature::by_number)
}

/// The bits as Intel's and AMD's manuals have them.
#[test]
fn names_stand_for_the_bits_of_the_manuals() {
    for (name, word, bit) in [
        ("fpu", Word::Leaf1Edx, 0),
        ("pbe", Word::Leaf1Edx, 31),
        ("sse2", Word::Leaf1Edx, 26),
        ("nx", Word::Leaf80000001Edx, 20),
        ("lm", Word::Leaf80000001Edx, 29),
        ("pdpe1gb", Word::Leaf80000001Edx, 26),
        ("constant_tsc", Word::Linux, 8),
        ("hypervisor", Word::Leaf1Ecx, 31),
        ("x2apic", Word::Leaf1Ecx, 21),
        ("svm", Word::Leaf80000001Ecx, 2),
        ("mwaitx", Word::Leaf80000001Ecx, 29),
        ("smep", Word::Leaf7Ebx, 7),
        ("smap", Word::Leaf7Ebx, 20),
        ("avx512vl", Word::Leaf7Ebx, 31),
        ("xsaves", Word::LeafD1Eax, 3),
        ("umip", Word::Leaf7Ecx, 2),
        ("la57", Word::Leaf7Ecx, 16),
        ("arch_capabilities", Word::Leaf7Edx, 29),
        ("arat", Word::Leaf6Eax, 2),
        ("sev_es", Word::Leaf8000001fEax, 3),
        ("pmm_en", Word::LeafC0000001Edx, 13),
    ] {
        assert_eq!(Feature::named(name), Feature::at(word, bit), "{name}");
    }
}

#[test]
fn each_name_is_there_once_and_finds_its_feature() {
    let mut seen = BTreeSet::new();
    for feature in all() {
        let Some(name) = feature.name() else { continue };
        assert!(seen.insert(name), "{name} is there twice");
        assert_eq!(Feature::by_name(name), Some(feature), "{name}");
        assert!(name.parse::<u32>().is_err(), "{name} looks like a number");
    }
    for word in 0..WORDS {
        assert_eq!(names::name(word, 32), None, "word {word} has more than 32 names");
    }
    assert!(seen.len() > 250);
}

#[test]
fn what_has_no_name_is_shown_by_word_and_bit() {
    assert_eq!(Feature::at(Word::Leaf1Ecx, 27).to_string(), "4:27");
    assert_eq!(Feature::named("nx").to_string(), "nx");
}

#[test]
fn clearing_takes_along_what_builds_on_it() {
    let mut set = FeatureSet::EMPTY;
    let names = [
        "fpu", "fxsr", "sse2", "xsave", "avx", "avx2", "avx512f", "avx512vl", "amx_int8", "smep",
    ];
    names.iter().for_each(|name| set.insert(Feature::named(name)));
    set.clear(Feature::named("xsave"));
    let left: Vec<String> = set.iter().map(|feature| feature.to_string()).collect();
    assert_eq!(left, ["fpu", "fxsr", "sse2", "smep"]);
}

#[test]
fn a_list_has_names_numbers_and_mistakes() {
    let found: Vec<_> = parse_list("smap,39,,bogus,640,-,0x1,nx", Feature::by_name).collect();
    let expected = [
        Ok(Feature::named("smap")),
        Ok(Feature::at(Word::Leaf80000001Edx, 7)),
        Err(""),
        Err("bogus"),
        Err("640"),
        Err("-"),
        Err("0x1"),
        Ok(Feature::named("nx")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn without_names_a_list_has_numbers() {
    let found: Vec<_> = parse_list("smap,39", |_| None).collect();
    assert_eq!(found, [Err("smap"), Ok(Feature::at(Word::Leaf80000001Edx, 7))]);
}

proptest! {
    #[test]
    fn a_list_of_anything_is_read_word_by_word(text in "[a-z0-9_,\\-]{0,60}|\\PC{0,20}") {
        let words = text.split(',').count();
        prop_assert_eq!(parse_list(&text, Feature::by_name).count(), words);
        for (found, word) in parse_list(&text, Feature::by_name).zip(text.split(',')) {
            match found {
                Ok(feature) => prop_assert!(feature.name() == Some(word) || word.parse() == Ok(feature.0)),
                Err(other) => prop_assert_eq!(other, word),
            }
        }
    }

    #[test]
    fn clearing_leaves_no_feature_without_what_it_builds_on(words in prop::array::uniform20(any::<u32>()), number in 0..640u32) {
        let feature = Feature::by_number(number).expect("a feature");
        let mut set = FeatureSet(words);
        let consistent = |set: &FeatureSet, gone: &FeatureSet| {
            depends::DEPENDENCIES.iter().all(|(dependent, on)| !gone.contains(*on) || !set.contains(*dependent))
        };
        set.clear(feature);
        let gone = FeatureSet::with_dependents(feature);
        prop_assert!(!set.contains(feature) && consistent(&set, &gone));
        for other in all().filter(|other| !gone.contains(*other)) {
            prop_assert_eq!(set.contains(other), FeatureSet(words).contains(other));
        }
    }
}

use super::*;
use proptest::prelude::*;
use std::{string::String, vec, vec::Vec};

/// Both iterators over one line, checked against each other, as (name, value) pairs.
fn words(line: &[u8]) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let read: Vec<_> = Tokens::new(line).map(|token| (text(token.param), token.value.map(text))).collect();
    let mut copy = line.to_vec();
    let edited: Vec<_> = Args::new(&mut copy).map(|arg| (text(arg.param()), arg.value().map(text))).collect();
    assert_eq!(read, edited);
    read
}

fn bare(word: &str) -> (String, Option<String>) {
    (word.into(), None)
}

fn pair(name: &str, value: &str) -> (String, Option<String>) {
    (name.into(), Some(value.into()))
}

#[test]
fn words_are_separated_by_any_ascii_white_space() {
    assert_eq!(
        words(b"  quiet\troot=/dev/sda1\n\x0b ro "),
        [bare("quiet"), pair("root", "/dev/sda1"), bare("ro")]
    );
}

#[test]
fn a_line_of_white_space_has_no_words() {
    assert_eq!(words(b""), []);
    assert_eq!(words(b" \t\r\n"), []);
}

#[test]
fn the_line_ends_at_its_first_nul() {
    assert_eq!(words(b"a b\0c d"), [bare("a"), bare("b")]);
}

#[test]
fn only_the_first_equals_sign_splits() {
    assert_eq!(words(b"a=b=c d= =e"), [pair("a", "b=c"), pair("d", ""), bare("=e")]);
}

#[test]
fn an_equals_sign_at_index_0_does_not_split_but_a_later_one_does() {
    assert_eq!(words(b"=y ==x =a=b"), [bare("=y"), pair("=", "x"), pair("=a", "b")]);
}

#[test]
fn quotes_around_a_value_are_taken_off() {
    assert_eq!(words(br#"a="b c" d"#), [pair("a", "b c"), bare("d")]);
    assert_eq!(words(br#"a="" b"#), [pair("a", ""), bare("b")]);
}

#[test]
fn quotes_around_a_whole_word_are_taken_off() {
    assert_eq!(words(br#""a b=c d" "e f" x"#), [pair("a b", "c d"), bare("e f"), bare("x")]);
    assert_eq!(words(br#""" x"#), [bare(""), bare("x")]);
}

#[test]
fn quotes_elsewhere_stay_but_still_protect_white_space() {
    assert_eq!(words(br#"a=b" c"d e"f g"h"#), [pair("a", r#"b" c"d"#), bare(r#"e"f g"h"#)]);
}

#[test]
fn a_closing_quote_goes_only_with_an_opening_one() {
    assert_eq!(words(br#"a="b"c d"#), [pair("a", r#"b"c"#), bare("d")]);
    assert_eq!(words(br#"a=b"" c"#), [pair("a", r#"b"""#), bare("c")]);
}

#[test]
fn a_quote_that_closes_value_and_word_is_one_quote() {
    assert_eq!(words(br#""a="b"" c"#), [pair("a", r#"b""#), bare("c")]);
    assert_eq!(words(br#""a="b c"#), [pair("a", "b"), bare("c")]);
}

#[test]
fn an_unterminated_quote_runs_to_the_end() {
    assert_eq!(words(br#"a="b c d"#), [pair("a", "b c d")]);
    assert_eq!(words(br#""a b c"#), [bare("a b c")]);
    assert_eq!(words(br#"x ""#), [bare("x"), bare("")]);
    assert_eq!(words(br#"a=""#), [pair("a", "")]);
}

#[test]
fn a_character_that_holds_byte_a0_is_not_torn_apart() {
    assert_eq!(words("name=à b".as_bytes()), [pair("name", "à"), bare("b")]);
}

#[test]
fn a_bare_double_dash_ends_the_kernel_part_and_leaves_the_rest_unread() {
    let mut tokens = Tokens::new(br#"a --=b "--" c "d e""#);
    let ends: Vec<bool> = tokens.by_ref().take(3).map(|token| token.ends_kernel_part()).collect();
    assert_eq!(ends, [false, false, true]);
    assert_eq!(tokens.rest(), br#" c "d e""#);
}

#[test]
fn the_rest_of_an_edited_line_is_untouched() {
    let mut line = br#"a="b c" -- x="y z""#.to_vec();
    let mut args = Args::new(&mut line);
    assert_eq!(args.next().map(|arg| arg.text()), Some(&b"a=b c"[..]));
    assert!(args.next().is_some_and(|arg| arg.ends_kernel_part()));
    assert_eq!(args.into_rest(), br#" x="y z""#);
}

/// The rules once more, byte by byte, over a growing list of words.
fn model(line: &[u8]) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut words = vec![];
    let mut word = vec![];
    let (mut inside, mut quoted) = (false, false);
    for byte in line.iter().copied().take_while(|byte| *byte != 0).chain([b' ']) {
        let separator = b" \t\n\x0b\x0c\r".contains(&byte);
        if separator && !quoted {
            if inside {
                words.push(mem::take(&mut word));
            }
            inside = false;
        } else {
            inside = true;
            quoted ^= byte == b'"';
            word.push(byte);
        }
    }
    if inside {
        // The separator added at the end of the line is not part of an unterminated quote.
        word.pop();
        words.push(word);
    }
    words.into_iter().map(|word| split(&word)).collect()
}

/// Takes the quotes off one word of the model.
fn split(word: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let (whole, text) = match word.strip_prefix(b"\"") {
        Some(text) => (true, text),
        None => (false, word),
    };
    let unquote_end = |text: &[u8], quoted: bool| match text.strip_suffix(b"\"") {
        Some(inner) if quoted => inner.to_vec(),
        _ => text.to_vec(),
    };
    match text.iter().skip(1).position(|byte| *byte == b'=') {
        None => (unquote_end(text, whole), None),
        Some(at) => {
            let value = &text[at + 2..];
            let inner = value.strip_prefix(b"\"");
            let value = unquote_end(inner.unwrap_or(value), whole || inner.is_some());
            (text[..at + 1].to_vec(), Some(value))
        }
    }
}

proptest! {
    #[test]
    fn any_line_reads_as_the_rules_say(line in "[a-c=\" \t\\-\0]{0,24}") {
        let line = line.as_bytes();
        let read: Vec<_> = Tokens::new(line)
            .map(|token| (token.param.to_vec(), token.value.map(<[u8]>::to_vec)))
            .collect();
        prop_assert_eq!(read, model(line));
    }

    #[test]
    fn an_edited_word_is_name_equals_value(line in proptest::collection::vec(any::<u8>(), 0..64)) {
        let mut copy = line.clone();
        let args: Vec<_> = Args::new(&mut copy).collect();
        prop_assert_eq!(args.len(), Tokens::new(&line).count());
        for (arg, token) in args.iter().zip(Tokens::new(&line)) {
            prop_assert_eq!(arg.token(), token);
            let mut text = token.param.to_vec();
            if let Some(value) = token.value {
                text.push(b'=');
                text.extend(value);
            }
            prop_assert_eq!(arg.text(), &text[..]);
        }
    }

    #[test]
    fn quoting_a_value_brings_it_through_unchanged(
        name in "[a-z._-]{1,8}",
        value in "[a-z= \t]{0,8}",
    ) {
        let line = std::format!("{name}=\"{value}\"");
        prop_assert_eq!(words(line.as_bytes()), [pair(&name, &value)]);
    }
}

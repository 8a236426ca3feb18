use super::*;
use crate::errno::Errno;
use ParamError::{Invalid, OutOfRange};
use proptest::prelude::*;
use std::{string::ToString, vec, vec::Vec};

#[test]
fn an_integer_takes_its_base_from_its_prefix() {
    assert_eq!(parse_int(b"42"), Ok(42_i32));
    assert_eq!(parse_int(b"0x2A"), Ok(42_u8));
    assert_eq!(parse_int(b"0X2a"), Ok(42_u64));
    assert_eq!(parse_int(b"052"), Ok(42_i16));
    assert_eq!(parse_int(b"0"), Ok(0_usize));
}

#[test]
fn a_sign_and_one_trailing_newline_are_allowed() {
    assert_eq!(parse_int(b"-42"), Ok(-42_i8));
    assert_eq!(parse_int(b"+42"), Ok(42_u8));
    assert_eq!(parse_int(b"-0x10\n"), Ok(-16_i64));
    assert_eq!(parse_int(b"-0"), Ok(0_i32));
}

#[test]
fn garbage_is_invalid() {
    let garbage = [
        "", "\n", "-", "+", "+-1", "-+1", "--1", "x", " 1", "1 ", "1\n\n", "0x", "0xg", "08", "1,2", "1\0", "1k", "0b1", "1_000",
    ];
    for text in garbage {
        assert_eq!(parse_int::<i32>(text.as_bytes()), Err(Invalid), "{text:?}");
    }
    assert_eq!(parse_int::<u32>(b"-1"), Err(Invalid));
}

#[test]
fn a_number_that_the_type_does_not_hold_is_out_of_range() {
    assert_eq!(parse_int::<u8>(b"256"), Err(OutOfRange));
    assert_eq!(parse_int::<i8>(b"-129"), Err(OutOfRange));
    assert_eq!(parse_int::<i8>(b"-128"), Ok(-128));
    assert_eq!(parse_int::<i64>(b"-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(parse_int::<i64>(b"-9223372036854775809"), Err(OutOfRange));
    assert_eq!(parse_int::<u64>(b"18446744073709551615"), Ok(u64::MAX));
    assert_eq!(parse_int::<u64>(b"18446744073709551616"), Err(OutOfRange));
    assert_eq!(parse_int::<u64>(b"0x10000000000000000"), Err(OutOfRange));
}

#[test]
fn garbage_after_a_number_outweighs_its_range_unless_it_exceeds_64_bits() {
    assert_eq!(parse_int::<u8>(b"300x"), Err(Invalid));
    assert_eq!(parse_int::<u8>(b"99999999999999999999x"), Err(OutOfRange));
}

#[test]
fn a_bool_goes_by_its_first_characters() {
    for text in ["y", "Yes", "t", "TRUE", "1", "on", "ON", "oN!"] {
        assert_eq!(parse_bool(Some(text.as_bytes())), Ok(true), "{text}");
    }
    for text in ["n", "No", "f", "FALSE", "0", "off", "OF", "of"] {
        assert_eq!(parse_bool(Some(text.as_bytes())), Ok(false), "{text}");
    }
    for text in ["", "o", "ox", "maybe", "2", " 1", "-1"] {
        assert_eq!(parse_bool(Some(text.as_bytes())), Err(Invalid), "{text}");
    }
}

#[test]
fn a_bool_without_a_value_is_true() {
    assert_eq!(parse_bool(None), Ok(true));
    assert_eq!(parse_bint(None), Ok(1));
    assert_eq!(parse_invbool(None), Ok(false));
    assert_eq!(parse_bint(Some(b"off")), Ok(0));
    assert_eq!(parse_invbool(Some(b"off")), Ok(true));
}

#[test]
fn only_a_bool_takes_no_value() {
    const { assert!(bool::NOARG && !<u32 as FromParam>::NOARG && !<&[u8] as FromParam>::NOARG) };
    assert_eq!(i32::from_param(None), Err(Invalid));
    assert_eq!(parse_charp(None), Err(Invalid));
    assert_eq!(parse_string(None, 4), Err(Invalid));
    assert_eq!(parse_array(None, 1, &mut [0_u8]), Err(Invalid));
}

#[test]
fn a_string_is_bounded() {
    let long = [b'x'; CHARP_MAX + 1];
    assert_eq!(parse_charp(Some(&long[1..])), Ok(&long[1..]));
    assert_eq!(parse_charp(Some(&long)), Err(ParamError::StringTooLong));
    assert_eq!(parse_string(Some(b"abc"), 3), Ok(&b"abc"[..]));
    assert_eq!(parse_string(Some(b"abcd"), 3), Err(ParamError::DoesNotFit { max: 3 }));
}

#[test]
fn text_must_be_utf8_where_the_parameter_is_a_str() {
    assert_eq!(<&str>::from_param(Some("ü".as_bytes())), Ok("ü"));
    assert_eq!(<&str>::from_param(Some(b"\xff")), Err(Invalid));
    assert_eq!(<&[u8]>::from_param(Some(b"\xff")), Ok(&b"\xff"[..]));
}

#[test]
fn a_list_fills_the_front_of_the_array() {
    let mut numbers = [9_i32; 3];
    assert_eq!(parse_array(Some(b"1,-2"), 1, &mut numbers), Ok(2));
    assert_eq!(numbers, [1, -2, 9]);
}

#[test]
fn a_bad_list_changes_nothing() {
    let mut numbers = [9_u8; 3];
    for (text, error) in [
        ("1,2,3,4", ParamError::ArrayTooMany { max: 3 }),
        ("1", ParamError::ArrayTooFew { min: 2 }),
        ("1,,2", Invalid),
        ("1,", Invalid),
        ("", Invalid),
        ("1,2,256", OutOfRange),
        ("1,x,3,4", Invalid),
    ] {
        assert_eq!(parse_array(Some(text.as_bytes()), 2, &mut numbers), Err(error), "{text}");
        assert_eq!(numbers, [9; 3]);
    }
}

#[test]
fn a_size_may_have_a_suffix_and_leaves_the_rest() {
    assert_eq!(memparse(b"64M@16M"), Ok((64 << 20, &b"@16M"[..])));
    assert_eq!(memparse(b"0x10k"), Ok((16 << 10, &b""[..])));
    assert_eq!(memparse(b"3GG"), Ok((3 << 30, &b"G"[..])));
    assert_eq!(memparse(b"15E"), Ok((15 << 60, &b""[..])));
    assert_eq!(memparse(b"7"), Ok((7, &b""[..])));
    for (suffix, shift) in [("t", 40), ("P", 50), ("e", 60)] {
        let text = std::format!("1{suffix}");
        assert_eq!(memparse(text.as_bytes()), Ok((1 << shift, &b""[..])));
    }
}

#[test]
fn a_size_without_digits_or_beyond_64_bits_is_refused() {
    assert_eq!(memparse(b""), Err(Invalid));
    assert_eq!(memparse(b"M"), Err(Invalid));
    assert_eq!(memparse(b"-1M"), Err(Invalid));
    assert_eq!(memparse(b"16E"), Err(OutOfRange));
    assert_eq!(memparse(b"18446744073709551616"), Err(OutOfRange));
}

#[test]
fn the_report_is_linux_s_line() {
    let report = |error: ParamError, value| error.report("Booting kernel", b"printk.time", value).to_string();
    assert_eq!(
        report(Invalid, Some(b"maybe")),
        "Booting kernel: `maybe' invalid for parameter `printk.time'"
    );
    assert_eq!(
        report(ParamError::StringTooLong, Some(b"v")),
        "Booting kernel: `v' too large for parameter `printk.time'"
    );
    assert_eq!(
        report(OutOfRange, Some(b"300")),
        "Booting kernel: `300' too large for parameter `printk.time'"
    );
    assert_eq!(report(ParamError::Unknown, None), "Booting kernel: Unknown parameter `printk.time'");
    assert_eq!(
        report(ParamError::Refused(Errno::EPERM), None),
        "Booting kernel: `' invalid for parameter `printk.time'"
    );
}

#[test]
fn the_detail_names_the_rule_that_was_broken() {
    let detail = |error: ParamError| error.detail(b"io").map(|detail| detail.to_string());
    let expect = |text: &str| Some(text.to_string());
    assert_eq!(detail(ParamError::StringTooLong), expect("io: string parameter too long"));
    assert_eq!(
        detail(ParamError::DoesNotFit { max: 15 }),
        expect("io: string doesn't fit in 15 chars.")
    );
    assert_eq!(detail(ParamError::ArrayTooMany { max: 3 }), expect("io: can only take 3 arguments"));
    assert_eq!(detail(ParamError::ArrayTooFew { min: 2 }), expect("io: needs at least 2 arguments"));
    assert_eq!(detail(Invalid), None);
}

#[test]
fn every_error_has_linux_s_number() {
    for (error, errno) in [
        (ParamError::Unknown, Errno::ENOENT),
        (Invalid, Errno::EINVAL),
        (OutOfRange, Errno::ERANGE),
        (ParamError::StringTooLong, Errno::ENOSPC),
        (ParamError::DoesNotFit { max: 1 }, Errno::ENOSPC),
        (ParamError::ArrayTooMany { max: 1 }, Errno::EINVAL),
        (ParamError::ArrayTooFew { min: 1 }, Errno::EINVAL),
        (ParamError::Refused(Errno::EPERM), Errno::EPERM),
    ] {
        assert_eq!(Errno::from(error), errno);
        assert_eq!(ParamError::from(errno).errno(), errno);
    }
}

proptest! {
    #[test]
    fn every_number_reads_back_in_every_base(number: i64) {
        let sign = if number < 0 { "-" } else { "" };
        let magnitude = number.unsigned_abs();
        for text in [
            std::format!("{number}"),
            std::format!("{sign}0x{magnitude:x}"),
            std::format!("{sign}0X{magnitude:X}\n"),
            std::format!("{sign}0{magnitude:o}"),
        ] {
            prop_assert_eq!(parse_int(text.as_bytes()), Ok(number));
            prop_assert_eq!(
                parse_int::<i16>(text.as_bytes()),
                i16::try_from(number).map_err(|_| OutOfRange)
            );
            let unsigned = if number < 0 || text.starts_with('-') {
                Err(Invalid)
            } else {
                u32::try_from(number).map_err(|_| OutOfRange)
            };
            prop_assert_eq!(parse_int::<u32>(text.as_bytes()), unsigned);
        }
    }

    #[test]
    fn any_bytes_parse_or_are_refused(text in proptest::collection::vec(any::<u8>(), 0..32)) {
        if let Ok(number) = parse_int::<u64>(&text) {
            let digits = text.strip_prefix(b"+").unwrap_or(&text);
            let digits = digits.strip_suffix(b"\n").unwrap_or(digits);
            prop_assert_eq!(memparse(digits), Ok((number, &b""[..])));
        }
        if let Ok((_, rest)) = memparse(&text) {
            prop_assert!(text.ends_with(rest) && rest.len() < text.len());
        }
    }

    #[test]
    fn a_list_of_numbers_reads_back(numbers in proptest::collection::vec(any::<u16>(), 1..8)) {
        let text: Vec<_> = numbers.iter().map(|number| number.to_string()).collect();
        let text = text.join(",");
        let mut read = vec![0_u16; 8];
        prop_assert_eq!(parse_array(Some(text.as_bytes()), 1, &mut read), Ok(numbers.len()));
        prop_assert_eq!(&read[..numbers.len()], &numbers[..]);
    }
}

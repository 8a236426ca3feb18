use super::*;
use proptest::prelude::*;
use std::format;
use std::string::ToString;
use std::vec::Vec;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn anywhere(size: u64, base: Option<u64>) -> Result<Request, Error> {
    Ok(Request::Anywhere { size, base })
}

/// The forms that Linux's documentation of kdump has.
#[test]
fn the_documented_forms_are_read() {
    let ranges = b"512M-2G:64M,2G-:128M";
    for (value, ram, expected) in [
        (&b"256M"[..], GIB, anywhere(256 * MIB, None)),
        (b"64M@16M", GIB, anywhere(64 * MIB, Some(16 * MIB))),
        (b"0x4000000@0x1000000", GIB, anywhere(64 * MIB, Some(16 * MIB))),
        (ranges, 256 * MIB, anywhere(0, None)),
        (ranges, 512 * MIB, anywhere(64 * MIB, None)),
        (ranges, 2 * GIB - 1, anywhere(64 * MIB, None)),
        (ranges, 2 * GIB, anywhere(128 * MIB, None)),
        (b"512M-2G:64M,2G-:128M@16M", 4 * GIB, anywhere(128 * MIB, Some(16 * MIB))),
        (b"256M,high", GIB, Ok(Request::High(256 * MIB))),
        (b"72M,low", GIB, Ok(Request::Low(72 * MIB))),
        (b"0,low", GIB, Ok(Request::Low(0))),
    ] {
        assert_eq!(parse(value, ram), expected, "{}", value.escape_ascii());
    }
}

#[test]
fn what_is_wrong_is_said_and_where() {
    for (value, expected) in [
        ("", "Memory value expected at character 1"),
        ("x", "Memory value expected at character 1"),
        ("64M@", "Memory value expected at character 5"),
        ("64Mx", "unrecognized char at character 4"),
        ("64M,", "unrecognized char at character 4"),
        ("64M,higher", "unrecognized char at character 4"),
        ("64M@16M,high", "unrecognized char at character 8"),
        ("99999999999999999999", "value too large at character 1"),
        ("512M:64M", "'-' expected at character 5"),
        ("512M-2G,64M:", "':' expected at character 8"),
        ("2G-512M:64M", "end <= start at character 8"),
        ("0-:4G", "invalid size at character 6"),
        ("0-:64M,", "Memory value expected at character 8"),
        ("0-:64M@", "Memory value expected at character 8"),
        ("0-:64M@16M ", "unrecognized char at character 11"),
    ] {
        let error = parse(value.as_bytes(), GIB).expect_err(value);
        assert_eq!(error.to_string(), expected, "{value}");
    }
}

#[test]
fn a_range_that_does_not_count_must_be_right_too() {
    let error = parse(b"0-4G:64M,4G-2G:1M", GIB).expect_err("the second range is wrong");
    assert_eq!(error.kind, ErrorKind::EndBeforeStart);
}

proptest! {
    #[test]
    fn anything_can_be_given(value: Vec<u8>, ram: u64) {
        if let Err(error) = parse(&value, ram) {
            prop_assert!(error.offset <= value.len());
        }
    }

    #[test]
    fn a_list_gives_the_first_range_that_matches(bounds in prop::collection::vec(1_u64..1000, 1..6), ram in 0_u64..1100) {
        let mut start = 0;
        let mut ranges = Vec::new();
        for (index, width) in bounds.iter().enumerate() {
            ranges.push((start, start + width, index as u64));
            start += width;
        }
        let text: Vec<_> = ranges.iter().map(|(start, end, size)| format!("{start}M-{end}M:{size}")).collect();
        let expected = ranges.iter().find(|(start, end, _)| (*start..*end).contains(&ram)).map_or(0, |(_, _, size)| *size);
        prop_assume!(ram > 0);
        prop_assert_eq!(parse(text.join(",").as_bytes(), ram * MIB), anywhere(expected, None));
    }
}

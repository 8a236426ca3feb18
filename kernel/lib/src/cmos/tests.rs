use super::*;
use proptest::prelude::*;
use std::string::ToString;

const BCD: Registers = Registers {
    second: 0x20,
    minute: 0x13,
    hour: 0x22,
    day: 0x14,
    month: 0x11,
    year: 0x23,
    century: Some(0x20),
    control: HOURS_24,
};

fn date(registers: Registers) -> String {
    registers.date().unwrap().to_string()
}

use std::string::String;

#[test]
fn decimal_digits_and_binary_numbers_are_the_same_date() {
    assert_eq!(BCD.date().unwrap().to_unix(), 1_700_000_000);
    let binary = Registers {
        second: 20,
        minute: 13,
        hour: 22,
        day: 14,
        month: 11,
        year: 23,
        century: Some(20),
        control: HOURS_24 | BINARY,
    };
    assert_eq!(binary.date(), BCD.date());
}

#[test]
fn twelve_hours_twice_are_a_day() {
    for (hour, shown) in [(0x12, "00"), (0x01, "01"), (0x11, "11"), (0x92, "12"), (0x81, "13"), (0x91, "23")] {
        let text = date(Registers { hour, control: 0, ..BCD });
        assert_eq!(&text[11..13], shown, "{hour:#x}");
    }
    for hour in [0x00, 0x13, 0x80, 0x93] {
        assert!(Registers { hour, control: 0, ..BCD }.date().is_err(), "{hour:#x}");
    }
}

#[test]
fn without_a_century_years_begin_with_1970() {
    for (year, century, shown) in [
        (0x70, None, "1970"),
        (0x69, None, "2069"),
        (0x99, Some(0x19), "1999"),
        (0x00, Some(0x21), "2100"),
        (0x23, Some(0), "2023"),
    ] {
        assert_eq!(&date(Registers { year, century, ..BCD })[..4], shown);
    }
}

#[test]
fn what_is_no_date_says_why() {
    let text = |registers: Registers| registers.date().unwrap_err().to_string();
    assert_eq!(text(Registers { minute: 0x7a, ..BCD }), "the minute 0x7a is no decimal number");
    assert_eq!(
        text(Registers { month: 0x13, ..BCD }),
        "there is no date or time 23-13-14 22:13:20 (registers in hexadecimal)"
    );
    let absent = Registers {
        second: 0xff,
        minute: 0xff,
        hour: 0xff,
        day: 0xff,
        month: 0xff,
        year: 0xff,
        century: Some(0xff),
        control: 0xff,
    };
    assert!(absent.date().is_err());
    assert!(Registers::default().date().is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_date_or_an_error(bytes: [u8; 7], control: u8) {
        let [second, minute, hour, day, month, year, century] = bytes;
        let read = Registers { second, minute, hour, day, month, year, century: Some(century), control };
        if let Ok(date) = read.date() {
            prop_assert!((1900..=2999).contains(&date.year()));
        }
    }
}

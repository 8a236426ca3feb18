//! Tests of the choice of consoles, of what early consoles' options mean, and of who shows which part of the log.

use arrayvec::ArrayVec;

use super::earlycon::{AddressError, parse_address};
use super::earlyprintk::{self, Request, RequestError};
use super::list::{ConsoleList, MAX_CONSOLES, Slot};
use super::preferred::{Choice, Preference, Preferences};
use super::register::ListFull;
use super::{Console, ConsoleName, IoAddress};
use crate::prelude::*;
use crate::printk::{self, Reader};

/// A console that shows nothing.
struct Blank {
    name: ConsoleName,
    address: Option<IoAddress>,
}

impl Console for Blank {
    fn name(&self) -> ConsoleName {
        self.name
    }

    fn address(&self) -> Option<IoAddress> {
        self.address
    }

    fn write(&self, _text: &[u8]) {}
}

const fn blank(base: &'static str, index: u32, address: Option<IoAddress>) -> Blank {
    Blank {
        name: ConsoleName { base, index },
        address,
    }
}

static EARLY: Blank = blank("earlyser", 0, Some(IoAddress::Port(0x3f8)));
static EARLY_ELSEWHERE: Blank = blank("earlyfb", 0, None);
static TTYS0: Blank = blank("ttyS", 0, Some(IoAddress::Port(0x3f8)));
static TTYS1: Blank = blank("ttyS", 1, Some(IoAddress::Port(0x2f8)));
static TTY0: Blank = blank("tty", 0, None);

fn slot(console: &'static Blank, is_boot: bool, is_preferred: bool) -> Slot {
    Slot {
        console,
        name: console.name,
        is_boot,
        is_preferred,
        next: Reader::new(0),
    }
}

/// A list with one early console that has shown everything so far.
fn list_with_early(console: &'static Blank) -> ConsoleList {
    let mut list = ConsoleList::new();
    assert_eq!(list.take_in(slot(console, true, false), false).map(|old| old.is_none()), Ok(true));
    list.show_pending();
    list
}

#[ktest]
fn a_console_value_is_a_name_a_number_and_options() {
    for (value, base, index, options) in [
        ("ttyS0", "ttyS", 0, None),
        ("ttyS1,115200n8", "ttyS", 1, Some("115200n8")),
        ("tty", "tty", 0, None),
        ("1,9600", "ttyS", 1, Some("9600")),
        ("", "ttynull", 0, None),
        ("null", "ttynull", 0, None),
        ("uart8250,io,0x3f8,115200", "uart", 8250, Some("io,0x3f8,115200")),
        ("ttyS2x,", "ttyS", 2, Some("")),
        ("ttyS99999999999999999999", "ttyS", 0, None),
    ] {
        assert_eq!(
            Preference::parse(value),
            Preference {
                name: ConsoleName { base, index },
                options,
                device: None
            },
            "{value}"
        );
    }
}

#[ktest]
fn without_a_wish_every_console_is_a_default_one() {
    assert_eq!(Preferences::new().choose(&TTYS0), Choice::Default);
}

#[ktest]
fn only_wanted_consoles_are_chosen_and_the_last_one_is_marked() {
    let mut wishes = Preferences::new();
    assert!(wishes.add(Preference::parse("ttyS0,115200")) && wishes.add(Preference::parse("tty0")));
    assert_eq!(
        wishes.choose(&TTYS0),
        Choice::Wanted {
            options: Some("115200"),
            last: false
        }
    );
    assert_eq!(wishes.choose(&TTY0), Choice::Wanted { options: None, last: true });
    assert_eq!(wishes.choose(&TTYS1), Choice::Unwanted);
}

#[ktest]
fn a_console_named_again_becomes_the_last_one_and_keeps_its_options() {
    let mut wishes = Preferences::new();
    assert!(
        wishes.add(Preference::parse("ttyS0,115200")) && wishes.add(Preference::parse("tty0")) && wishes.add(Preference::parse("ttyS0"))
    );
    assert_eq!(
        wishes.choose(&TTYS0),
        Choice::Wanted {
            options: Some("115200"),
            last: true
        }
    );
    assert_eq!(
        wishes.choose(&TTY0),
        Choice::Wanted {
            options: None,
            last: false
        }
    );
}

#[ktest]
fn a_console_can_be_asked_for_by_its_device() {
    let mut wishes = Preferences::new();
    let device = Some((IoAddress::Port(0x2f8), Some("9600")));
    assert!(wishes.add(Preference {
        device,
        ..Preference::parse("uart8250,io,0x2f8,9600")
    }));
    assert_eq!(
        wishes.choose(&TTYS1),
        Choice::Wanted {
            options: Some("9600"),
            last: true
        }
    );
    assert_eq!(wishes.choose(&TTYS0), Choice::Unwanted);
    assert_eq!(wishes.choose(&TTY0), Choice::Unwanted);
}

#[ktest]
fn the_ninth_console_is_refused() {
    let mut wishes = Preferences::new();
    for value in ["ttyS0", "ttyS1", "ttyS2", "ttyS3", "tty0", "tty1", "tty2", "tty3"] {
        assert!(wishes.add(Preference::parse(value)), "{value}");
    }
    assert!(!wishes.add(Preference::parse("tty4")));
    assert!(wishes.add(Preference::parse("tty3")));
}

#[ktest]
fn an_address_has_a_kind_a_number_and_options() {
    for (text, address, options) in [
        ("io,0x3f8", IoAddress::Port(0x3f8), None),
        ("io,1016,115200n8", IoAddress::Port(0x3f8), Some("115200n8")),
        ("mmio,0xfe030000,", IoAddress::Mmio(0xfe03_0000), Some("")),
        ("mmio32,0xfe030000,9600,x", IoAddress::Mmio32(0xfe03_0000), Some("9600,x")),
        ("0xfe030000,9600", IoAddress::Mmio(0xfe03_0000), Some("9600")),
        ("0xfe030000", IoAddress::Mmio(0xfe03_0000), None),
    ] {
        assert_eq!(parse_address(text), Ok((address, options)), "{text}");
    }
}

#[ktest]
fn a_bad_address_is_refused_with_what_is_wrong() {
    assert_eq!(parse_address("ioport,0x3f8"), Err(AddressError::UnknownKind("ioport")));
    assert_eq!(parse_address(""), Err(AddressError::UnknownKind("")));
    for (text, blamed) in [
        ("io", ""),
        ("io,", ""),
        ("io,0x10000", "0x10000"),
        ("io,+5", "+5"),
        ("mmio32,fe", "fe"),
        ("0xg", "0xg"),
    ] {
        assert_eq!(parse_address(text), Err(AddressError::BadAddress(blamed)), "{text}");
    }
    assert_eq!(
        parse_address("mmio,0x10000000000000000"),
        Err(AddressError::BadAddress("0x10000000000000000"))
    );
}

/// The value of `earlyprintk=` in a kernel that has these early consoles and the serial one.
#[init]
fn parse(value: &'static str) -> Result<Request, RequestError> {
    earlyprintk::parse(value, |driver| ["vga", "efifb", "debugcon"].contains(&driver))
}

#[ktest]
fn earlyprintk_takes_the_forms_that_linux_takes() {
    for (value, port, baud, keep) in [
        ("serial", 0x3f8, "9600", false),
        ("serial,ttyS1,115200", 0x2f8, "115200", false),
        ("serial,0x3e8,38400,keep", 0x3e8, "38400", true),
        ("serial,1,115200", 0x2f8, "115200", false),
        ("serial,115200", 0x3f8, "115200", false),
        ("serial,keep", 0x3f8, "9600", true),
        ("ttyS0,115200", 0x3f8, "115200", false),
        ("ttyS3", 0x2e8, "9600", false),
    ] {
        assert_eq!(parse(value), Ok(Request::Serial { port, baud, keep }), "{value}");
    }
}

#[ktest]
fn earlyprintk_names_early_consoles_that_are_not_serial() {
    for (value, driver, name, keep) in [
        ("vga", "vga", "earlyvga", false),
        ("vga,keep", "vga", "earlyvga", true),
        ("efi,keep", "efifb", "earlyefi", true),
        ("debugcon", "debugcon", "debugcon", false),
    ] {
        assert_eq!(parse(value), Ok(Request::Named { driver, name, keep }), "{value}");
    }
    assert_eq!(parse("vga,keep,more"), Err(RequestError::Surplus("more")));
    assert_eq!(parse("vga,9600"), Err(RequestError::Surplus("9600")));
}

#[ktest]
fn earlyprintk_refuses_what_it_does_not_know() {
    assert_eq!(parse("nosuch,keep"), Err(RequestError::UnknownKind("nosuch")));
    assert_eq!(earlyprintk::parse("vga", |_| false), Err(RequestError::UnknownKind("vga")));
    assert_eq!(parse(""), Err(RequestError::UnknownKind("")));
    for port in ["ttyS4", "ttyS", "ttySx", "0x10000", "0x", "9"] {
        let value: &'static str = port;
        let error = if value.starts_with("ttyS") {
            parse(value)
        } else {
            parse_behind_serial(value)
        };
        assert_eq!(error, Err(RequestError::BadPort(port)), "{port}");
    }
    assert_eq!(parse("serial,ttyS0,fast"), Err(RequestError::BadBaud("fast")));
    assert_eq!(parse("serial,ttyS0,0"), Err(RequestError::BadBaud("0")));
    assert_eq!(parse("serial,ttyS0,115201"), Err(RequestError::BadBaud("115201")));
    assert_eq!(parse("ttyS0,9600,keep,more"), Err(RequestError::Surplus("more")));
}

#[init]
fn parse_behind_serial(port: &str) -> Result<Request, RequestError> {
    match port {
        "0x10000" => parse("serial,0x10000"),
        "0x" => parse("serial,0x"),
        _ => parse("serial,9"),
    }
}

#[ktest]
fn a_real_console_on_the_same_device_goes_on_where_the_early_one_is() {
    let mut list = list_with_early(&EARLY);
    let early = list.slots[0].next;
    let replaced = list.take_in(slot(&TTYS0, false, false), false);
    assert_eq!(replaced.map(|old| old.map(|old| old.name)), Ok(Some(EARLY.name)));
    assert_eq!(list.slots.len(), 1);
    assert_eq!((list.slots[0].name, list.slots[0].next), (TTYS0.name, early));
}

#[ktest]
fn keep_bootcon_leaves_the_early_console_in_place() {
    let mut list = list_with_early(&EARLY);
    assert_eq!(list.take_in(slot(&TTYS0, false, true), true).map(|old| old.is_none()), Ok(true));
    assert_eq!(list.slots.len(), 2);
    assert_eq!(list.slots[0].next, list.slots[1].next);
}

#[ktest]
fn a_real_console_on_another_device_shows_the_log_from_the_start() {
    let mut list = list_with_early(&EARLY);
    assert_eq!(list.take_in(slot(&TTYS1, false, true), false).map(|old| old.is_none()), Ok(true));
    assert_eq!(list.slots[1].next, printk::first_record());
}

#[ktest]
fn a_preferred_console_that_may_be_the_early_ones_screen_shows_only_what_is_new() {
    let mut list = list_with_early(&EARLY_ELSEWHERE);
    assert!(list.take_in(slot(&TTY0, false, true), false).is_ok());
    assert_eq!(list.slots[1].next, printk::end_of_log());
}

#[ktest]
fn the_console_preferred_last_is_the_only_preferred_one() {
    let mut list = ConsoleList::new();
    for console in [&TTYS0, &TTY0] {
        assert!(list.take_in(slot(console, false, true), false).is_ok());
    }
    let preferred: ArrayVec<ConsoleName, MAX_CONSOLES> = list.slots.iter().filter(|slot| slot.is_preferred).map(|slot| slot.name).collect();
    assert_eq!(preferred.as_slice(), [TTY0.name]);
}

#[ktest]
fn a_full_list_takes_no_more() {
    let mut list = ConsoleList::new();
    for _ in 0..MAX_CONSOLES {
        assert!(list.take_in(slot(&TTY0, false, false), false).is_ok());
    }
    assert_eq!(list.take_in(slot(&TTYS1, false, false), false).map(|_| ()), Err(ListFull));
}

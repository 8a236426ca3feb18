//! Tests of the ring, of the form of lines, and of the macros.

use core::fmt;

use arrayvec::ArrayVec;

use super::ring::{CALLER_CPU, Found, LogRing};
use super::text::LineBuffer;
use super::*;
use crate::prelude::*;
use crate::{pr_begin, pr_debug_once};

const META: Meta = Meta {
    time: 7,
    caller: 1,
    priority: 6,
};

type SmallRing = LogRing<4096>;

/// What the next record at `cursor` says, as text.
fn next<'a>(ring: &SmallRing, cursor: &mut Cursor, text: &'a mut [u8; LINE_MAX]) -> Option<(Found, &'a str)> {
    let found = ring.read(cursor, text)?;
    Some((found, core::str::from_utf8(&text[..found.len]).unwrap_or("not UTF-8")))
}

#[ktest]
fn records_come_back_in_order_with_what_was_known_of_them() {
    let (mut ring, mut text, mut cursor) = (SmallRing::new(), [0; LINE_MAX], Cursor::default());
    ring.push(META, b"one", false);
    ring.push(
        Meta {
            time: u64::MAX,
            caller: CALLER_CPU | 3,
            priority: 4,
        },
        b"",
        false,
    );
    assert_eq!(
        next(&ring, &mut cursor, &mut text),
        Some((
            Found {
                meta: META,
                len: 3,
                dropped: 0
            },
            "one"
        ))
    );
    let meta = Meta {
        time: u64::MAX,
        caller: CALLER_CPU | 3,
        priority: 4,
    };
    assert_eq!(next(&ring, &mut cursor, &mut text), Some((Found { meta, len: 0, dropped: 0 }, "")));
    assert_eq!(next(&ring, &mut cursor, &mut text), None);
    assert_eq!(cursor, ring.end());
}

#[ktest]
fn the_oldest_records_make_room_and_a_reader_hears_how_many_it_missed() {
    let (mut ring, mut text, mut cursor) = (SmallRing::new(), [0; LINE_MAX], Cursor::default());
    // 84 + 16 bytes each: 40 fit into 4096, so that the first 60 of a hundred are gone, and records lie across the end of the storage on the way.
    for number in 0..100_u8 {
        ring.push(META, &[b'0' + number % 10; 84], false);
    }
    for number in 60..100_u8 {
        let (found, said) = next(&ring, &mut cursor, &mut text).expect("40 records fit");
        assert_eq!(found.dropped, if number == 60 { 60 } else { 0 });
        assert!(said.bytes().all(|byte| byte == b'0' + number % 10), "{number}: {said}");
    }
    assert_eq!(ring.read(&mut cursor, &mut text), None);
    assert_eq!(cursor.sequence(), 100);
    assert_eq!(ring.free(), 96);
}

#[ktest]
fn a_text_that_is_too_long_is_cut() {
    let (mut ring, mut text) = (SmallRing::new(), [0; LINE_MAX]);
    ring.push(META, &[b'x'; LINE_MAX + 1], false);
    assert_eq!(ring.read(&mut Cursor::default(), &mut text).map(|found| found.len), Some(LINE_MAX));
}

#[ktest]
fn an_open_record_grows_and_is_seen_once_it_is_closed() {
    let (mut ring, mut text, mut cursor) = (SmallRing::new(), [0; LINE_MAX], Cursor::default());
    ring.push(META, b"a", true);
    assert!(ring.extend(META.caller, b"b", true));
    assert_eq!(ring.read(&mut cursor, &mut text), None);
    assert!(ring.extend(META.caller, b"c", false));
    assert!(!ring.extend(META.caller, b"d", false));
    assert_eq!(next(&ring, &mut cursor, &mut text).map(|(_, said)| said), Some("abc"));
}

#[ktest]
fn an_open_record_is_closed_by_the_next_one_and_not_open_to_others() {
    let (mut ring, mut text, mut cursor) = (SmallRing::new(), [0; LINE_MAX], Cursor::default());
    ring.push(META, b"mine", true);
    assert!(!ring.extend(META.caller + 1, b"theirs", false));
    ring.push(META, b"next", false);
    assert!(!ring.extend(META.caller, b"late", false));
    assert_eq!(next(&ring, &mut cursor, &mut text).map(|(_, said)| said), Some("mine"));
    assert_eq!(next(&ring, &mut cursor, &mut text).map(|(_, said)| said), Some("next"));
}

#[ktest]
fn an_open_record_grows_no_longer_than_a_record_can_be() {
    let mut ring = SmallRing::new();
    ring.push(META, &[b'x'; LINE_MAX - 1], true);
    assert!(!ring.extend(META.caller, b"yz", true));
    assert!(ring.extend(META.caller, b"y", true));
}

#[ktest]
fn moving_the_log_loses_nothing_and_no_readers_place() {
    static STORAGE: spin::Mutex<[u8; 8192]> = spin::Mutex::new([0; 8192]);
    let (mut ring, mut text, mut cursor) = (SmallRing::new(), [0; LINE_MAX], Cursor::default());
    for number in 0..100_u8 {
        ring.push(META, &[number; 84], false);
    }
    ring.read(&mut cursor, &mut text);
    let larger: &'static mut [u8; 8192] = spin::MutexGuard::leak(STORAGE.lock());
    assert!(ring.move_to(larger));
    assert_eq!((ring.capacity(), ring.free()), (8192, 8192 - 40 * 100));
    ring.push(META, &[100; 84], false);
    for number in 61..=100_u8 {
        let found = ring.read(&mut cursor, &mut text);
        assert_eq!(
            found,
            Some(Found {
                meta: META,
                len: 84,
                dropped: 0
            })
        );
        assert!(text[..84].iter().all(|&byte| byte == number), "{number}");
    }
    assert_eq!(ring.read(&mut cursor, &mut text), None);
}

#[ktest]
fn the_log_moves_only_to_more_storage_of_a_power_of_two() {
    static SAME: spin::Mutex<[u8; 4096]> = spin::Mutex::new([0; 4096]);
    static ODD: spin::Mutex<[u8; 5000]> = spin::Mutex::new([0; 5000]);
    let mut ring = SmallRing::new();
    let (same, odd): (&'static mut [u8; 4096], &'static mut [u8; 5000]) =
        (spin::MutexGuard::leak(SAME.lock()), spin::MutexGuard::leak(ODD.lock()));
    assert!(!ring.move_to(same));
    assert!(!ring.move_to(odd));
    assert_eq!(ring.capacity(), 4096);
}

fn printed(meta: Meta, text: &str, prefix: Prefix) -> ArrayVec<u8, 2048> {
    let mut shown = ArrayVec::new();
    print_record(meta, text.as_bytes(), prefix, &mut |piece| {
        shown.try_extend_from_slice(piece).expect("no test prints more")
    });
    shown
}

#[track_caller]
fn assert_printed(meta: Meta, text: &str, prefix: Prefix, expected: &str) {
    let shown = printed(meta, text, prefix);
    assert_eq!(core::str::from_utf8(&shown), Ok(expected));
}

const PLAIN: Prefix = Prefix {
    time: false,
    caller: false,
};

#[ktest]
fn the_prefix_is_what_tools_expect() {
    let timed = Prefix { time: true, caller: false };
    assert_printed(Meta { time: 0, ..META }, "x", timed, "[    0.000000] x\n");
    assert_printed(
        Meta {
            time: 1_234_567_999,
            ..META
        },
        "x",
        timed,
        "[    1.234567] x\n",
    );
    assert_printed(
        Meta {
            time: 123_456_000_001_000,
            ..META
        },
        "x",
        timed,
        "[123456.000001] x\n",
    );
    let both = Prefix { time: true, caller: true };
    assert_printed(
        Meta {
            time: 0,
            caller: 1,
            priority: 6,
        },
        "x",
        both,
        "[    0.000000][    T1] x\n",
    );
    assert_printed(
        Meta {
            caller: CALLER_CPU,
            ..META
        },
        "x",
        Prefix { time: false, caller: true },
        "[    C0] x\n",
    );
    assert_printed(
        Meta { caller: 1_234_567, ..META },
        "x",
        Prefix { time: false, caller: true },
        "[T1234567] x\n",
    );
    assert_printed(META, "x", PLAIN, "x\n");
}

#[ktest]
fn each_line_of_a_record_has_the_prefix() {
    let timed = Prefix { time: true, caller: false };
    assert_printed(META, "a\n\nb", timed, "[    0.000000] a\n[    0.000000] \n[    0.000000] b\n");
}

#[ktest]
fn what_a_terminal_would_obey_is_escaped() {
    assert_printed(META, "\x1b[31mred\r\0\x7f", PLAIN, "\\x1b[31mred\\x0d\\x00\\x7f\n");
    assert_printed(META, "\u{9b}31m", PLAIN, "\\xc2\\x9b31m\n");
    assert_printed(META, "tab\tgröße \u{a0}€", PLAIN, "tab\tgröße \u{a0}€\n");
}

#[ktest]
fn a_long_record_is_handed_on_whole() {
    let shown = printed(META, core::str::from_utf8(&[b'x'; LINE_MAX]).unwrap_or_default(), PLAIN);
    assert_eq!(shown.len(), LINE_MAX + 1);
    assert_eq!(shown.last(), Some(&b'\n'));
}

#[ktest]
fn formatting_stops_at_the_border_of_a_character() {
    let line = LineBuffer::format(format_args!("{:1>width$}€ and more", "", width = LINE_MAX - 2));
    assert_eq!(line.text().len(), LINE_MAX - 2);
    assert!(line.text().bytes().all(|byte| byte == b'1'));
}

#[ktest]
fn newlines_at_the_end_are_no_part_of_the_text() {
    let line = LineBuffer::format(format_args!("a\nb\n\n"));
    assert_eq!(line.text(), "a\nb");
    assert!(line.ends_line());
    assert!(!LineBuffer::format(format_args!("a")).ends_line());
}

/// The texts of the records that `log` writes.
fn logged(log: impl FnOnce()) -> ArrayVec<ArrayVec<u8, 128>, 8> {
    let mut cursor = end_of_log();
    log();
    let mut text = [0; LINE_MAX];
    let mut texts = ArrayVec::new();
    while let Some(found) = read_record(&mut cursor, &mut text) {
        texts.push(text[..found.len].iter().copied().collect());
    }
    texts
}

#[ktest]
fn a_message_that_logs_while_it_is_formatted_is_no_deadlock() {
    struct Talkative;
    impl fmt::Display for Talkative {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            pr_debug!("inner");
            f.write_str("outer")
        }
    }
    let texts = logged(|| pr_debug!("{}", Talkative));
    assert_eq!(texts.len(), 2);
    assert_eq!((&texts[0][..], &texts[1][..]), (&b"inner"[..], &b"outer"[..]));
}

#[ktest]
fn a_line_written_in_pieces_is_one_record() {
    let texts = logged(|| {
        pr_begin!(Level::Debug, "Calibrating delay loop... ");
        pr_cont!("{} BogoMIPS", 42);
        pr_cont!(" (lpj=7)\n");
    });
    assert_eq!(texts.len(), 1);
    assert_eq!(&texts[0][..], b"Calibrating delay loop... 42 BogoMIPS (lpj=7)");
}

#[ktest]
fn a_once_message_is_logged_once() {
    let texts = logged(|| (0..3).for_each(|_| pr_debug_once!("only once")));
    assert_eq!(texts.len(), 1);
}

#[ktest]
fn a_lock_that_its_own_context_holds_is_refused_and_broken_only_in_a_failure_report() {
    let lock = BustableLock::new(1);
    let held = lock.lock();
    assert!(held.is_some());
    assert!(lock.lock().is_none());
    oops_enter();
    let broken = lock.lock().map(|value| *value);
    oops_exit();
    assert_eq!(broken, Some(1));
    core::mem::forget(held);
}

#[ktest]
fn a_messages_function_is_named_without_its_path() {
    assert_eq!(crate::__function_name!(), "a_messages_function_is_named_without_its_path");
    assert_eq!((|| crate::__function_name!())(), "a_messages_function_is_named_without_its_path");
}

#[ktest]
fn sizes_are_numbers_with_one_suffix() {
    use super::setup::parse_size;
    for (text, bytes) in [
        ("0", 0),
        ("4096", 4096),
        ("64k", 65536),
        ("1M", 1 << 20),
        ("2G", 1 << 31),
        ("0x10K", 16384),
    ] {
        assert_eq!(parse_size(text), Some(bytes), "{text}");
    }
    for text in [
        "",
        "k",
        "1MB",
        "-1",
        "1.5M",
        "many",
        "99999999999999999999",
        "18446744073709551615K",
        "0x",
    ] {
        assert_eq!(parse_size(text), None, "{text}");
    }
}

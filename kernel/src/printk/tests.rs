//! Tests of the ring, of the form of lines, and of the macros.

use core::fmt;

use arrayvec::ArrayVec;

use super::log::CALLER_CPU;
use super::text::LineBuffer;
use super::*;
use crate::prelude::*;
use crate::{irq, pr_begin, pr_debug_once, preempt};

const META: Meta = Meta {
    ts_ns: 7,
    caller: 1,
    facility: 0,
    level: 6,
    flags: 0,
};

/// A log with memory of its own; each test that needs one has a static for it.
fn log_in(storage: &'static crate::locking::SpinLock<[u8; 8192]>) -> Log {
    let mut log = Log::empty();
    let storage: &'static mut [u8; 8192] = crate::locking::SpinLockGuard::leak(storage.lock());
    assert!(log.move_to(storage));
    log
}

/// The text of the next record, if there is one.
fn next<'a>(log: &Log, reader: &mut Reader, text: &'a mut [u8; LINE_MAX]) -> Option<&'a str> {
    let found = log.read(reader, text)?;
    core::str::from_utf8(&text[..found.len]).ok()
}

#[ktest]
fn an_open_record_grows_and_is_seen_once_it_is_closed() {
    static STORAGE: crate::locking::SpinLock<[u8; 8192]> = crate::locking::SpinLock::new([0; 8192]);
    let (mut log, mut text, mut reader) = (log_in(&STORAGE), [0; LINE_MAX], Reader::new(0));
    log.push(META, b"a", true);
    assert!(log.extend(META.caller, b"b", true));
    assert_eq!((log.end(), log.read(&mut reader, &mut text)), (0, None));
    assert!(log.extend(META.caller, b"c", false));
    assert!(!log.extend(META.caller, b"d", false));
    assert_eq!((log.end(), next(&log, &mut reader, &mut text)), (1, Some("abc")));
}

#[ktest]
fn an_open_record_is_closed_by_the_next_one_and_not_open_to_others() {
    static STORAGE: crate::locking::SpinLock<[u8; 8192]> = crate::locking::SpinLock::new([0; 8192]);
    let (mut log, mut text, mut reader) = (log_in(&STORAGE), [0; LINE_MAX], Reader::new(0));
    log.push(META, b"mine", true);
    assert!(!log.extend(META.caller + 1, b"theirs", false));
    log.push(META, b"next", false);
    assert!(!log.extend(META.caller, b"late", false));
    assert_eq!(next(&log, &mut reader, &mut text), Some("mine"));
    assert_eq!(next(&log, &mut reader, &mut text), Some("next"));
}

#[ktest]
fn an_open_record_grows_no_longer_than_a_record_can_be() {
    static STORAGE: crate::locking::SpinLock<[u8; 8192]> = crate::locking::SpinLock::new([0; 8192]);
    let mut log = log_in(&STORAGE);
    log.push(META, &[b'x'; LINE_MAX - 1], true);
    assert!(!log.extend(META.caller, b"yz", true));
    assert!(log.extend(META.caller, b"y", true));
}

#[ktest]
fn a_reader_keeps_its_place_when_the_log_moves() {
    static FIRST: crate::locking::SpinLock<[u8; 8192]> = crate::locking::SpinLock::new([0; 8192]);
    static SECOND: crate::locking::SpinLock<[u8; 16384]> = crate::locking::SpinLock::new([0; 16384]);
    let (mut log, mut text, mut reader) = (log_in(&FIRST), [0; LINE_MAX], Reader::new(0));
    log.push(META, b"one", false);
    log.push(META, b"two", false);
    assert_eq!(next(&log, &mut reader, &mut text), Some("one"));
    let larger: &'static mut [u8; 16384] = crate::locking::SpinLockGuard::leak(SECOND.lock());
    assert!(log.move_to(larger));
    log.push(META, b"three", false);
    assert_eq!(next(&log, &mut reader, &mut text), Some("two"));
    assert_eq!(next(&log, &mut reader, &mut text), Some("three"));
    assert_eq!(log.capacity(), 16384);
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
    assert_printed(Meta { ts_ns: 0, ..META }, "x", timed, "[    0.000000] x\n");
    assert_printed(
        Meta {
            ts_ns: 1_234_567_999,
            ..META
        },
        "x",
        timed,
        "[    1.234567] x\n",
    );
    assert_printed(
        Meta {
            ts_ns: 123_456_000_001_000,
            ..META
        },
        "x",
        timed,
        "[123456.000001] x\n",
    );
    let both = Prefix { time: true, caller: true };
    assert_printed(
        Meta {
            ts_ns: 0,
            caller: 1,
            ..META
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
    let mut reader = end_of_log();
    log();
    let mut text = [0; LINE_MAX];
    let mut texts = ArrayVec::new();
    while let Some(found) = read_record(&mut reader, &mut text) {
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
fn a_ratelimited_message_is_logged_ten_times_in_a_row() {
    let mut texts = 0;
    for _ in 0..12 {
        texts += logged(|| pr_debug_ratelimited!("again and again")).len();
    }
    assert_eq!(texts, 10);
}

#[ktest]
fn a_lock_that_its_own_context_holds_is_refused_and_broken_only_in_a_failure_report() {
    let (count, flags) = (preempt::count(), irq::local_irq_save());
    let lock = BustableLock::new(1);
    let held = lock.lock();
    assert!(held.is_some());
    assert!(lock.lock().is_none());
    oops_enter();
    let broken = lock.lock().map(|value| *value);
    oops_exit();
    assert_eq!(broken, Some(1));
    // It would unlock what it does not hold any more. What else it would do is done here.
    core::mem::forget(held);
    preempt::set_count(count);
    irq::local_irq_restore(flags);
}

#[ktest]
fn a_messages_function_is_named_without_its_path() {
    assert_eq!(crate::__function_name!(), "a_messages_function_is_named_without_its_path");
    assert_eq!(
        Some(()).map_or("", |()| crate::__function_name!()),
        "a_messages_function_is_named_without_its_path"
    );
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

#[ktest]
fn a_message_of_an_nmi_that_has_interrupted_the_log_gets_there_behind() {
    use crate::preempt::{self, NMI_OFFSET};
    let mut reader = end_of_log();
    let held = LOG.lock();
    preempt::add(NMI_OFFSET);
    pr_info!("printk-test: from an NMI");
    preempt::sub(NMI_OFFSET);
    drop(held);
    pr_info!("printk-test: behind it");
    for expected in ["printk-test: from an NMI", "printk-test: behind it"] {
        let mut text = [0; LINE_MAX];
        let found = read_record(&mut reader, &mut text).expect("a record");
        assert_eq!(&text[..found.len], expected.as_bytes());
    }
}

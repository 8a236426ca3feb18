use super::*;
use proptest::prelude::*;
use std::{collections::VecDeque, string::String, vec, vec::Vec};

fn meta(level: u8) -> Meta {
    Meta { level, ..Meta::default() }
}

fn texts(ring: &Ring) -> Vec<String> {
    ring.records()
        .map(|record| String::from_utf8_lossy(record.text).into_owned())
        .collect()
}

#[test]
fn records_come_back_in_order_with_all_they_said() {
    let mut buffer = [0; 256];
    let mut ring = Ring::new(&mut buffer);
    let said = Meta {
        ts_ns: 1_234_567_890_123,
        caller: 0x8000_0003,
        facility: 23,
        level: 7,
        flags: 31,
    };
    assert_eq!(ring.push(meta(3), b"first"), 0);
    assert_eq!(ring.push(said, b"second"), 1);
    let records: Vec<_> = ring.records().collect();
    assert_eq!(
        records[0],
        Record {
            seq: 0,
            meta: meta(3),
            text: b"first"
        }
    );
    assert_eq!(
        records[1],
        Record {
            seq: 1,
            meta: said,
            text: b"second"
        }
    );
    assert_eq!((ring.first_seq(), ring.next_seq(), ring.len()), (0, 2, 2));
}

#[test]
fn levels_and_flags_keep_to_their_bits() {
    let mut buffer = [0; 128];
    let mut ring = Ring::new(&mut buffer);
    ring.push(
        Meta {
            level: 0xff,
            flags: 0xff,
            ..Meta::default()
        },
        b"",
    );
    let read = ring.get(0).map(|record| (record.meta.level, record.meta.flags));
    assert_eq!(read, Some((7, 31)));
}

#[test]
fn a_full_log_drops_the_oldest() {
    let mut buffer = [0; 96];
    let mut ring = Ring::new(&mut buffer);
    for text in ["a", "b", "c", "d"] {
        ring.push(meta(6), text.as_bytes());
    }
    assert_eq!(texts(&ring), ["a", "b", "c", "d"]);
    ring.push(meta(6), b"e");
    assert_eq!(texts(&ring), ["b", "c", "d", "e"]);
    assert_eq!((ring.first_seq(), ring.get(0)), (1, None));
    ring.push(meta(6), b"");
    assert_eq!(texts(&ring), ["c", "d", "e", ""]);
}

#[test]
fn a_record_is_never_split_at_the_end_of_the_buffer() {
    let mut buffer = [0; 256];
    let mut ring = Ring::new(&mut buffer);
    for n in 0..100_u8 {
        let text = vec![n; usize::from(n % 40)];
        let seq = ring.push(meta(6), &text);
        assert_eq!(ring.get(seq).map(|record| record.text.to_vec()), Some(text));
    }
    for record in ring.records() {
        assert_eq!(record.text, vec![record.seq as u8; record.seq as usize % 40]);
    }
}

#[test]
fn a_text_too_long_is_cut_between_characters() {
    let mut buffer = [0; 128];
    let mut ring = Ring::new(&mut buffer);
    assert_eq!(ring.max_text(), 16);
    let seq = ring.push(meta(6), "0123456789abcdüü".as_bytes());
    assert_eq!(ring.get(seq).map(|record| record.text), Some("0123456789abcdü".as_bytes()));
    let seq = ring.push(meta(6), "0123456789abcdeüü".as_bytes());
    assert_eq!(ring.get(seq).map(|record| record.text), Some(&b"0123456789abcde"[..]));
    let seq = ring.push(meta(6), &[0x80; 40]);
    assert_eq!(ring.get(seq).map(|record| record.text), Some(&[0x80; 16][..]));
}

#[test]
fn a_reader_reads_on_where_it_was() {
    let mut buffer = [0; 256];
    let mut ring = Ring::new(&mut buffer);
    let mut reader = Reader::new(0);
    assert_eq!(ring.read(&mut reader), None);
    ring.push(meta(6), b"one");
    assert_eq!(ring.read(&mut reader).map(|read| read.record.text), Some(&b"one"[..]));
    assert_eq!(ring.read(&mut reader), None);
    ring.push(meta(6), b"two");
    ring.push(meta(6), b"three");
    assert_eq!(ring.read(&mut reader).map(|read| read.record.text), Some(&b"two"[..]));
    assert_eq!(reader.seq(), 2);
    assert_eq!(ring.read(&mut reader).map(|read| (read.record.seq, read.lost)), Some((2, 0)));
}

#[test]
fn a_slow_reader_is_told_how_many_records_it_lost() {
    let mut buffer = [0; 96];
    let mut ring = Ring::new(&mut buffer);
    let mut reader = Reader::new(0);
    ring.push(meta(6), b"a");
    assert!(ring.read(&mut reader).is_some());
    for text in ["b", "c", "d", "e", "f", "g"] {
        ring.push(meta(6), text.as_bytes());
    }
    let read = ring.read(&mut reader).map(|read| (read.record.seq, read.record.text, read.lost));
    assert_eq!(read, Some((3, &b"d"[..], 2)));
    assert_eq!(ring.read(&mut reader).map(|read| (read.record.seq, read.lost)), Some((4, 0)));
}

#[test]
fn a_reader_may_begin_in_the_middle_or_in_the_future() {
    let mut buffer = [0; 256];
    let mut ring = Ring::new(&mut buffer);
    for text in ["a", "b", "c"] {
        ring.push(meta(6), text.as_bytes());
    }
    let mut reader = Reader::new(2);
    assert_eq!(ring.read(&mut reader).map(|read| read.record.text), Some(&b"c"[..]));
    let mut reader = Reader::new(u64::MAX);
    assert_eq!(ring.read(&mut reader), None);
    assert_eq!(ring.get(u64::MAX), None);
}

#[test]
fn text_can_be_added_to_the_newest_record_only() {
    let mut buffer = [0; 256];
    let mut ring = Ring::new(&mut buffer);
    assert!(!ring.append(0, b"x"));
    let first = ring.push(meta(4), b"first");
    assert!(ring.append(first, b" more"));
    assert!(ring.append(first, b""));
    let second = ring.push(meta(6), b"second");
    assert!(!ring.append(first, b"!"));
    assert!(!ring.append(second + 1, b"!"));
    assert!(ring.append(second, b" and rather more"));
    assert!(!ring.append(second, &[b'x'; 40]));
    assert_eq!(texts(&ring), ["first more", "second and rather more"]);
    assert_eq!(ring.get(first).map(|record| record.meta.level), Some(4));
}

#[test]
fn adding_to_a_record_drops_the_oldest_and_may_move_it() {
    let mut buffer = [0; 120];
    let mut ring = Ring::new(&mut buffer);
    for text in ["a", "b", "c", "d", "e"] {
        ring.push(meta(6), text.as_bytes());
    }
    let mut reader = Reader::new(4);
    assert!(ring.read(&mut reader).is_some());
    // The newest record ends where the buffer does, and needs 8 bytes more.
    assert!(ring.append(4, b"0123456789abc"));
    assert_eq!(texts(&ring), ["c", "d", "e0123456789abc"]);
    ring.push(meta(6), b"f");
    let read = ring.read(&mut reader).map(|read| (read.record.seq, read.record.text, read.lost));
    assert_eq!(read, Some((5, &b"f"[..], 0)));
}

#[test]
fn moving_to_a_larger_buffer_loses_nothing_and_gives_the_old_one_back() {
    let mut small = [0; 96];
    let mut large = [0xff; 1000];
    let mut ring = Ring::new(&mut small);
    let mut reader = Reader::new(0);
    for text in ["a", "b", "c", "d", "e"] {
        ring.push(meta(6), text.as_bytes());
    }
    assert!(ring.read(&mut reader).is_some());
    let old = ring.resize(&mut large).expect("it is larger");
    assert_eq!(old.len(), 96);
    assert_eq!(ring.capacity(), 1000);
    assert_eq!(texts(&ring), ["b", "c", "d", "e"]);
    assert_eq!(ring.read(&mut reader).map(|read| read.record.text), Some(&b"c"[..]));
    assert_eq!(ring.push(meta(6), b"f"), 5);
    assert!(ring.append(5, b"g"));
    assert_eq!(texts(&ring), ["b", "c", "d", "e", "fg"]);
}

#[test]
fn a_buffer_too_small_for_the_records_is_refused() {
    let (mut large, mut small) = ([0; 256], [0; 64]);
    let mut ring = Ring::new(&mut large);
    for text in ["a", "b", "c"] {
        ring.push(meta(6), text.as_bytes());
    }
    assert_eq!(ring.resize(&mut small).expect_err("it is smaller").len(), 64);
    assert_eq!(texts(&ring), ["a", "b", "c"]);
}

#[test]
fn a_log_without_room_counts_its_records() {
    let mut ring = Ring::empty();
    assert_eq!((ring.push(meta(6), b"a"), ring.push(meta(6), b"b")), (0, 1));
    assert!(ring.is_empty() && !ring.append(1, b"c"));
    let mut reader = Reader::new(0);
    assert_eq!(ring.read(&mut reader), None);
    let mut buffer = [0; 64];
    assert!(ring.resize(&mut buffer).is_ok());
    ring.push(meta(6), b"c");
    assert_eq!(ring.read(&mut reader).map(|read| (read.record.seq, read.lost)), Some((2, 2)));
}

#[test]
fn tiny_and_odd_buffers_work_as_far_as_they_reach() {
    for size in 0..100 {
        let mut buffer = vec![0xff; size];
        let mut ring = Ring::new(&mut buffer);
        for n in 0..20_u8 {
            ring.push(meta(6), &[n; 3]);
            ring.append(u64::from(n), &[n; 2]);
        }
        assert_eq!(ring.next_seq(), 20);
        assert_eq!(ring.is_empty(), size < 16, "{size}");
        assert_eq!(ring.records().count() as u64, ring.len());
    }
}

/// What a test does to the log.
#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>),
    Append(Vec<u8>),
    Read(usize),
    Resize(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let text = || proptest::collection::vec(any::<u8>(), 0..48);
    prop_oneof![
        6 => text().prop_map(Step::Push),
        3 => text().prop_map(Step::Append),
        3 => (0..3_usize).prop_map(Step::Read),
        1 => (128..1024_usize).prop_map(Step::Resize),
    ]
}

/// Bytes that a record takes in the buffer, by the format's description.
fn room(text: &[u8]) -> usize {
    16 + text.len().div_ceil(8) * 8
}

proptest! {
    #[test]
    fn the_log_is_the_end_of_all_that_was_said(
        size in 128..512_usize,
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        let buffers: Vec<Vec<u8>> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Resize(size) => Some(vec![0xff; *size]),
                _ => None,
            })
            .collect();
        let mut first = vec![0xff; size];
        let mut buffers = buffers;
        let mut spare = buffers.iter_mut();
        let mut ring = Ring::new(&mut first);
        // What the log should hold, of all that it was told; and what each reader has seen.
        let mut said: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        let mut readers = [Reader::new(0); 3];

        for (n, step) in steps.iter().enumerate() {
            let before: Vec<(u64, Vec<u8>)> = said.iter().cloned().collect();
            match step {
                Step::Push(text) => {
                    let text = cut(text, ring.max_text()).to_vec();
                    let seq = ring.push(Meta { ts_ns: n as u64, ..meta(6) }, &text);
                    said.push_back((seq, text));
                }
                Step::Append(text) => {
                    let Some((seq, last)) = said.back_mut() else { continue };
                    let fits = last.len() + text.len() <= ring.max_text();
                    prop_assert_eq!(ring.append(*seq, text), fits);
                    if fits {
                        last.extend(text);
                    }
                }
                Step::Read(which) => {
                    let reader = &mut readers[*which];
                    let from = reader.seq();
                    let expected = said.iter().find(|(seq, _)| *seq >= from);
                    let read = ring.read(reader);
                    prop_assert_eq!(
                        read.map(|read| (read.record.seq, read.record.text, read.lost)),
                        expected.map(|(seq, text)| (*seq, &text[..], seq - from))
                    );
                }
                Step::Resize(_) => {
                    let Some(buffer) = spare.next() else { continue };
                    let needed: usize = said.iter().map(|(_, text)| room(text)).sum();
                    let fits = needed <= buffer.len() / 8 * 8;
                    prop_assert_eq!(ring.resize(buffer).is_ok(), fits);
                }
            }
            // The oldest may go, but only when the rest fills the buffer up to what one record and
            // the gap before it may waste.
            let kept = ring.len() as usize;
            prop_assert!(kept >= 1.min(said.len()));
            while said.len() > kept {
                said.pop_front();
            }
            if kept < before.len() + usize::from(matches!(step, Step::Push(_))) {
                let dropped = &before[before.len() + usize::from(matches!(step, Step::Push(_))) - kept - 1];
                let filled: usize = said.iter().map(|(_, text)| room(text)).sum();
                prop_assert!(filled + room(&dropped.1) + ring.capacity() / 4 > ring.capacity() - 8);
            }
            let records: VecDeque<_> =
                ring.records().map(|record| (record.seq, record.text.to_vec())).collect();
            prop_assert_eq!(&records, &said);
        }
    }
}

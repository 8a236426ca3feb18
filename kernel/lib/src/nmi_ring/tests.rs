//! Every interleaving of writers and readers under loom, and the plain cases.

use super::*;
use loom::sync::Arc;
use loom::sync::atomic;
use loom::thread;
use std::vec::Vec;

/// Two slots of one word.
type Model = NmiRing<2, 1, atomic::AtomicU64, atomic::AtomicU32>;

fn model() -> Model {
    let word = || atomic::AtomicU32::new(0);
    let slot = || Slot {
        state: word(),
        ts_ns: atomic::AtomicU64::new(0),
        head: atomic::AtomicU64::new(0),
        text: [atomic::AtomicU64::new(0)],
    };
    NmiRing {
        slots: [slot(), slot()],
        tickets: word(),
        filled: word(),
        lost: word(),
    }
}

fn explore(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(f);
}

/// What says the same in every part of a message.
fn send<const SLOTS: usize, const WORDS: usize, C: Atomic<u64>, O: Atomic<u32>>(ring: &NmiRing<SLOTS, WORDS, C, O>, number: u8) -> bool {
    let meta = Meta {
        ts_ns: number.into(),
        caller: number.into(),
        level: number & 7,
        ..Meta::default()
    };
    ring.push(meta, &[number; 3])
}

/// Takes a message and checks that its parts belong together.
fn receive<const SLOTS: usize, const WORDS: usize, C: Atomic<u64>, O: Atomic<u32>>(ring: &NmiRing<SLOTS, WORDS, C, O>) -> Option<u8> {
    let mut text = [0; 8];
    let (meta, length) = ring.pop(&mut text)?;
    let number = text[0];
    assert_eq!((&text[..length], length), (&[number; 3][..], 3));
    assert_eq!((meta.ts_ns, meta.caller, meta.level), (number.into(), number.into(), number & 7));
    Some(number)
}

#[test]
fn each_message_is_taken_once_and_whole() {
    explore(1, || {
        let ring = Arc::new(model());
        let writer = thread::spawn({
            let ring = ring.clone();
            move || assert!(send(&*ring, 1))
        });
        let reader = thread::spawn({
            let ring = ring.clone();
            move || receive(&*ring)
        });
        assert!(send(&*ring, 2));
        let mut taken: Vec<u8> = receive(&*ring).into_iter().collect();
        writer.join().expect("no panic");
        taken.extend(reader.join().expect("no panic"));
        while let Some(number) = receive(&*ring) {
            taken.push(number);
        }
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
        assert!(ring.is_empty() && ring.take_lost() == 0);
    });
}

#[test]
fn a_slot_is_used_again_by_one_writer_at_a_time() {
    explore(2, || {
        let ring = Arc::new(model());
        assert!(send(&*ring, 1) && send(&*ring, 2));
        let writer = thread::spawn({
            let ring = ring.clone();
            move || usize::from(send(&*ring, 3))
        });
        assert_eq!(receive(&*ring), Some(1));
        let sent = usize::from(send(&*ring, 4)) + writer.join().expect("no panic");
        let taken = core::iter::from_fn(|| receive(&*ring)).count();
        assert_eq!(taken, sent + 1);
        assert_eq!(sent + ring.take_lost() as usize, 2);
    });
}

#[test]
fn messages_come_in_order_and_the_one_too_many_is_counted() {
    let ring = NmiRing::<4, 1>::new();
    for round in 0..3_u8 {
        for number in 0..4 {
            assert!(send(&ring, round * 10 + number));
        }
        assert!(!send(&ring, 99));
        for number in 0..4 {
            assert_eq!(receive(&ring), Some(round * 10 + number));
        }
        assert_eq!((receive(&ring), ring.take_lost(), ring.take_lost()), (None, 1, 0));
    }
}

#[test]
fn a_text_that_is_too_long_is_cut() {
    let ring = NmiRing::<1, 1>::new();
    assert!(ring.push(Meta::default(), b"twelve bytes"));
    let mut text = [0; 16];
    assert_eq!(ring.pop(&mut text), Some((Meta::default(), 8)));
    assert_eq!(&text[..8], b"twelve b");
    assert!(ring.push(Meta::default(), b""));
    assert_eq!(ring.pop(&mut text).map(|message| message.1), Some(0));
    assert!(ring.push(Meta::default(), b"seven b"));
    let mut short = [0; 3];
    assert_eq!(ring.pop(&mut short).map(|message| message.1), Some(3));
    assert_eq!(&short, b"sev");
}

#[test]
fn tickets_that_wrap_around_stay_in_order() {
    let ring = NmiRing::<4, 1>::new();
    ring.tickets.store(u32::MAX - 1, Relaxed);
    for number in 0..4 {
        assert!(send(&ring, number));
    }
    for number in 0..4 {
        assert_eq!(receive(&ring), Some(number));
    }
}

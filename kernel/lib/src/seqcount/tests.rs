//! Tests under loom: every interleaving of a writer and readers.

use super::*;
use loom::sync::Arc;
use loom::sync::atomic;
use loom::thread;

/// Two numbers that belong together: the second is twice the first.
#[derive(Default)]
struct Pair(atomic::AtomicU32, atomic::AtomicU32);

impl Pair {
    fn set(&self, value: u32) {
        self.0.store(value, Relaxed);
        self.1.store(2 * value, Relaxed);
    }

    fn get(&self) -> (u32, u32) {
        (self.0.load(Relaxed), self.1.load(Relaxed))
    }
}

/// Tries all interleavings with up to three preemptions.
fn explore(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

#[test]
fn a_reader_sees_no_half_of_a_change() {
    explore(|| {
        let shared = Arc::new((SeqCount::<atomic::AtomicU32>::default(), Pair::default()));
        let writer = thread::spawn({
            let shared = shared.clone();
            move || (1..=2).for_each(|value| shared.0.write(|| shared.1.set(value)))
        });
        let once = shared.0.try_read(|| shared.1.get());
        assert!(once.is_none_or(|(one, two)| two == 2 * one), "{once:?}");
        let (one, two) = shared.0.read(|| shared.1.get());
        assert_eq!(two, 2 * one);
        writer.join().expect("no panic");
        assert_eq!(shared.0.read(|| shared.1.get()), (2, 4));
    });
}

#[test]
fn a_reader_of_two_copies_sees_no_half_of_a_change() {
    explore(|| {
        let shared = Arc::new((SeqCountLatch::<atomic::AtomicU32>::default(), [Pair::default(), Pair::default()]));
        let writer = thread::spawn({
            let shared = shared.clone();
            move || shared.0.write(|copy| shared.1[copy].set(1))
        });
        let (one, two) = shared.0.read(|copy| shared.1[copy].get());
        assert_eq!(two, 2 * one);
        writer.join().expect("no panic");
        assert_eq!(shared.0.read(|copy| shared.1[copy].get()), (1, 2));
    });
}

#[test]
fn who_interrupts_the_writer_of_two_copies_need_not_wait() {
    let latch = SeqCountLatch::<AtomicU32>::default();
    let copies = [AtomicU32::new(1), AtomicU32::new(1)];
    let read = || latch.read(|copy| copies[copy].load(Relaxed));
    latch.write(|copy| {
        let expected = if copy == 0 { 1 } else { 2 };
        assert_eq!(read(), expected);
        copies[copy].store(2, Relaxed);
        assert_eq!(read(), expected);
    });
    assert_eq!(read(), 2);
}

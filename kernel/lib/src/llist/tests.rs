//! Every interleaving of several CPUs, under loom. Entries are numbers of places in an array.

use std::vec::Vec;

use super::*;
use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

/// A list, and room for its entries: 0 is none, so that number `n` has place `n - 1`.
#[derive(Default)]
struct Lists {
    heads: [AtomicUsize; 2],
    links: [AtomicUsize; 3],
    /// What is written before an entry goes in, and read after it has come out.
    contents: [AtomicUsize; 3],
}

#[derive(Clone, Copy)]
struct Numbered<'a>(usize, &'a Lists);

#[derive(Clone, Copy)]
struct First<'a>(&'a AtomicUsize, &'a Lists);

fn number(entry: Option<Numbered<'_>>) -> usize {
    entry.map_or(0, |entry| entry.0)
}

impl Lists {
    fn entry(&self, number: usize) -> Option<Numbered<'_>> {
        (number != 0).then_some(Numbered(number, self))
    }

    fn head(&self, list: usize) -> First<'_> {
        First(&self.heads[list], self)
    }

    fn push(&self, number: usize) -> bool {
        self.contents[number - 1].store(10 * number, Relaxed);
        push(&self.head(0), Numbered(number, self))
    }

    /// Takes all out of a list and says their numbers.
    fn drain(&self, list: usize) -> Vec<usize> {
        let taken = take_all(&self.head(list)).map(|Numbered(number, _)| {
            assert_eq!(self.contents[number - 1].load(Relaxed), 10 * number);
            number
        });
        taken.collect()
    }
}

impl Entry for Numbered<'_> {
    fn next(self) -> Option<Self> {
        self.1.entry(self.1.links[self.0 - 1].load(Relaxed))
    }
    fn set_next(self, next: Option<Self>) {
        self.1.links[self.0 - 1].store(number(next), Relaxed);
    }
}

impl<'a> Head<Numbered<'a>> for First<'a> {
    fn load(&self, order: Ordering) -> Option<Numbered<'a>> {
        self.1.entry(self.0.load(order))
    }
    fn swap(&self, new: Option<Numbered<'a>>, order: Ordering) -> Option<Numbered<'a>> {
        self.1.entry(self.0.swap(number(new), order))
    }
    fn compare_exchange(&self, old: Option<Numbered<'a>>, new: Numbered<'a>, order: Ordering) -> Result<(), Option<Numbered<'a>>> {
        let exchanged = self.0.compare_exchange(number(old), new.0, order, Relaxed);
        exchanged.map(|_| ()).map_err(|now| self.1.entry(now))
    }
}

/// Tries all interleavings with up to three preemptions.
fn explore(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

#[test]
fn entries_come_out_in_the_order_in_which_they_went_in() {
    explore(|| {
        let lists = Lists::default();
        for _ in 0..2 {
            assert!(is_empty(&lists.head(0)) && lists.drain(0).is_empty());
            assert_eq!([1, 2, 3].map(|number| lists.push(number)), [true, false, false]);
            assert!(!is_empty(&lists.head(0)));
            assert_eq!(lists.drain(0), [1, 2, 3]);
        }
    });
}

#[test]
fn an_entry_may_go_into_another_list_as_soon_as_it_is_returned() {
    explore(|| {
        let lists = Lists::default();
        for number in 1..=3 {
            lists.push(number);
        }
        for entry in take_all(&lists.head(0)) {
            push(&lists.head(1), entry);
        }
        assert_eq!((lists.drain(0), lists.drain(1)), (Vec::new(), Vec::from([1, 2, 3])));
    });
}

/// As the queue of function calls is used: who finds it empty tells the owner, who then takes all; nothing is lost, nothing comes twice, and there is a word for each round.
#[test]
fn what_several_cpus_put_in_comes_out_once() {
    explore(|| {
        let shared = Arc::new((Lists::default(), AtomicUsize::new(0)));
        let sender = |numbers: &'static [usize]| {
            let shared = shared.clone();
            thread::spawn(move || {
                let first = numbers.iter().filter(|&&number| shared.0.push(number)).count();
                shared.1.fetch_add(first, Relaxed);
            })
        };
        let senders = [sender(&[1, 2]), sender(&[3])];
        let first = shared.0.drain(0);
        senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
        let second = shared.0.drain(0);
        let rounds = usize::from(!first.is_empty()) + usize::from(!second.is_empty());
        assert_eq!(shared.1.load(Relaxed), rounds);
        let mut all = [first, second].concat();
        assert!(
            all.iter().filter(|&&number| number != 3).eq(&[1, 2]),
            "{all:?}: one sender's stay in order"
        );
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3]);
    });
}

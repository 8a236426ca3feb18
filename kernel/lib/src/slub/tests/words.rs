//! The words keep what they are given.

use crate::slub::word::{CpuWord, Link, MAX_CPUS, MAX_OBJECTS, MAX_SLAB_SIZE, SlabWord};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_fields_of_a_slab_word_are_apart(link in 0..MAX_SLAB_SIZE / 8, objects in 1..=MAX_OBJECTS, in_use in 0..=MAX_OBJECTS, frozen: bool) {
        let link = Link::to(link * 8);
        let word = SlabWord::new(Link::NONE, objects).with_in_use(in_use).with_frozen(frozen).with_link(link);
        prop_assert_eq!((word.link(), word.objects(), word.in_use(), word.frozen()), (link, objects, in_use, frozen));
        let word = word.with_frozen(!frozen).with_in_use(0).with_link(Link::NONE);
        prop_assert_eq!((word.link(), word.objects(), word.in_use(), word.frozen()), (Link::NONE, objects, 0, !frozen));
    }

    #[test]
    fn a_cpu_word_is_never_the_same_again(cpu in 0..MAX_CPUS, links: [u32; 8]) {
        let mut word = CpuWord::new(cpu);
        for link in links.map(Link::from_raw) {
            let next = word.advance(link);
            prop_assert_eq!(next.link(), link);
            prop_assert_ne!(next.bits() >> 31, word.bits() >> 31);
            prop_assert_eq!(next.bits() >> 22 & 0x1ff, cpu as u64);
            word = next;
        }
    }
}

#[test]
fn a_change_counts_on_beyond_the_last_number() {
    let last = CpuWord::new(MAX_CPUS - 1);
    let next = last.advance(Link::to(8));
    assert_eq!((next.link(), next.bits() >> 22), (Link::to(8), u64::MAX >> 22));
    let first = (1 << 33) - 1;
    assert_eq!(
        next.advance(Link::NONE).bits(),
        (first - 1) << 31 | 0x1ff << 22,
        "the count goes down from there"
    );
}

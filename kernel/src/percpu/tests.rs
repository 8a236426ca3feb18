//! Tests of per-CPU data.

use super::*;
use crate::mm::slab::KVec;

#[ktest]
fn this_cpu_add_changes_only_this_cpus_copy() {
    #[percpu]
    static COUNTER: AtomicU64 = AtomicU64::new(5);

    COUNTER.this_cpu_write(7);
    COUNTER.this_cpu_add(u64::MAX);
    assert_eq!(COUNTER.this_cpu_read(), 6);
    let own = COUNTER.per_cpu(smp_processor_id()).expect("this CPU exists");
    assert_eq!(own.load(Relaxed), 6);
    for cpu in masks::POSSIBLE.iter().filter(|&cpu| cpu != smp_processor_id()) {
        assert_eq!(COUNTER.per_cpu(cpu).map(|copy| copy.load(Relaxed)), Some(5));
    }
}

#[ktest]
fn a_narrow_per_cpu_integer_leaves_its_neighbours_alone() {
    #[percpu]
    static NARROW: [AtomicU8; 3] = [const { AtomicU8::new(0xff) }; 3];

    // SAFETY: `PerCpu` is transparent, and the element lies inside the static.
    let middle = unsafe { &*(&raw const NARROW).cast::<PerCpu<AtomicU8>>().add(1) };
    middle.this_cpu_add(1);
    NARROW.with_this_cpu(|values| assert_eq!(values.each_ref().map(|value| value.load(Relaxed)), [0xff, 0, 0xff]));
}

#[ktest]
fn a_cpu_beyond_the_possible_ones_has_no_copy() {
    assert!(CPU_NUMBER.per_cpu(NR_CPUS).is_none());
    assert!(CPU_NUMBER.per_cpu(usize::MAX).is_none());
}

#[ktest]
fn what_is_allocated_is_there_for_each_cpu() {
    let counters = alloc_percpu::<[AtomicU64; 3]>().expect("room");
    for cpu in masks::POSSIBLE.iter() {
        let copy = counters.per_cpu(cpu).expect("a copy");
        assert!(copy.iter().all(|value| value.load(Relaxed) == 0));
        copy[1].store(cpu as u64 + 1, Relaxed);
    }
    counters.with_this_cpu(|own| assert_eq!(own[1].load(Relaxed), smp_processor_id() as u64 + 1));
    assert!(
        masks::POSSIBLE
            .iter()
            .all(|cpu| counters.per_cpu(cpu).is_some_and(|copy| copy[1].load(Relaxed) == cpu as u64 + 1))
    );
    assert!(counters.per_cpu(NR_CPUS).is_none());
}

#[ktest]
fn an_allocated_integer_is_changed_in_one_instruction() {
    let value = alloc_percpu_with(|cpu| AtomicU32::new(cpu as u32 + 7)).expect("room");
    value.this_cpu_add(u32::MAX);
    assert_eq!(value.this_cpu_read(), smp_processor_id() as u32 + 6);
    value.this_cpu_write(1);
    let own = smp_processor_id();
    assert!(masks::POSSIBLE.iter().all(|cpu| {
        let expected = if cpu == own { 1 } else { cpu as u32 + 7 };
        value.per_cpu(cpu).is_some_and(|copy| copy.load(Relaxed) == expected)
    }));
}

#[ktest]
fn alignment_is_kept_up_to_a_page() {
    #[repr(align(64))]
    #[derive(Default)]
    struct Line(AtomicU8);
    #[repr(align(4096))]
    #[derive(Default)]
    struct Page(AtomicU8);

    let byte = alloc_percpu::<AtomicU8>().expect("room");
    let line = alloc_percpu::<Line>().expect("room");
    let page = alloc_percpu::<Page>().expect("room");
    for cpu in masks::POSSIBLE.iter() {
        assert!(byte.per_cpu(cpu).is_some() && line.per_cpu_ptr(cpu).is_aligned() && page.per_cpu_ptr(cpu).is_aligned());
        assert!(line.per_cpu(cpu).is_some_and(|line| line.0.load(Relaxed) == 0));
        assert!(page.per_cpu(cpu).is_some_and(|page| page.0.load(Relaxed) == 0));
    }
}

#[ktest]
fn dropping_gives_back_values_and_room() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Counted(#[expect(dead_code, reason = "takes room")] [u8; 100]);
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Relaxed);
        }
    }

    let before = used_bytes();
    let first = alloc_percpu_with(|_| Counted([0; 100])).expect("room");
    assert_eq!(used_bytes(), before + 100);
    drop(first);
    assert_eq!((used_bytes(), DROPPED.load(Relaxed)), (before, masks::POSSIBLE.weight()));
}

#[ktest]
fn there_are_more_chunks_when_one_is_full_and_fewer_when_they_are_empty() {
    // Small, for a test has one on its stack while memory for a chunk is looked for.
    #[repr(align(256))]
    struct Room([AtomicU64; 32]);

    let room = || alloc_percpu_with(|cpu| Room(core::array::from_fn(|_| AtomicU64::new(cpu as u64))));
    let (before, used) = (chunks(), used_bytes());
    let mut rooms = KVec::new();
    while chunks() < before + 2 {
        rooms.push(room().expect("memory")).expect("memory");
        assert!(rooms.len() < 4000, "a megabyte and no second chunk");
    }
    for cpu in masks::POSSIBLE.iter() {
        let mut copies = rooms.iter().map(|room| room.per_cpu(cpu).expect("a copy"));
        assert!(copies.all(|copy| core::ptr::from_ref(copy).is_aligned() && copy.0.iter().all(|word| word.load(Relaxed) == cpu as u64)));
    }
    drop(rooms);
    assert!(chunks() <= before + 1 && used_bytes() == used);
}

#[cfg(CONFIG_FAULT_INJECTION)]
#[ktest]
fn whichever_allocation_fails_it_is_an_error_and_nothing_is_lost() {
    use arrayvec::ArrayVec;

    use crate::mm::fault_inject;

    #[derive(Default)]
    struct Large(#[expect(dead_code, reason = "takes room")] [[u8; 32]; 30]);

    let used = used_bytes();
    // So many that a chunk is added.
    let many = || {
        (0..120)
            .map(|_| alloc_percpu::<Large>())
            .collect::<Result<ArrayVec<_, 120>, Errno>>()
    };
    let sites = fault_inject::every_site(many, |site, result| {
        assert_eq!(result.is_err(), site.is_some(), "{site:?}");
        drop(result);
        assert_eq!(used_bytes(), used);
    });
    assert!(sites >= 1);
}

#[ktest]
fn what_is_too_large_is_refused() {
    assert_eq!(alloc_percpu_with(|_| [0_u8; 33 << 10]).err(), Some(Errno::EINVAL));
}

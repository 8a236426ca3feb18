use super::*;
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;

fn resource(start: u64, end: u64, busy: bool) -> Resource {
    Resource {
        start,
        end,
        name: "x",
        busy,
    }
}

fn tree(ranges: &[(u64, u64, &'static str)]) -> Vec<Resource> {
    let mut list = Vec::new();
    for &(start, end, name) in ranges {
        let new = Resource {
            name,
            ..resource(start, end, false)
        };
        let index = place(&list, &new).unwrap();
        list.insert(index, new);
    }
    list
}

fn shown(list: &[Resource]) -> String {
    lines(list, 8).map(|line| line.to_string() + "\n").collect()
}

#[test]
fn what_comes_in_any_order_is_shown_as_a_tree() {
    let list = tree(&[
        (0x100_0000, 0x1ff_ffff, "Kernel code"),
        (0, 0xfff, "Reserved"),
        (0x10_0000, 0x7ff_ffff, "System RAM"),
        (0x200_0000, 0x20f_ffff, "Kernel data"),
        (0x1_0000_0000, 0x1_ffff_ffff, "System RAM"),
    ]);
    assert_eq!(
        shown(&list),
        "00000000-00000fff : Reserved\n\
         00100000-07ffffff : System RAM\n  \
           01000000-01ffffff : Kernel code\n  \
           02000000-020fffff : Kernel data\n\
         100000000-1ffffffff : System RAM\n"
    );
}

#[test]
fn of_equal_ranges_a_description_is_outer_and_a_claim_inner() {
    let mut list = tree(&[(0x60, 0x60, "first")]);
    let new = resource(0x60, 0x60, true);
    assert_eq!(place(&list, &new), Ok(0));
    let index = place_claim(&list, &new).unwrap();
    assert_eq!(index, 1);
    list.insert(index, new);
    assert_eq!(place_claim(&list, &new), Err(Conflict::With(new)), "it is busy now");
    assert_eq!(shown(&list), "00000060-00000060 : first\n  00000060-00000060 : x\n");
}

#[test]
fn a_claim_lies_inside_of_what_is_not_busy_only() {
    let list = [resource(0x100, 0x1ff, false), resource(0x300, 0x3ff, true)];
    assert_eq!(place_claim(&list, &resource(0x110, 0x11f, true)), Ok(1));
    assert_eq!(place_claim(&list, &resource(0x200, 0x2ff, true)), Ok(1));
    for claim in [(0x80, 0x17f), (0x80, 0x2ff), (0x1ff, 0x200)] {
        assert_eq!(
            place_claim(&list, &resource(claim.0, claim.1, true)),
            Err(Conflict::With(list[0])),
            "{claim:x?}"
        );
    }
    assert_eq!(place_claim(&list, &resource(0x310, 0x31f, true)), Err(Conflict::With(list[1])));
}

#[test]
fn what_ends_before_it_starts_is_refused() {
    assert_eq!(place(&[], &resource(1, 0, false)), Err(Conflict::Backwards));
    assert_eq!(place_claim(&[], &resource(1, 0, false)), Err(Conflict::Backwards));
    assert_eq!(
        Conflict::With(resource(0x60, 0x6f, true)).to_string(),
        "conflicts with x [0x00000060-0x0000006f]"
    );
}

#[test]
fn the_whole_address_space_is_a_range() {
    assert_eq!(place(&[], &resource(0, u64::MAX, false)), Ok(0));
    let all = [resource(0, u64::MAX, false)];
    assert_eq!(place_claim(&all, &resource(u64::MAX, u64::MAX, true)), Ok(1));
}

#[test]
fn what_lies_deep_is_shown_at_the_last_level() {
    let list: Vec<_> = (0..8).map(|depth| resource(0, 0x100 - depth, false)).collect();
    let deepest = lines(&list, 4).last().unwrap().to_string();
    assert_eq!(deepest, "        0000-00f9 : x");
}

#[test]
fn gaps_are_what_nobody_has() {
    let list = tree(&[(0x10, 0x1f, "a"), (0x14, 0x17, "inside"), (0x20, 0x2f, "b"), (0x40, 0x4f, "c")]);
    let found = |within| gaps(&list, within).collect::<Vec<_>>();
    assert_eq!(found(0..=0x5f), [0..=0xf, 0x30..=0x3f, 0x50..=0x5f]);
    assert_eq!(found(0x18..=0x38), [0x30..=0x38]);
    assert_eq!(found(0x10..=0x2f), []);
    assert_eq!(found(0x50..=u64::MAX), [0x50..=u64::MAX]);
    let all = [resource(0, u64::MAX, false)];
    assert_eq!(gaps(&all, 0..=u64::MAX).next(), None);
}

proptest! {
    #[test]
    fn an_address_is_in_a_gap_or_in_a_resource(claims in prop::collection::vec((0_u64..40, 0_u64..9), 0..20), start in 0_u64..50, length in 0_u64..50) {
        let mut list = Vec::new();
        for (first, length) in claims {
            let new = resource(first, first + length, false);
            if let Ok(index) = place(&list, &new) {
                list.insert(index, new);
            }
        }
        let found: Vec<_> = gaps(&list, start..=start + length).collect();
        for address in 0..120 {
            let free = (start..=start + length).contains(&address) && !list.iter().any(|one| (one.start..=one.end).contains(&address));
            prop_assert_eq!(found.iter().filter(|gap| gap.contains(&address)).count(), usize::from(free), "{:#x}", address);
        }
    }

    /// Small numbers, so that ranges meet.
    #[test]
    fn whatever_is_taken_in_lies_inside_or_beside(claims in prop::collection::vec((0_u64..40, 0_u64..40, any::<bool>(), any::<bool>()), 0..40)) {
        let mut list: Vec<Resource> = Vec::new();
        for (start, end, busy, describes) in claims {
            let new = resource(start, end, busy);
            let found = if describes { place(&list, &new) } else { place_claim(&list, &new) };
            let touches: Vec<_> = list.iter().filter(|old| (start..=end).any(|at| (old.start..=old.end).contains(&at))).collect();
            match found {
                Ok(index) => list.insert(index, new),
                Err(Conflict::Backwards) => prop_assert!(end < start),
                Err(Conflict::With(other)) => prop_assert!(touches.contains(&&other)),
            }
            for (index, one) in list.iter().enumerate() {
                for later in &list[index + 1..] {
                    prop_assert!(one.start <= later.start);
                    prop_assert!(one.contains(later) || !one.overlaps(later), "{one:?} {later:?}");
                }
            }
        }
    }
}

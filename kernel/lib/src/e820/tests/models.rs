//! Properties, against a type for every page.

use super::*;
use proptest::prelude::*;
use std::vec;

const PAGES: u64 = 48;

/// The type of each page: the highest of those that cover it.
fn pages(ranges: &[(u64, u64, E820Type)]) -> Vec<E820Type> {
    let covers = |page: &u64, range: &(u64, u64, E820Type)| range.0 <= *page && *page < range.0.saturating_add(range.1);
    let kind = |page| ranges.iter().filter(|range| covers(&page, range)).map(|range| range.2).max();
    (0..PAGES).map(|page| kind(page).unwrap_or_default()).collect()
}

/// Maps in which one byte stands for a page, so that everything meets.
fn small_map() -> impl Strategy<Value = Vec<(u64, u64, E820Type)>> {
    let kind = prop_oneof![Just(1), Just(2), Just(3), Just(12), Just(0)].prop_map(E820Type);
    proptest::collection::vec((0..32_u64, 0..16_u64, kind), 0..12)
}

proptest! {
    #[test]
    fn sanitising_keeps_the_type_of_every_page(input in small_map()) {
        let output = sanitized(&input);
        prop_assert_eq!(pages(&output), pages(&input));
        if input.len() >= 2 {
            prop_assert!(output.iter().all(|range| range.1 > 0 && range.2 != E820Type(0)));
            prop_assert!(output.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
            let touching = |pair: &[(u64, u64, E820Type)]| {
                pair[0].2 == pair[1].2
                    && pair[0].2 != E820Type::PRAM
                    && pair[0].0 + pair[0].1 == pair[1].0
            };
            prop_assert!(!output.windows(2).any(touching));
            prop_assert_eq!(sanitized(&output), output);
        }
    }

    #[test]
    fn an_update_changes_the_pages_that_it_names(
        input in small_map(),
        start in 0..40_u64,
        size in 0..20_u64,
    ) {
        let mut clean = table(&sanitized(&input));
        let before = pages(&ranges(&clean));
        let changed = clean.update(start, size, RAM, RESERVED).expect("room");
        let expected: Vec<_> = (0..PAGES)
            .zip(&before)
            .map(|(page, kind)| match *kind {
                RAM if start <= page && page < start + size => RESERVED,
                kind => kind,
            })
            .collect();
        if input.len() >= 2 {
            let differ = expected.iter().zip(&before).filter(|(a, b)| a != b).count();
            prop_assert_eq!(changed, differ as u64);
        }
        prop_assert_eq!(pages(&ranges(&clean)), expected);
    }

    #[test]
    fn a_removal_empties_the_pages_that_it_names(
        input in small_map(),
        start in 0..40_u64,
        size in 0..20_u64,
        old in prop_oneof![Just(None), Just(Some(RAM))],
    ) {
        let mut clean = table(&sanitized(&input));
        let expected: Vec<_> = (0..PAGES)
            .zip(pages(&ranges(&clean)))
            .map(|(page, kind)| {
                let named = start <= page && page < start + size;
                if named && old.is_none_or(|old| old == kind) { E820Type(0) } else { kind }
            })
            .collect();
        clean.remove(start, size, old).expect("room");
        prop_assert_eq!(pages(&ranges(&clean)), expected);
    }

    #[test]
    fn any_map_from_firmware_ends_sorted_and_apart(
        input in proptest::collection::vec((any::<u64>(), any::<u64>(), 0_u32..16), 0..140),
        extra in any::<u64>(),
    ) {
        let input: Vec<_> = input
            .iter()
            .map(|(addr, size, kind)| (*addr, size.wrapping_add(extra) >> (addr % 64), E820Type(*kind)))
            .collect();
        let mut table = table(&[]);
        table.memory_setup(&params(&input));
        let output = ranges(&table);
        prop_assert!(output.iter().all(|range| range.0.checked_add(range.1).is_some()));
        prop_assert!(output.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
        let gap = table.pci_gap(table.end_of_ram_pfn(1 << 34));
        prop_assert!(!gap.found || !table.mapped_any(gap.start, gap.start + gap.size, None));
    }

    #[test]
    fn a_gap_is_found_where_a_scan_finds_it(input in small_map()) {
        prop_assume!(input.len() >= 2);
        let shifted: Vec<_> =
            input.iter().map(|(at, size, kind)| (at << 26, size << 26, *kind)).collect();
        let output = sanitized(&shifted);
        let mut best = (0, 0x40_0000, false);
        let mut edges = vec![0];
        edges.extend(output.iter().map(|range| range.0 + range.1));
        for edge in edges {
            let next = output.iter().map(|range| range.0).find(|start| *start >= edge);
            let size = next.unwrap_or(1 << 32).min(1 << 32).saturating_sub(edge);
            // The space before the first range is never offered.
            if edge != 0 && size >= best.1 && (size > best.1 || !best.2) {
                best = (edge, size, true);
            }
        }
        let gap = table(&output).pci_gap(0);
        prop_assert_eq!(gap.found, best.2);
        if gap.found {
            prop_assert_eq!((gap.start, gap.size), (best.0, best.1));
        }
    }
}

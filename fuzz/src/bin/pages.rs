//! Blocks of pages and areas of addresses: any operations, against a map of every page.

#![no_main]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU8;

use incipit_lib::buddy::{Buddy, MAX_ORDER, PAGEBLOCK_PAGES, Place, pageblocks};
use incipit_lib::page::{MemMap, Page, PageFlags};
use incipit_lib::vmap::{AreaError, Areas, Node, Request};
use incipit_lib::zone::{MigrateType, ZoneType};
use libfuzzer_sys::fuzz_target;

/// The zone begins and ends within blocks of the largest order.
const SPAN: Range<u64> = 700..700 + 5 * PAGEBLOCK_PAGES;

/// The frames around the zone; those that are not of it are reserved.
#[derive(Clone, Copy)]
struct Map;

static PAGES: OnceLock<Vec<Page>> = OnceLock::new();
static BLOCKS: [AtomicU8; pageblocks(&SPAN)] = [const { AtomicU8::new(0) }; pageblocks(&SPAN)];

fn pages() -> &'static [Page] {
    PAGES.get_or_init(|| {
        let page = |pfn| match SPAN.contains(&pfn) {
            true => Page::new(ZoneType::Normal, 0, PageFlags::empty(), 0),
            false => Page::new(ZoneType::Normal, 0, PageFlags::RESERVED, 1),
        };
        (0..SPAN.end.next_multiple_of(1 << MAX_ORDER)).map(page).collect()
    })
}

impl MemMap for Map {
    fn page(self, pfn: u64) -> &'static Page {
        &pages()[pfn as usize]
    }
}

/// Blocks that are handed out do not overlap, and all pages are there at the end. The frames are the same each time, so all are given back.
fn blocks(steps: &[u8]) {
    for page in pages() {
        page.set_type(None);
    }
    let mut buddy = Buddy::new(Map, SPAN, &BLOCKS);
    buddy.free_range(SPAN);
    let all = SPAN.end - SPAN.start;
    let mut taken: BTreeMap<u64, u32> = BTreeMap::new();
    for step in steps.chunks_exact(2) {
        let order = u32::from(step[0] & 15).min(MAX_ORDER);
        let kind = MigrateType::from_bits(u64::from(step[0] >> 4 & 3).min(2));
        if step[0] & 0x80 == 0 {
            let Some(pfn) = buddy.alloc(order, kind) else { continue };
            assert!(pfn.is_multiple_of(1 << order) && SPAN.start <= pfn && pfn + (1 << order) <= SPAN.end);
            let before = taken.range(..pfn + (1 << order)).next_back();
            assert!(before.is_none_or(|(other, order)| other + (1 << order) <= pfn), "{pfn} is taken");
            taken.insert(pfn, order);
        } else {
            let at = SPAN.start + u64::from(step[1]) * 10;
            let Some((&pfn, &order)) = taken.range(at..).next() else { continue };
            taken.remove(&pfn);
            buddy.free(pfn, order, if step[0] & 1 == 0 { Place::Head } else { Place::Tail });
        }
        let used: u64 = taken.values().map(|order| 1 << order).sum();
        assert_eq!(buddy.free_pages(), all - used);
    }
    for (pfn, order) in taken {
        buddy.free(pfn, order, Place::Head);
    }
    let mut found = 0;
    buddy.for_each_block(|_, order| found += 1 << order);
    assert_eq!((buddy.free_pages(), found), (all, all));
}

const SPACE: Range<usize> = 0x1000..0x41000;

/// The first address with room among areas, by trying each.
fn first_fit(model: &BTreeMap<usize, usize>, request: &Request) -> Option<usize> {
    let within = request.within.start.max(SPACE.start)..request.within.end.min(SPACE.end);
    (within.start.next_multiple_of(request.align)..)
        .step_by(request.align)
        .take_while(|start| start + request.size <= within.end)
        .find(|start| {
            let before = model.range(..start + request.size).next_back();
            before.is_none_or(|(_, end)| end <= start)
        })
}

/// Areas lie where the first gap is, or there is none.
fn areas(steps: &[u8]) {
    let nodes: Vec<Node<usize>> = (0..40).map(|_| Node::spare()).collect();
    let mut areas: Areas<usize, Vec<Node<usize>>> = Areas::new(nodes, SPACE);
    let mut model = BTreeMap::new();
    for step in steps.chunks_exact(2) {
        let address = SPACE.start + (usize::from(step[1]) << 10);
        if step[0] & 0x80 != 0 {
            let area = areas.free(address).map(|(area, value)| (area.start, area.end, value));
            assert_eq!(area, model.remove(&address).map(|end| (address, end, end)));
            continue;
        }
        let request = Request {
            size: usize::from(step[0] & 31) << 10,
            align: 1 << (10 + (step[0] >> 5)),
            within: if step[1] & 1 == 0 { 0..usize::MAX } else { address..usize::MAX },
        };
        if request.size == 0 {
            assert_eq!(areas.alloc(&request, 0), Err(AreaError::BadRequest));
            continue;
        }
        let expected = first_fit(&model, &request);
        let value = expected.map_or(0, |start| start + request.size);
        match areas.alloc(&request, value) {
            Ok(area) => {
                assert_eq!((Some(area.start), area.end), (expected, value));
                model.insert(area.start, area.end);
            }
            Err(AreaError::NoRoom) => assert_eq!(expected, None),
            Err(error) => assert!(error == AreaError::NoNodes && areas.spare() < 2, "{error:?}"),
        }
    }
    assert!(areas.iter().map(|(area, _)| (area.start, area.end)).eq(model));
}

fuzz_target!(|data: &[u8]| {
    let [which, steps @ ..] = data else { return };
    match which % 2 {
        0 => blocks(steps),
        _ => areas(steps),
    }
});

//! What is tried when no zone has enough above its mark, and the report when that was in vain.

use super::{Gfp, Limit, Request, drain_all_pages, get_page_from_freelist};
use crate::mm::page::{Page, page_to_pfn};
use crate::mm::show_mem::{out_of_memory, warn_alloc};
use crate::mm::zone::{Mark, ZoneRef, page_zone};
use incipit_lib::watermark::Access;

/// How far an allocation may go: Linux's `gfp_to_alloc_flags`.
fn limit_of(gfp: Gfp) -> Limit {
    let everything = gfp.contains(Gfp::MEMALLOC) && !gfp.contains(Gfp::NOMEMALLOC);
    Limit {
        mark: (!everything).then_some(Mark::Min),
        access: Access {
            high: gfp.contains(Gfp::HIGH),
            harder: gfp.contains(Gfp::ATOMIC_ACCESS) && !gfp.contains(Gfp::NOMEMALLOC),
        },
    }
}

/// One try.
#[inline(never)]
fn take(zones: &[ZoneRef], nid: usize, request: Request, limit: Limit) -> Option<&'static Page> {
    get_page_from_freelist(zones, nid, request, limit)
}

/// Takes what the reserves hold for such an allocation, then what CPUs have at hand and what is kept for others. There is nothing yet that could be made to give memory back.
#[cold]
pub(super) fn alloc_pages_slowpath(zones: &[ZoneRef], nid: usize, request: Request) -> Option<&'static Page> {
    let limit = limit_of(request.gfp);
    let take = || take(zones, nid, request, limit);
    if let Some(page) = take() {
        if request.order > 0 && limit.access.harder {
            page_zone(page).reserve_highatomic(page_to_pfn(page));
        }
        return Some(page);
    }
    drain_all_pages();
    if let Some(page) = take() {
        return Some(page);
    }
    while zones
        .iter()
        .any(|entry| entry.kind <= request.highest && entry.zone.unreserve_highatomic(request.kind))
    {
        if let Some(page) = take() {
            return Some(page);
        }
    }
    if request.gfp.contains(Gfp::NOFAIL) {
        out_of_memory(request.gfp, request.order);
    }
    warn_alloc(request.gfp, format_args!("page allocation failure: order:{}", request.order));
    None
}

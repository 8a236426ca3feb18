//! The report of a page that is not what it should be.

use core::sync::atomic::Ordering::Relaxed;

use incipit_lib::ratelimit::RateLimit;

use crate::arch::x86::dumpstack;
use crate::locking::IrqSpinLock;
use crate::mm::page::{Page, page_to_pfn};
use crate::panic::{taint, task};
use crate::prelude::*;
use crate::time;

/// At most so many reports in so many nanoseconds: Linux's 60 in a minute.
static LIMIT: IrqSpinLock<RateLimit> = IrqSpinLock::new(RateLimit::new(60_000_000_000, 60));

/// Reports a page that must not be used again, and why: Linux's function of the same name.
#[cold]
pub fn bad_page(page: &'static Page, reason: &str) {
    let decision = LIMIT.lock().check(time::sched_clock());
    if decision.missed != 0 {
        pr_alert!("BUG: Bad page state: {} messages suppressed", decision.missed);
    }
    if decision.allowed {
        pr_alert!("BUG: Bad page state in process {}  pfn:{:05x}", task::comm(), page_to_pfn(page));
        dump_page(page, reason);
        pr_warn!("Modules linked in:");
        dumpstack::dump_stack();
    }
    taint::add(taint::Taint::BadPage);
}

/// Shows what is known of a page: Linux's function of the same name.
pub fn dump_page(page: &'static Page, reason: &str) {
    let pfn = page_to_pfn(page);
    pr_warn!(
        "page:{:016x} refcount:{} mapcount:0 mapping:{:016x} index:{:#x} pfn:{pfn:#x}",
        core::ptr::from_ref(page).addr(),
        page.refcount() as i32,
        page.owner.load(Relaxed),
        page.index.load(Relaxed)
    );
    if let Some(head) = page.tail_of() {
        pr_warn!("head:{head:#x}");
    }
    pr_warn!("{page}");
    pr_warn!("page dumped because: {reason}");
    #[cfg(CONFIG_PAGE_OWNER)]
    crate::mm::page_owner::dump_page_owner(pfn, page);
}

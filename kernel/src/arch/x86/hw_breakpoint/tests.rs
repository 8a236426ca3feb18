//! Breakpoints that strike, and those that cannot be set.

mod wide;

use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::tables::HBP_NUM;
use super::{Access, Breakpoint, WideBreakpoint};
use crate::arch::x86::cpu::entry_area::exception_stack;
use crate::arch::x86::ptregs::PtRegs;
use crate::arch::x86::segment::Ist;
use crate::arch::x86::traps::debug::exc_debug;
use crate::locking::SpinLock;
use crate::prelude::*;

static WATCHED: AtomicU64 = AtomicU64::new(0);
static HITS: AtomicU64 = AtomicU64::new(0);

fn count(_: &mut PtRegs) {
    HITS.fetch_add(1, Relaxed);
}

fn hits(act: impl FnOnce()) -> u64 {
    let before = HITS.load(Relaxed);
    act();
    HITS.load(Relaxed) - before
}

#[inline(never)]
fn stop_here(value: u64) -> u64 {
    black_box(value) + 1
}

#[ktest]
fn a_watched_word_tells_of_each_write_and_of_no_read() {
    let address = (&raw const WATCHED).addr();
    let breakpoint = Breakpoint::new(address, 8, Access::Write, count).expect("a free breakpoint");
    assert_eq!(hits(|| WATCHED.store(1, Relaxed)), 1);
    assert_eq!(hits(|| _ = black_box(WATCHED.load(Relaxed))), 0);
    drop(breakpoint);
    assert_eq!(hits(|| WATCHED.store(2, Relaxed)), 0);
    let _breakpoint = Breakpoint::new(address, 4, Access::ReadWrite, count).expect("a free breakpoint");
    assert_eq!(hits(|| _ = black_box(WATCHED.load(Relaxed))), 1);
}

#[ktest]
fn an_instruction_is_reported_once_each_time_and_run() {
    let address = (stop_here as fn(u64) -> u64) as usize;
    let _breakpoint = Breakpoint::new(address, 1, Access::Execute, count).expect("a free breakpoint");
    assert_eq!(hits(|| assert_eq!(black_box(stop_here as fn(u64) -> u64)(1) + stop_here(2), 5)), 2);
}

#[ktest]
fn what_cannot_be_watched_is_refused() {
    let address = (&raw const WATCHED).addr();
    let errors = [
        (address, 3, Access::Write),
        (address, 0, Access::Write),
        (address + 1, 2, Access::Write),
        (address, 8, Access::Execute),
        (crate::mm::sections::entry_text().start_address(), 1, Access::Execute),
        (exc_debug as *const () as usize, 1, Access::Execute),
        (exception_stack(0, Ist::Debug).start, 8, Access::Write),
        (super::tables::looked_at_while_armed() + 7, 1, Access::ReadWrite),
    ];
    for (address, len, access) in errors {
        let refused = [
            Breakpoint::new(address, len, access, count).err(),
            WideBreakpoint::new(address, len, access, count).err(),
        ];
        assert_eq!(refused, [Some(Errno::EINVAL); 2], "{address:#x} {len} {access:?}");
    }
    let all = [(); HBP_NUM].map(|()| Breakpoint::new(address, 8, Access::Write, count).expect("a free breakpoint"));
    assert_eq!(Breakpoint::new(address, 8, Access::Write, count).err(), Some(Errno::ENOSPC));
    drop(all);
}

#[ktest]
fn a_handler_may_drop_its_breakpoint() {
    static IN_USE: SpinLock<Option<WideBreakpoint>> = SpinLock::new(None);
    fn once(regs: &mut PtRegs) {
        count(regs);
        drop(IN_USE.lock().take());
        // Nobody could be told.
        let again = WideBreakpoint::new((&raw const WATCHED).addr(), 8, Access::Write, count);
        assert_eq!(again.err(), Some(Errno::EBUSY));
    }
    *IN_USE.lock() = Some(WideBreakpoint::new((&raw const WATCHED).addr(), 8, Access::Write, once).expect("a free breakpoint"));
    assert_eq!(hits(|| WATCHED.store(3, Relaxed)), 1);
    assert_eq!(hits(|| WATCHED.store(4, Relaxed)), 0);
}

//! Memory in words: what `/proc` shows of it, and the report of an allocation that failed.

use core::fmt::{self, Write};

use super::Gfp;
use super::PAGE_SHIFT;
use super::page_alloc::{self, MAX_ORDER};
use super::zone::populated_zones;
use crate::prelude::*;

/// KiB of so many pages.
pub(super) const fn kib(pages: u64) -> u64 {
    pages << (PAGE_SHIFT - 10)
}

/// `/proc/meminfo`: all memory in a few lines.
///
/// # Errors
///
/// Those of `out`.
pub fn meminfo(out: &mut dyn Write) -> fmt::Result {
    let mut line = |name: &str, pages: u64| writeln!(out, "{:<16}{:>8} kB", Name(name), kib(pages));
    line("MemTotal", page_alloc::total_ram_pages())?;
    line("MemFree", page_alloc::nr_free_pages())?;
    line("MemAvailable", page_alloc::nr_free_pages())
}

/// A name with its colon.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = f.width().unwrap_or(0);
        write!(f, "{}:{:pad$}", self.0, "", pad = width.saturating_sub(self.0.len() + 1))
    }
}

/// `/proc/buddyinfo`: free blocks of each order, by zone.
///
/// # Errors
///
/// Those of `out`.
pub fn buddyinfo(out: &mut dyn Write) -> fmt::Result {
    for zone in populated_zones() {
        write!(out, "Node {}, zone {:>8} ", zone.node(), zone.kind())?;
        for order in 0..=MAX_ORDER {
            write!(out, "{:>6} ", zone.with_buddy(|buddy| buddy.blocks(order)))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Reports an allocation that failed.
pub(super) fn warn_alloc(gfp: Gfp, order: u32) {
    if gfp.contains(Gfp::NOWARN) {
        return;
    }
    pr_warn!(
        "{}: page allocation failure: order:{order}, mode:{gfp}, nodemask=(null)",
        crate::panic::task::comm()
    );
}

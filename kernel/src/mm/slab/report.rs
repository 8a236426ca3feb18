//! What is said of an object that was misused: Linux's words.

use core::fmt;

use incipit_lib::slub::Backend;
use incipit_lib::slub::debug::DumpLine;
use incipit_lib::slub::geometry::SlabFlags;

use super::cache::KmemCache;
use super::pages::Slab;
use crate::arch::x86::dumpstack::dump_stack;
use crate::arch::x86::maccess::copy_from_kernel_nofault;
use crate::mm::PAGE_SIZE;
use crate::panic::taint::{self, Taint, Tainted};
use crate::prelude::*;

/// Begins a report.
#[cold]
pub fn slab_bug(cache: &KmemCache, what: fmt::Arguments<'_>) {
    pr_err!("=============================================================================");
    pr_err!("BUG {} ({}): {what}", cache.name, Tainted(taint::mask()));
    pr_err!("-----------------------------------------------------------------------------");
}

/// Says what was done about it.
#[cold]
pub fn slab_fix(cache: &KmemCache, what: fmt::Arguments<'_>) {
    pr_err!("FIX {}: {what}", cache.name);
}

/// Reports something about a slab.
#[cold]
pub fn slab_err(cache: &'static KmemCache, slab: Slab, what: fmt::Arguments<'_>) {
    slab_bug(cache, what);
    print_slab_info(slab);
    dump_stack();
    taint::add(Taint::BadPage);
}

/// Reports something about the object at an offset, which is one of the slab.
#[cold]
pub fn object_err(cache: &'static KmemCache, slab: Slab, offset: usize, what: fmt::Arguments<'_>) {
    slab_bug(cache, what);
    print_trailer(cache, slab, offset);
    taint::add(Taint::BadPage);
}

/// Shows the slab.
fn print_slab_info(slab: Slab) {
    let (word, page) = (slab.word(), slab.page());
    let first = word.link().offset().map_or(0, |offset| slab.object(offset).addr());
    pr_err!(
        "Slab {:#x} objects={} used={} fp={first:#018x} {page}",
        core::ptr::from_ref(page).addr(),
        word.objects(),
        word.in_use()
    );
}

/// Shows all that is known of an object: who had it, its slab, its bytes and those around it.
pub fn print_trailer(cache: &'static KmemCache, slab: Slab, offset: usize) {
    let geometry = &cache.geometry;
    #[cfg(CONFIG_SLUB_DEBUG)]
    super::debug::print_tracking(cache, slab, offset);
    print_slab_info(slab);
    let object = slab.object(offset).addr();
    let next = cache.link(slab, offset).offset().map_or(0, |next| slab.object(next).addr());
    pr_err!("Object {object:#x} @offset={offset} fp={next:#018x}");
    let zones = cache.flags.contains(SlabFlags::RED_ZONE);
    if zones {
        print_section("Redzone  ", object - geometry.red_left as usize, geometry.red_left as usize);
    } else if offset > 16 {
        print_section("Bytes b4 ", object - 16, 16);
    }
    print_section("Object   ", object, (geometry.object_size as usize).min(PAGE_SIZE));
    if zones {
        let len = geometry.in_use - geometry.object_size;
        print_section("Redzone  ", object + geometry.object_size as usize, len as usize);
    }
    let padding = geometry.padding as usize;
    let end = (geometry.size - geometry.red_left) as usize;
    if padding < end {
        print_section("Padding  ", object + padding, end - padding);
    }
    dump_stack();
}

/// Shows bytes, 16 to a line.
fn print_section(text: &str, start: usize, len: usize) {
    let mut line = [0; 16];
    for at in (start..start + len).step_by(16) {
        let bytes = &mut line[..(start + len - at).min(16)];
        if copy_from_kernel_nofault(bytes, core::ptr::with_exposed_provenance(at)).is_ok() {
            pr_err!("{text}{at:016x}: {}", DumpLine(bytes));
        }
    }
}

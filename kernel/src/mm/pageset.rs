//! What CPUs have at hand of each zone, and how much that may be.
//!
//! Before [`setup_per_cpu_pageset`] every allocation goes to the free lists of its zone.

use super::page_alloc::{Pages, drain_pages};
use super::zone::{Mark, Pageset, Zone, populated_zones};
use super::{Gfp, PAGE_SIZE};
use crate::cpu::masks;
use crate::prelude::*;
use incipit_lib::watermark::{batch_size, high_size};

/// Lets every CPU have pages at hand: Linux's stage of the same name.
///
/// Without memory for that, a zone goes on without.
#[stage(after(crate::init::main::check_initrd))]
#[init]
pub fn setup_per_cpu_pageset() {
    for zone in populated_zones() {
        if let Err(error) = setup_zone_pageset(zone) {
            pr_warn!(
                "Node {} {}: no memory for what CPUs have at hand ({error})",
                zone.node(),
                zone.kind()
            );
        }
    }
    super::page_alloc::open_quick_path();
}

#[init]
fn setup_zone_pageset(zone: &'static Zone) -> Result<(), Errno> {
    let cpus = masks::nr_cpu_ids();
    let order = super::page_alloc::get_order(size_of::<Pageset>() * cpus);
    let pages = Pages::new(Gfp::KERNEL, order)?;
    let sets = pages.as_ptr().cast::<Pageset>();
    debug_assert!(align_of::<Pageset>() <= PAGE_SIZE);
    for cpu in 0..cpus {
        // SAFETY: the pages hold that many sets, and are kept for them.
        unsafe { sets.add(cpu).write(Pageset::new(zone)) };
    }
    // SAFETY: there is an initialised set for each CPU, and the pages stay.
    unsafe { zone.set_pagesets(sets) };
    let _ = pages.leak();
    zone_set_pageset_high_and_batch(zone);
    Ok(())
}

/// Says how many pages each CPU may have at hand of a zone: Linux's function of the same name.
pub(super) fn zone_set_pageset_high_and_batch(zone: &Zone) {
    let batch = batch_size(zone.managed()).max(1);
    let high = high_size(zone.mark(Mark::Low), masks::ONLINE.weight() as u64, batch);
    for set in zone.pagesets() {
        set.lock().set_limits(high, batch);
    }
}

/// Prepares for CPUs that come and go: Linux's stage of the same name. What is to be done then is declared, so that nothing has to be registered here.
#[stage(
    after(crate::arch::x86::segment::smp_prepare_boot_cpu),
    before(crate::init::command_line::print_command_line)
)]
#[init]
pub fn page_alloc_init() {}

/// Each CPU has pages at hand, which go back when it is gone.
#[cpu_state(prepare, name = "mm/page_alloc:pcp", teardown = give_back_and_share)]
fn page_alloc_cpu_prepare(_cpu: usize) -> Result<(), Errno> {
    Ok(())
}

fn give_back_and_share(cpu: usize) {
    page_alloc_cpu_dead(cpu);
    set_shares();
}

/// The more CPUs there are, the less each has at hand.
#[cpu_state(online, name = "mm/page_alloc:shares")]
fn share_among_all(_cpu: usize) -> Result<(), Errno> {
    set_shares();
    Ok(())
}

fn set_shares() {
    populated_zones().for_each(zone_set_pageset_high_and_batch);
}

/// Puts what a CPU that is gone had at hand on the free lists: Linux's function of the same name.
pub fn page_alloc_cpu_dead(cpu: usize) {
    drain_pages(cpu);
}

#[ktest]
fn what_a_cpu_had_at_hand_is_free_when_it_is_gone() {
    let cpu = crate::percpu::smp_processor_id();
    let before = super::page_alloc::total_free_pages();
    drop(Pages::new(Gfp::KERNEL, 0).expect("a page"));
    assert!(populated_zones().any(|zone| zone.free_at_hand() != 0));
    page_alloc_cpu_dead(cpu);
    assert!(populated_zones().all(|zone| zone.free_at_hand() == 0));
    assert_eq!(super::page_alloc::nr_free_pages(), before);
}

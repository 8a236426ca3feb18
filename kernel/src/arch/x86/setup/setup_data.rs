//! The chain of `setup_data`: what a boot loader passes besides the fixed parameters. Each node is named in the log and its memory kept.

use incipit_lib::bootparam::{SetupData, SetupDataError, walk_setup_data};
use incipit_lib::e820::E820Type;

use super::{EARLY_MAP_END, boot_params, e820};
use crate::mm::{memblock, phys_to_virt};
use crate::prelude::*;

/// Walks the chain; after an error it is over.
#[init]
fn nodes() -> impl Iterator<Item = Result<SetupData<'static>, SetupDataError>> {
    walk_setup_data(boot_params().hdr().setup_data, |phys, length| {
        let end = phys.checked_add(length as u64)?;
        // SAFETY: the early tables map all below 4 GiB; the memory is the boot loader's until it is reserved, and nobody writes to it.
        (end <= EARLY_MAP_END).then(|| unsafe { core::slice::from_raw_parts(phys_to_virt(phys).cast_const(), length) })
    })
}

/// Names each node in the log and takes over what belongs to the memory map: Linux's `parse_setup_data`.
#[init]
pub(super) fn parse() {
    for node in nodes() {
        let node = match node {
            Ok(node) => node,
            Err(error) => {
                pr_warn!("{error}; the rest of the chain is ignored");
                break;
            }
        };
        pr_info!("setup_data: {:?}, {} bytes at {:#x}", node.kind, node.data.len(), node.phys);
        if node.e820_entries().next().is_some() {
            e820::with_table(|table| {
                e820::report(table.memory_setup_extended(node.e820_entries()));
                pr_info!("extended physical RAM map:");
                e820::print(table, "extended");
            });
        }
    }
}

/// Keeps the memory of each node, and of what it points to, from being used: Linux's `e820__reserve_setup_data`.
#[init]
pub(super) fn reserve() {
    let mut any = false;
    for node in nodes().map_while(Result::ok) {
        any = true;
        keep(node.phys, node.size());
        if let Some(indirect) = node.indirect() {
            keep(indirect.addr, indirect.len);
        }
    }
    if any {
        e820::with_table(|table| {
            e820::update_table(table);
            pr_info!("extended physical RAM map:");
            e820::print(table, "reserve setup_data");
        });
    }
}

#[init]
fn keep(phys: u64, size: u64) {
    e820::with_table(|table| e820::report(table.update(phys, size, E820Type::RAM, E820Type::RESERVED_KERN).map(drop)));
    if let Err(error) = memblock::reserve(phys, size) {
        pr_warn!("setup_data: {size} bytes at {phys:#x} cannot be reserved ({error})");
    }
}

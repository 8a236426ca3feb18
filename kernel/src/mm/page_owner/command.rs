//! The monitor's `page_owner`: what Linux has in `/sys/kernel/debug/page_owner`.

use core::fmt::{self, Write};
use core::sync::atomic::Ordering::Relaxed;

use incipit_lib::buddy::PAGEBLOCK_ORDER;
use linkme::distributed_slice;

use super::{PageOwner, block_type, owned_page};
use crate::kdb::{Command, CommandError, KDB_COMMANDS, Then};
use crate::mm::zone::populated_zones;
use crate::mm::{Gfp, page_ext, page_owner};
use crate::panic::ReturnAddress;

#[distributed_slice(KDB_COMMANDS)]
static PAGE_OWNER: Command = Command {
    name: "page_owner",
    usage: "",
    help: "Display who has which pages, with page_owner=on",
    run,
};

fn run(arguments: &[&str], screen: &mut dyn Write) -> Result<Then, CommandError> {
    if !arguments.is_empty() {
        return Err(CommandError::ArgumentCount);
    }
    if !page_owner::is_requested() {
        writeln!(screen, "page_owner is disabled")?;
    }
    show(screen)?;
    Ok(Then::Stay)
}

/// A paragraph for each block that somebody has.
fn show(out: &mut dyn Write) -> fmt::Result {
    for zone in populated_zones() {
        for pfn in zone.spanned() {
            let Some(page) = owned_page(pfn, zone) else { continue };
            let Some(owner) = page_ext::lookup(pfn).filter(|owner| owner.is_allocated()) else {
                continue;
            };
            // A block of several pages is shown by its first.
            if pfn % (1 << owner.order()) == 0 {
                show_block(pfn, owner, out)?;
                let kind = block_type(pfn, page);
                writeln!(out, "PFN {pfn} type {kind} Block {} type {kind} {page}", pfn >> PAGEBLOCK_ORDER)?;
                for address in owner.allocated_at().into_iter().flat_map(|handle| handle.addresses()) {
                    writeln!(out, " {}", ReturnAddress(address))?;
                }
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

fn show_block(_pfn: u64, owner: &PageOwner, out: &mut dyn Write) -> fmt::Result {
    let pid = owner.pid.load(Relaxed);
    writeln!(
        out,
        "Page allocated via order {}, mask {}, pid {pid}, tgid {pid}, ts {} ns, free_ts {} ns",
        owner.order(),
        Gfp::from_bits_retain(owner.gfp.load(Relaxed)),
        owner.ts_nsec.load(Relaxed),
        owner.free_ts_nsec.load(Relaxed)
    )
}

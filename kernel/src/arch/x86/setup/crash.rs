//! Memory for a crash kernel: `crashkernel=`.

use incipit_lib::crashkernel::{Request, parse};

use crate::locking::SpinLock;
use crate::mm::memblock::{self, PhysAddr};
use crate::prelude::*;
use crate::resource::{Kind, insert};

const MIB: u64 = 1 << 20;
/// Of where the memory begins, unless the command line says where: Linux's `CRASH_ALIGN`.
const CRASH_ALIGN: u64 = 16 * MIB;
/// Up to where a crash kernel is put that may be anywhere: devices that address 32 bits reach it. Linux's `CRASH_ADDR_LOW_MAX`.
const LOW_MAX: u64 = 4 << 30;
/// How much is kept below 4 GiB for a crash kernel above, unless `crashkernel=size,low` says how much.
const DEFAULT_LOW: u64 = 256 * MIB;

/// The values given, the last of each kind.
static WANTED: SpinLock<Wanted> = SpinLock::new(Wanted {
    anywhere: None,
    high: None,
    low: None,
});

#[derive(Clone, Copy)]
struct Wanted {
    anywhere: Option<&'static str>,
    high: Option<&'static str>,
    low: Option<&'static str>,
}

/// `crashkernel=size[@address]`, `crashkernel=start-[end]:size[,…][@address]`, `crashkernel=size,high`, `crashkernel=size,low`: keeps memory for a second kernel. The last value of each form
/// counts.
#[early_param("crashkernel")]
#[init]
fn parse_crashkernel(value: Option<&'static str>) -> Result<(), Errno> {
    let value = value.ok_or(Errno::EINVAL)?;
    let mut wanted = WANTED.lock();
    // What it says depends on how much memory there is, which is not known yet; its form does not.
    match value {
        high if high.ends_with(",high") => wanted.high = Some(high),
        low if low.ends_with(",low") => wanted.low = Some(low),
        other => wanted.anywhere = Some(other),
    }
    Ok(())
}

/// Reads `value`; what is wrong with it is logged.
#[init]
fn request(value: Option<&'static str>) -> Option<Request> {
    let (memory, _) = memblock::totals();
    let value = value?;
    let parsed = parse(value.as_bytes(), memory);
    parsed.inspect_err(|error| pr_warn!("crashkernel={value}: {error}")).ok()
}

/// Keeps the memory that `crashkernel=` asks for: Linux's function of the same name.
#[stage(after(super::setup_arch), wants(crate::mm::FirmwareMemory), before(crate::mm::sparse::paging_init))]
#[init]
pub(super) fn reserve_crashkernel() {
    let Wanted { anywhere, high, low } = *WANTED.lock();
    let found = match (request(anywhere), high) {
        (Some(Request::Anywhere { size: 0, .. }), None) => return pr_info!("crashkernel size resulted in zero bytes"),
        (Some(Request::Anywhere { size, base: Some(base) }), _) if size != 0 => at(base, size),
        (Some(Request::Anywhere { size, base: None }), _) if size != 0 => below_then_above(size),
        (_, high) => match request(high) {
            Some(Request::High(size)) if size != 0 => above(size),
            _ => return,
        },
    };
    let Some(Reserved { base, size }) = found else { return };
    if base >= LOW_MAX && !reserve_low(low) {
        if let Err(error) = memblock::free(base, size) {
            pr_warn!("crashkernel: {size:#x} bytes at {base:#x} cannot be given back ({error})");
        }
        return;
    }
    pr_info!(
        "Reserving {}MB of memory at {}MB for crashkernel (System RAM: {}MB)",
        size / MIB,
        base / MIB,
        memblock::totals().0 / MIB
    );
    describe(base, size);
}

struct Reserved {
    base: u64,
    size: u64,
}

/// Where the user wants it.
#[init]
fn at(base: u64, size: u64) -> Option<Reserved> {
    // There is one place in that range, or none.
    let found = base.checked_add(size).map(|end| memblock::alloc_range(size, MIB, base, end));
    if !matches!(found, Some(Ok(_))) {
        pr_info!("crashkernel reservation failed - memory is in use.");
        return None;
    }
    Some(Reserved { base, size })
}

#[init]
fn below_then_above(size: u64) -> Option<Reserved> {
    match memblock::alloc_range(size, CRASH_ALIGN, CRASH_ALIGN, LOW_MAX) {
        Ok(PhysAddr(base)) => Some(Reserved { base, size }),
        Err(_) => above(size),
    }
}

#[init]
fn above(size: u64) -> Option<Reserved> {
    match memblock::alloc_range(size, CRASH_ALIGN, CRASH_ALIGN, u64::MAX) {
        Ok(PhysAddr(base)) => Some(Reserved { base, size }),
        Err(_) => {
            pr_info!("crashkernel reservation failed - No suitable area found.");
            None
        }
    }
}

/// Keeps memory below 4 GiB for a crash kernel above, whose devices may reach no further; says whether it could.
#[init]
fn reserve_low(wanted: Option<&'static str>) -> bool {
    let size = match request(wanted) {
        Some(Request::Low(0)) => return true,
        Some(Request::Low(size)) => size,
        _ => DEFAULT_LOW,
    };
    let Ok(PhysAddr(base)) = memblock::alloc_range(size, CRASH_ALIGN, 0, LOW_MAX) else {
        pr_err!("Cannot reserve {}MB crashkernel low memory, please try smaller size.", size / MIB);
        return false;
    };
    pr_info!(
        "Reserving {}MB of low memory at {}MB for crashkernel (low RAM limit: {}MB)",
        size / MIB,
        base / MIB,
        LOW_MAX / MIB
    );
    describe(base, size);
    true
}

#[init]
fn describe(base: u64, size: u64) {
    insert(Kind::Mem, base..=base + (size - 1), "Crash kernel", true);
}

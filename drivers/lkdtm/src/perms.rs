//! Crash points that use memory in a way that its page forbids: Linux's `perms.c`.

use core::cell::UnsafeCell;
use core::hint::black_box;

use incipit::mm::slab::KBox;
use incipit::mm::vmalloc::vzalloc;
use incipit::mm::{Gfp, phys_to_virt, sections, virt_to_phys};
use incipit::prelude::*;

use crate::access;
use crate::crashpoints::{Outcome, SURVIVED};
use crate::init::TOO_EARLY;

/// `ret`, as often as it takes to fill eight bytes.
const RET: [u8; 8] = [0xc3; 8];

/// Instructions, as many as a report shows around the one in the middle: what lies beside them changes while the kernel runs.
#[repr(transparent)]
struct Bytes(UnsafeCell<[[u8; 8]; 16]>);

// SAFETY: the bytes are never accessed through Rust's references.
unsafe impl Sync for Bytes {}

/// Writable, because its cell says so.
static DATA_AREA: Bytes = Bytes(UnsafeCell::new([RET; 16]));
static RODATA: [u8; 8] = RET;

#[inline(never)]
pub fn write_ro() -> Outcome {
    let address = (&raw const RODATA).addr();
    pr_info!("lkdtm: attempting bad rodata write at {address:#x}");
    // SAFETY: the page is read-only, so the write faults. Had it gone through, the bytes are as they were.
    unsafe { access::write(address, u64::from_ne_bytes(RET)) };
    SURVIVED
}

/// A function to be overwritten. It is not called.
extern "C" fn do_overwritten() {
    black_box(0);
}

#[inline(never)]
pub fn write_kern() -> Outcome {
    let address = do_overwritten as *const () as usize;
    pr_info!("lkdtm: attempting bad 8 byte write at {address:#x}");
    // SAFETY: the page is read-only, so the write faults. Had it gone through, nobody calls the function; what follows it may be hit, but the boot fails here.
    unsafe { access::write(address, u64::from_ne_bytes(RET)) };
    SURVIVED
}

/// Writes what is there already at the address that the direct map has for `address`.
#[inline(always)]
fn write_alias(address: usize) -> Outcome {
    if !sections::init_is_freed() {
        return TOO_EARLY;
    }
    let alias = phys_to_virt(virt_to_phys(core::ptr::with_exposed_provenance(address))).addr();
    pr_info!("lkdtm: attempting bad direct map write at {alias:#x}");
    // SAFETY: both can be read. The page is read-only by this address, too, so the write faults; had it gone through, the bytes are as they were.
    unsafe { access::write(alias, access::read(address)) };
    SURVIVED
}

#[inline(never)]
pub fn write_ro_alias() -> Outcome {
    write_alias((&raw const RODATA).addr())
}

#[inline(never)]
pub fn write_kern_alias() -> Outcome {
    write_alias(do_overwritten as *const () as usize)
}

/// Calls eight `ret` instructions at `address`.
#[inline(always)]
fn execute_location(address: usize) -> Outcome {
    pr_info!("lkdtm: attempting bad execution at {address:#x}");
    // SAFETY: the page is not executable, so the call faults. Had it gone through, it returns at once.
    unsafe { access::call(address) };
    SURVIVED
}

#[inline(never)]
pub fn exec_data() -> Outcome {
    execute_location(DATA_AREA.0.get().addr() + size_of::<Bytes>() / 2)
}

#[inline(never)]
pub fn exec_stack() -> Outcome {
    let area = black_box(RET);
    execute_location(black_box(&area).as_ptr().addr())
}

#[inline(never)]
pub fn exec_kmalloc() -> Outcome {
    let area = KBox::new(RET, Gfp::KERNEL).map_err(|_| "there is no memory for it")?;
    execute_location(black_box(area).as_ptr().addr())
}

#[inline(never)]
pub fn exec_vmalloc() -> Outcome {
    let Some(area) = vzalloc(RET.len()) else {
        return Err("there is no memory for it");
    };
    // SAFETY: the area has as many bytes, and nobody else uses it.
    unsafe { area.cast().write(RET) };
    execute_location(area.addr().get())
}

#[inline(never)]
pub fn exec_rodata() -> Outcome {
    execute_location((&raw const RODATA).addr())
}

#[inline(never)]
pub fn exec_null() -> Outcome {
    pr_info!("lkdtm: attempting bad execution at 0x0");
    // SAFETY: the first page is never mapped, so the call faults.
    unsafe { access::call(0) };
    SURVIVED
}

#[inline(never)]
pub fn access_null() -> Outcome {
    pr_info!("lkdtm: attempting bad read at 0x0");
    // SAFETY: the first page is never mapped, so the read faults.
    unsafe { access::read(0) };
    SURVIVED
}

/// Reads and writes at an odd address; comes back, for the processor allows that.
#[inline(never)]
pub fn unaligned_load_store_write() -> Outcome {
    let mut bytes = [0_u8; 16];
    let address = (&raw mut bytes).addr() | 1;
    // SAFETY: the nine bytes from the start are the array's, whatever its alignment.
    let value = unsafe {
        access::write(address, 0x0102_0304_0506_0708);
        access::read(address)
    };
    if value == 0x0102_0304_0506_0708 {
        Ok(())
    } else {
        Err("read something else than was written")
    }
}

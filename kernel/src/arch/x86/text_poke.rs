//! Writing to the kernel's own code, which is mapped read-only: through a second mapping of the page that is there for the moment of writing only.
//!
//! Code that an interrupt or an exception, non-maskable ones included, may run meanwhile is written behind a breakpoint (Linux's `text_poke_bp`): the first byte becomes `int3`,
//! then the others change, then the first. Between the steps all CPUs serialize themselves, so that none has bytes of two instructions. Who runs into the
//! breakpoint goes on as the new instruction says.

use core::arch::x86_64::__cpuid;
use core::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use super::mm::fixmap;
use super::mm::pgtable::Flags;
use super::ptregs::PtRegs;
use crate::locking::SpinLock;
use crate::mm::{PAGE_SIZE, virt_to_phys};
use crate::prelude::*;
use crate::smp;

/// Bytes of an instruction that can be replaced while it is run: a jump with a 32-bit distance.
pub const PATCH_SIZE: usize = 5;
const INT3: u8 = 0xcc;
const INT3_SIZE: usize = 1;

/// An instruction that can be put in place of another while it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patch {
    /// Nothing: goes on behind.
    Nop,
    /// A jump to this address.
    Jump(usize),
}

impl Patch {
    const NOP: [u8; PATCH_SIZE] = [0x0f, 0x1f, 0x44, 0x00, 0x00];
    const JUMP_OPCODE: u8 = 0xe9;

    /// What `bytes`, which stand at `address`, are; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: [u8; PATCH_SIZE], address: usize) -> Option<Patch> {
        let [opcode, distance @ ..] = bytes;
        match opcode {
            _ if bytes == Self::NOP => Some(Patch::Nop),
            Self::JUMP_OPCODE => {
                let distance = i32::from_le_bytes(distance);
                Some(Patch::Jump((address + PATCH_SIZE).wrapping_add_signed(distance as isize)))
            }
            _ => None,
        }
    }

    /// The instruction's bytes at `address`; `None` if it cannot reach so far.
    #[must_use]
    pub fn encode(self, address: usize) -> Option<[u8; PATCH_SIZE]> {
        match self {
            Patch::Nop => Some(Self::NOP),
            Patch::Jump(target) => {
                let distance = target.wrapping_sub(address + PATCH_SIZE).cast_signed();
                let [a, b, c, d] = i32::try_from(distance).ok()?.to_le_bytes();
                Some([Self::JUMP_OPCODE, a, b, c, d])
            }
        }
    }

    /// Where the code at `address` goes on once the instruction is run.
    fn continuation(self, address: usize) -> usize {
        match self {
            Patch::Nop => address + PATCH_SIZE,
            Patch::Jump(target) => target,
        }
    }
}

/// Who writes to code, one at a time: Linux's `text_mutex`.
static TEXT_MUTEX: SpinLock<()> = SpinLock::new(());

/// Where the breakpoint of a patch under way stands, 0 if there is none, and where who runs into it goes on.
static BREAKPOINT: AtomicUsize = AtomicUsize::new(0);
static CONTINUATION: AtomicUsize = AtomicUsize::new(0);

/// Writes `bytes` over code at `address`.
///
/// # Errors
///
/// `ENOMEM`: there are no addresses for the second mapping. Nothing has changed then.
///
/// # Safety
///
/// The bytes must be whole instructions in place of whole instructions, which no CPU runs meanwhile, non-maskable interrupts included.
pub unsafe fn text_poke(address: usize, bytes: &[u8]) -> Result<(), Errno> {
    let _one_at_a_time = TEXT_MUTEX.lock();
    // SAFETY: passed on.
    unsafe { write_through_alias(address, bytes)? };
    sync_core();
    Ok(())
}

/// Puts `patch` in place of the instruction of [`PATCH_SIZE`] bytes at `address`, which any CPU may run meanwhile. Interrupts are on once other CPUs run: they are waited for.
///
/// # Errors
///
/// `EINVAL` if the patch is a jump that does not reach so far; `ENOMEM` as for [`text_poke`]. Nothing has changed then.
///
/// # Safety
///
/// An instruction of that size must stand there, nobody jumps into its middle, and the code must be right with either.
pub unsafe fn text_poke_bp(address: usize, patch: Patch) -> Result<(), Errno> {
    let bytes = patch.encode(address).ok_or(Errno::EINVAL)?;
    let _one_at_a_time = TEXT_MUTEX.lock();
    CONTINUATION.store(patch.continuation(address), Relaxed);
    BREAKPOINT.store(address, Release);
    // SAFETY: who runs into the breakpoint never sees the bytes behind it, which change only when all have seen it.
    let written = unsafe { write_behind_breakpoint(address, &bytes) };
    BREAKPOINT.store(0, Release);
    written
}

/// # Safety
///
/// As for [`text_poke_bp`], and [`BREAKPOINT`] must be the address.
unsafe fn write_behind_breakpoint(address: usize, bytes: &[u8; PATCH_SIZE]) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the place; each write leaves instructions that are whole for who serializes before the next.
    unsafe {
        write_through_alias(address, &[INT3])?;
        sync_all_cores();
        write_through_alias(address + INT3_SIZE, &bytes[INT3_SIZE..])?;
        sync_all_cores();
        write_through_alias(address, &bytes[..INT3_SIZE])?;
    }
    sync_all_cores();
    Ok(())
}

/// Lets code that ran into the breakpoint of a patch go on, and says whether it was that. Linux's `poke_int3_handler`.
#[inline]
pub(super) fn poke_int3_handler(regs: &mut PtRegs) -> bool {
    let breakpoint = BREAKPOINT.load(Acquire);
    let is_ours = breakpoint != 0 && regs.ip as usize == breakpoint + INT3_SIZE;
    if is_ours {
        regs.ip = CONTINUATION.load(Relaxed) as u64;
    }
    is_ours
}

/// # Safety
///
/// What is written must be right for whoever runs the code.
unsafe fn write_through_alias(address: usize, bytes: &[u8]) -> Result<(), Errno> {
    let phys = virt_to_phys(core::ptr::with_exposed_provenance(address));
    let inside = phys as usize % PAGE_SIZE;
    let size = (inside + bytes.len()).next_multiple_of(PAGE_SIZE);
    let alias = fixmap::map(phys - inside as u64, size, Flags::READ_WRITE)?;
    let target = core::ptr::with_exposed_provenance_mut::<u8>(alias.start + inside);
    // SAFETY: the pages were mapped for this, with room for the bytes, and nobody but this function knows the addresses.
    unsafe {
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), target, bytes.len());
        fixmap::unmap(&alias);
    }
    Ok(())
}

/// Makes this CPU fetch anew what it runs next: an instruction that serializes (SDM 3, 9.3).
fn sync_core() {
    __cpuid(0);
}

/// The same on every CPU that runs: what one has fetched before is not what it runs afterwards.
fn sync_all_cores() {
    smp::on_each_cpu(&sync_core);
}

#[ktest]
fn a_patch_is_read_as_it_was_written() {
    let address = 0xffff_ffff_8123_4567;
    for patch in [
        Patch::Nop,
        Patch::Jump(address),
        Patch::Jump(address + 0x1000),
        Patch::Jump(address - 0x7fff_0000),
    ] {
        let bytes = patch.encode(address).expect("within 2 GiB");
        assert_eq!(Patch::decode(bytes, address), Some(patch));
    }
    assert_eq!(Patch::Jump(address - 0x1_0000_0000).encode(address), None);
    assert_eq!(Patch::decode([INT3; PATCH_SIZE], address), None);
}

#[ktest]
fn who_runs_into_the_breakpoint_of_a_patch_goes_on_behind_it() {
    let _one_at_a_time = TEXT_MUTEX.lock();
    let mut regs = PtRegs {
        ip: 0x1001,
        ..PtRegs::default()
    };
    assert!(!poke_int3_handler(&mut regs));
    CONTINUATION.store(Patch::Jump(0x2000).continuation(0x1000), Relaxed);
    BREAKPOINT.store(0x1000, Release);
    let (ours, resumed) = (poke_int3_handler(&mut regs), regs.ip);
    let twice = poke_int3_handler(&mut regs);
    BREAKPOINT.store(0, Release);
    assert_eq!((ours, resumed, twice), (true, 0x2000, false));
}
